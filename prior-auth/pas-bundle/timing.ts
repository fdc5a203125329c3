import type { Timing, TimingRepeat } from '@medplum/fhirtypes';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';

const PATTERNS: readonly string[] = [PAS_EXTENSIONS.timingCalendarPattern, PAS_EXTENSIONS.timingDeliveryPattern];

/** HL7 TimingAbbreviation (GTS): times per period. Others are sent as text of the code, or not at all. */
const ABBREVIATIONS: Readonly<Record<string, Pick<TimingRepeat, 'frequency' | 'period' | 'periodUnit'>>> = {
  QD: { frequency: 1, period: 1, periodUnit: 'd' }, AM: { frequency: 1, period: 1, periodUnit: 'd' }, PM: { frequency: 1, period: 1, periodUnit: 'd' }, BED: { frequency: 1, period: 1, periodUnit: 'd' },
  QOD: { frequency: 1, period: 2, periodUnit: 'd' }, BID: { frequency: 2, period: 1, periodUnit: 'd' }, TID: { frequency: 3, period: 1, periodUnit: 'd' }, QID: { frequency: 4, period: 1, periodUnit: 'd' },
  Q1H: { frequency: 1, period: 1, periodUnit: 'h' }, Q2H: { frequency: 1, period: 2, periodUnit: 'h' }, Q3H: { frequency: 1, period: 3, periodUnit: 'h' }, Q4H: { frequency: 1, period: 4, periodUnit: 'h' },
  Q6H: { frequency: 1, period: 6, periodUnit: 'h' }, Q8H: { frequency: 1, period: 8, periodUnit: 'h' }, WK: { frequency: 1, period: 1, periodUnit: 'wk' }, MO: { frequency: 1, period: 1, periodUnit: 'mo' },
};

/**
 * PASTiming: bounds only as a Duration (a Period is sent as Claim.item.serviced), and a schedule that says how often: a count, a frequency with its period, or
 * an X12 pattern (2.2.1 prof-1). Undefined for a schedule that says neither; `mustSayHowOften` false (2.0.1) lets it pass when something is left.
 */
export function writeTiming({ repeat, code, extension }: Timing, mustSayHowOften: boolean): Timing | undefined {
  const { boundsPeriod: _period, boundsRange: _range, ...kept } = repeat ?? {};
  const meant = ABBREVIATIONS[code?.coding?.map((coding) => coding.code?.trim().toUpperCase() ?? '').find((each) => each in ABBREVIATIONS) ?? ''];
  const sent: TimingRepeat = kept.frequency === undefined && kept.count === undefined && meant ? { ...kept, ...meant } : kept;
  const patterns = (extension ?? []).filter(({ url }) => PATTERNS.includes(url));
  const saysHowOften = sent.count !== undefined || (sent.frequency !== undefined && sent.period !== undefined && sent.periodUnit !== undefined) || patterns.length > 0;
  if (mustSayHowOften && !saysHowOften) return undefined;
  if (Object.keys(sent).length === 0 && patterns.length === 0) return undefined;
  return { ...(patterns.length > 0 ? { extension: patterns } : {}), ...(Object.keys(sent).length > 0 ? { repeat: sent } : {}), ...(code ? { code } : {}) };
}

import type { ServiceLine } from './service-line.ts';
import type { ClaimEvent } from './write-claim.ts';

/** Dates of the whole request: when a stay begins and ends, when a referral is to take place. Each slice may stand once. */
export function eventsOf(lines: readonly ServiceLine[]): readonly ClaimEvent[] {
  const stay = spanOf(lines.filter(({ requestCategory }) => requestCategory === 'AR'));
  const referral = spanOf(lines.filter(({ requestCategory }) => requestCategory === 'SC'));
  return [
    ...(referral ? [{ category: 'patientEvent' as const, timing: referral.start === referral.end ? { date: referral.start } : { period: referral } }] : []),
    ...(stay ? [{ category: 'admissionDates' as const, timing: { date: stay.start } }] : []),
    ...(stay && stay.end > stay.start ? [{ category: 'dischargeDates' as const, timing: { date: stay.end } }] : []),
  ];
}

/** YYYY-MM-DD sorts as time does. */
function spanOf(lines: readonly ServiceLine[]): { readonly start: string; readonly end: string } | undefined {
  const days = lines
    .flatMap(({ serviced }) => (serviced ? ('date' in serviced ? [serviced.date] : [serviced.period.start, serviced.period.end]) : []))
    .filter((day): day is string => day !== undefined)
    .toSorted();
  const [start] = days;
  return start === undefined ? undefined : { start, end: days.at(-1) ?? start };
}

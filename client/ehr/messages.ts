import { language } from '../ui/language.ts';
import type { ChartEntry, CoverageInformation } from './ehr-api.ts';
import { en, type EhrWords } from './messages/en.ts';
import { es } from './messages/es.ts';

/* Every word of the sandbox EHR, in the language of the page. */

const words: EhrWords = { en, es }[language];
export const { messages } = words;
export const orderStatusWords: Readonly<Record<string, string>> = words.orderStatus;

const OWN_SYSTEM = 'https://openpriorauth.org/CodeSystem/override-reason';
export const ownOverrideReasons = Object.entries(words.overrideReasons).map(([code, display]) => ({ system: OWN_SYSTEM, code, display }));

/** Coverage information in plain words. */
export function coverageWords({ covered, paNeeded, docNeeded }: CoverageInformation): readonly string[] {
  const { coverage } = words;
  const say = (known: Readonly<Record<string, string>>, code: string | undefined, name: string): readonly string[] => (code === undefined ? [] : [known[code] ?? coverage.unknown(name, code)]);
  return [...say(coverage.pa, paNeeded, coverage.names.pa), ...say(coverage.covered, covered, coverage.names.covered), ...say(coverage.doc, docNeeded, coverage.names.doc)];
}

/** What the payer must know to say more. OTH is left to the reasons, which come with it. */
export function infoWords({ infoNeeded = [] }: CoverageInformation): string {
  const known: Readonly<Record<string, string>> = words.coverage.info;
  return infoNeeded.filter((code) => code !== 'OTH').map((code) => known[code] ?? code).join(', ');
}

export function nothingNeeded({ paNeeded, docNeeded }: CoverageInformation): boolean {
  return (paNeeded === 'no-auth' || paNeeded === 'satisfied') && docNeeded === undefined;
}

export function entryLine({ date, detail }: ChartEntry): { readonly date: string; readonly detail: string } {
  return { date: date ?? '', detail: detail ?? '' };
}

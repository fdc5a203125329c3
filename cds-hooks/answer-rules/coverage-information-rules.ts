import { relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import {
  COVERED22_CODES, COVERED_CODES, DETAIL_CATEGORY22_CODES, DOC_NEEDED22_CODES, DOC_NEEDED_CODES, DOC_PURPOSE_CODES, INFO_NEEDED22_CODES, INFO_NEEDED_CODES, PA_NEEDED22_CODES, PA_NEEDED_CODES,
} from '#fhir/generated/code-sets.ts';
import type { CrdVersion } from '../hook-call.ts';
import { type AnswerFault, faultsOf, isLoose, isText, type Loose, looseList, type Rule } from './fault.ts';

/* coverage-information as it leaves: elements, codes and the emission rules, of one version. */

interface Element {
  readonly value: string | null;
  readonly min: 0 | 1;
  readonly max: 1 | '*';
  readonly codes?: readonly string[];
}

const one = (value: string, codes?: readonly string[]): Element => ({ value, min: 1, max: 1, ...(codes ? { codes } : {}) });
const maybe = (value: string, codes?: readonly string[]): Element => ({ ...one(value, codes), min: 0 });
const any = (value: string | null, codes?: readonly string[]): Element => ({ value, min: 0, max: '*', ...(codes ? { codes } : {}) });

const IN_BOTH: Readonly<Record<string, Element>> = {
  coverage: one('valueReference'),
  'doc-purpose': any('valueCode', DOC_PURPOSE_CODES),
  billingCode: any('valueCoding'),
  reason: any('valueCodeableConcept'),
  detail: any(null),
  dependency: any('valueReference'),
  questionnaire: any('valueCanonical'),
  date: one('valueDate'),
  'coverage-assertion-id': one('valueString'),
  'satisfied-pa-id': maybe('valueString'),
};
const ELEMENTS: { readonly [V in CrdVersion]: Readonly<Record<string, Element>> } = {
  '2.0': {
    ...IN_BOTH,
    covered: one('valueCode', COVERED_CODES),
    'pa-needed': maybe('valueCode', PA_NEEDED_CODES),
    'doc-needed': maybe('valueCode', DOC_NEEDED_CODES),
    'info-needed': any('valueCode', INFO_NEEDED_CODES),
    response: any('valueReference'),
    contact: any('valueContactPoint'),
  },
  '2.2': {
    ...IN_BOTH,
    covered: one('valueCode', COVERED22_CODES),
    'pa-needed': maybe('valueCode', PA_NEEDED22_CODES),
    'doc-needed': any('valueCode', DOC_NEEDED22_CODES),
    'info-needed': any('valueCode', INFO_NEEDED22_CODES),
    contact: any('valueContactDetail'),
    'expiry-date': maybe('valueDate'),
  },
};

/** One coverage-information, its parts by name. */
interface Parts {
  readonly version: CrdVersion;
  readonly parts: readonly Loose[];
  readonly all: (name: string) => readonly unknown[];
}

const code = (parts: Parts, name: string): unknown => parts.all(name)[0];
const has = (parts: Parts, name: string): boolean => parts.all(name).length > 0;
const isConditional = (parts: Parts): boolean => ['covered', 'pa-needed', 'doc-needed'].some((name) => parts.all(name).includes('conditional'));
const isIndeterminate = (parts: Parts): boolean => ['covered', 'pa-needed', 'doc-needed'].some((name) => parts.all(name).includes('indeterminate'));
const reasonText = (reason: unknown): boolean => isLoose(reason) && isText(reason['text']);

/** The rules hold in every version, so that what one version allows is never sent to a client that reads by another. `guide` tells whose they are. */
const RULES: readonly Rule<Parts>[] = [
  { id: 'elements', says: 'only elements of this version, as often and of the type that it says', broken: (p) => !elementsFit(p) },
  { id: 'codes', says: 'only codes of this version', broken: (p) => p.parts.some((part) => { const codes = ELEMENTS[p.version][String(part['url'])]?.codes; return codes !== undefined && !codes.includes(String(part['valueCode'])); }) },
  { id: 'details', says: 'a detail has a code, a value, and in 2.2 a category', broken: (p) => p.parts.some((part) => part['url'] === 'detail' && !detailFits(part, p.version)) },
  { id: 'pa-needed', says: 'covered or conditional has pa-needed', guide: ['2.0'], broken: (p) => code(p, 'covered') !== 'not-covered' && !has(p, 'pa-needed') },
  { id: 'not-covered', says: 'not-covered has no pa-needed', guide: ['2.2'], broken: (p) => code(p, 'covered') === 'not-covered' && has(p, 'pa-needed') },
  { id: 'info-needed', says: 'conditional has info-needed', guide: ['2.2'], broken: (p) => isConditional(p) && !has(p, 'info-needed') },
  { id: 'conditional', says: 'info-needed only where something is conditional', guide: ['2.0'], broken: (p) => has(p, 'info-needed') && !isConditional(p) },
  { id: 'doc-purpose-reason', says: 'doc-purpose has a reason', guide: ['2.2'], broken: (p) => has(p, 'doc-purpose') && !has(p, 'reason') },
  { id: 'withpa', says: 'withpa only where an authorization is or may be needed', guide: [], broken: (p) => p.all('doc-purpose').includes('withpa') && !['auth-needed', 'performpa', 'conditional'].includes(String(code(p, 'pa-needed'))) },
  { id: 'satisfied-withpa', says: 'satisfied has no withpa', guide: ['2.2'], broken: (p) => code(p, 'pa-needed') === 'satisfied' && p.all('doc-purpose').includes('withpa') },
  { id: 'satisfied', says: 'satisfied if, and only if, satisfied-pa-id', broken: (p) => (code(p, 'pa-needed') === 'satisfied') !== has(p, 'satisfied-pa-id') },
  { id: 'questionnaire', says: 'a questionnaire or response has doc-needed', broken: (p) => (has(p, 'questionnaire') || has(p, 'response')) && !has(p, 'doc-needed') },
  { id: 'other-reason', says: 'info-needed OTH has a reason', guide: ['2.2'], broken: (p) => p.all('info-needed').includes('OTH') && !has(p, 'reason') },
  { id: 'indeterminate-reason', says: 'indeterminate has a reason', only: ['2.2'], broken: (p) => isIndeterminate(p) && !has(p, 'reason') },
  { id: 'reason-text', says: "a reason without one of the guide's codes has words", guide: ['2.2'], broken: (p) => p.all('reason').some((reason) => !reasonText(reason) && !(isLoose(reason) && looseList(reason['coding']).some(({ system }) => system === CRD_URLS.codesTemp))) },
  { id: 'date', says: 'the date is a day', broken: (p) => !/^\d{4}-\d{2}-\d{2}$/.test(String(code(p, 'date'))) },
];

/** Everything that the coverage-information on one resource breaks, in one version. `mine` tells which of them this answer is responsible for. */
export function coverageInformationFaults(resource: unknown, version: CrdVersion, mine: (extension: Loose) => boolean = () => true): readonly AnswerFault[] {
  const extensions = looseList(isLoose(resource) ? resource['extension'] : undefined).filter(({ url }) => url === CRD_URLS.coverageInformation);
  const alone = extensions.filter(mine).flatMap((extension) => faultsOf(RULES, partsOf(extension, version), version));
  return [...alone, ...assertionFaults(extensions.map((extension) => ({ parts: partsOf(extension, version), mine: mine(extension) })), version)];
}

export function asksForDocuments(resource: unknown, mine: (extension: Loose) => boolean): boolean {
  return looseList(isLoose(resource) ? resource['extension'] : undefined).some((extension) => extension['url'] === CRD_URLS.coverageInformation && mine(extension) && has(partsOf(extension, '2.0'), 'doc-needed'));
}

/** "Type/id" of the coverage that an extension is about, when it says so. */
export function coverageOf(extension: Loose): string | undefined {
  return namedCoverage(partsOf(extension, '2.0'));
}

/** A server may write a reference with its own address before it. */
function namedCoverage(parts: Parts): string | undefined {
  const coverage = code(parts, 'coverage');
  return isLoose(coverage) && isText(coverage['reference']) ? (relativeReference(coverage['reference']) ?? coverage['reference']) : undefined;
}

function partsOf(extension: Loose, version: CrdVersion): Parts {
  const parts = looseList(extension['extension']);
  const byName = new Map<unknown, unknown[]>();
  for (const part of parts) {
    const known = byName.get(part['url']);
    if (known) known.push(valueOf(part));
    else byName.set(part['url'], [valueOf(part)]);
  }
  return { version, parts, all: (name) => byName.get(name) ?? [] };
}

function valueOf(part: Loose): unknown {
  for (const key in part) if (key.startsWith('value')) return part[key];
  return undefined;
}

function elementsFit({ version, parts, all }: Parts): boolean {
  const elements = ELEMENTS[version];
  const counted = Object.entries(elements).every(([name, { min, max }]) => {
    const count = all(name).length;
    return count >= min && (max === '*' || count <= max);
  });
  return counted && parts.every((part) => {
    const element = elements[String(part['url'])];
    if (!element) return false;
    return element.value === null ? Array.isArray(part['extension']) : isPresent(part[element.value]);
  });
}

function isPresent(value: unknown): boolean {
  return typeof value === 'string' ? isText(value) : isLoose(value) && Object.keys(value).length > 0;
}

function detailFits(detail: Loose, version: CrdVersion): boolean {
  const parts = looseList(detail['extension']);
  const named = (name: string): readonly Loose[] => parts.filter(({ url }) => url === name);
  const category = named('category');
  const categoryFits = version === '2.0' ? category.length === 0 : category.length === 1 && DETAIL_CATEGORY22_CODES.some((each) => each === category[0]?.['valueCode']);
  return categoryFits && named('code').length === 1 && isPresent(named('code')[0]?.['valueCodeableConcept']) && named('value').length === 1 && valueOf(named('value')[0] ?? {}) !== undefined;
}

/** Rule over all repetitions on one resource: same coverage, same ids; another coverage, other ids. What the client sent among itself is not judged. */
function assertionFaults(all: readonly { readonly parts: Parts; readonly mine: boolean }[], version: CrdVersion): readonly AnswerFault[] {
  const facts = all.map(({ parts, mine }) => ({ mine, coverage: namedCoverage(parts) ?? JSON.stringify(code(parts, 'coverage')), assertion: code(parts, 'coverage-assertion-id'), satisfied: code(parts, 'satisfied-pa-id') }));
  const clash = facts.some((a, i) => facts.slice(i + 1).some((b) => (a.mine || b.mine) && ((a.coverage === b.coverage) !== (a.assertion === b.assertion) || (a.coverage === b.coverage && a.satisfied !== b.satisfied))));
  return clash ? [{ rule: 'assertion-id', says: 'one coverage has one coverage-assertion-id and satisfied-pa-id, two coverages have two', guide: version === '2.0' }] : [];
}

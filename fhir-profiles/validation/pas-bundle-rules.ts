import { absoluteFrom, parseReference } from '../base/reference.ts';
import { PAS_PROFILES } from '../pas/canonical-urls.ts';
import { isObject, type JsonObject } from './json-values.ts';
import type { IssueCode, ValidationIssue } from './report.ts';

/** What the guide says of a bundle in words only (PAS 2.0.1 and 2.2.1, "Exchanging bundles": no profile or invariant carries it). */
interface BundleRule {
  readonly code: IssueCode;
  readonly clause: string;
  readonly check: (bundle: PasBundle) => Finding[];
}

interface Finding {
  readonly path: string;
  readonly message: string;
  /** Default error. */
  readonly severity?: 'warning';
}

interface Entry {
  readonly path: string;
  readonly fullUrl: string | undefined;
  readonly resource: JsonObject;
  readonly type: string;
}

interface PasBundle {
  readonly entries: readonly Entry[];
  readonly focus: 'Claim' | 'ClaimResponse';
  readonly byFullUrl: ReadonlyMap<string, Entry>;
  readonly links: ReadonlyMap<Entry, readonly Link[]>;
}

const FOCUS: Readonly<Record<string, PasBundle['focus']>> = {
  [PAS_PROFILES.requestBundle]: 'Claim',
  [PAS_PROFILES.inquiryRequestBundle]: 'Claim',
  [PAS_PROFILES.responseBundle]: 'ClaimResponse',
  [PAS_PROFILES.inquiryResponseBundle]: 'ClaimResponse',
};

export function isPasBundleProfile(url: string): boolean {
  return url in FOCUS;
}

/** Findings of every rule on a Bundle that is held against one of the PAS bundle profiles. */
export function pasBundleIssues(bundle: JsonObject, profile: string): ValidationIssue[] {
  const focus = FOCUS[profile];
  if (!focus) return [];
  const entries = list(bundle['entry']).flatMap((entry, index) => readEntry(entry, `Bundle.entry[${index}]`));
  const byFullUrl = new Map<string, Entry>();
  for (const entry of entries) if (entry.fullUrl !== undefined && !byFullUrl.has(entry.fullUrl)) byFullUrl.set(entry.fullUrl, entry);
  const links = new Map(entries.map((entry) => [entry, linksOf(entry)]));
  return RULES.flatMap(({ code, clause, check }) =>
    check({ entries, focus, byFullUrl, links }).map(({ severity, path, message }): ValidationIssue => ({ severity: severity ?? 'error', code, path, message: `${message} (${clause})` })),
  );
}

function readEntry(entry: unknown, path: string): Entry[] {
  if (!isObject(entry) || !isObject(entry['resource'])) return [];
  const { fullUrl, resource } = entry;
  return [{ path, fullUrl: typeof fullUrl === 'string' ? fullUrl : undefined, resource, type: String(resource['resourceType']) }];
}

export const RULES: readonly BundleRule[] = [
  {
    code: 'bundle-first-entry',
    clause: 'PAS: the Claim, or the ClaimResponse in an answer, is the first entry',
    check: ({ entries, focus }) => {
      const [first] = entries;
      if (!first || first.type === focus || !entries.some(({ type }) => type === focus)) return [];
      return [{ path: 'Bundle.entry[0]', message: `is a ${first.type}; move the ${focus} to the front` }];
    },
  },
  { code: 'bundle-full-url', clause: 'PAS: fullUrl is the RESTful URL of the resource, or urn:uuid', check: (bundle) => bundle.entries.flatMap(fullUrlFindings) },
  { code: 'bundle-duplicate', clause: 'PAS: each resource is in the bundle once', check: duplicateFindings },
  { code: 'bundle-dangling-reference', clause: 'PAS: what the bundle refers to is in the bundle', check: danglingFindings },
  { code: 'bundle-missing-reference', clause: 'PAS: what the bundle refers to is in the bundle', check: missingFindings },
  { code: 'bundle-unreferenced', clause: 'PAS: supporting resources are pointed to by supportingInfo or by something that is', check: unreferencedFindings },
  { code: 'bundle-sequence', clause: 'R4 Claim: a sequence is unique, and a sequence link names one that exists', check: sequenceFindings },
];

function fullUrlFindings({ path, fullUrl, resource, type }: Entry): Finding[] {
  if (fullUrl === undefined) return [];
  const parsed = parseReference(fullUrl);
  const at = `${path}.fullUrl`;
  if (parsed.kind === 'absolute') {
    if (parsed.resourceType === type && parsed.id === resource['id']) return [];
    return [{ path: at, message: `ends in ${parsed.resourceType}/${parsed.id}, but the entry is ${type}/${typeof resource['id'] === 'string' ? resource['id'] : '(no id)'}; make them equal` }];
  }
  if (parsed.kind !== 'urn') return [{ path: at, message: 'is neither an absolute RESTful URL nor a urn' }];
  if (!fullUrl.startsWith('urn:uuid:')) return [];
  return /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(fullUrl)
    ? []
    : [{ path: at, severity: 'warning', message: 'is no version 4 UUID in lower case; conformance kits refuse others' }];
}

const ONE_PER_IDENTIFIER: ReadonlySet<string> = new Set(['Organization', 'Patient', 'Practitioner', 'Coverage']);

function duplicateFindings({ entries }: PasBundle): Finding[] {
  const findings: Finding[] = [];
  const firstWith = new Map<string, Entry>();
  const note = (key: string, entry: Entry, message: (first: Entry) => string, severity?: 'warning'): void => {
    const first = firstWith.get(key);
    if (!first) firstWith.set(key, entry);
    else if (first !== entry) findings.push({ path: entry.path, message: message(first), ...(severity ? { severity } : {}) });
  };
  for (const entry of entries) {
    const { fullUrl, resource, type } = entry;
    if (fullUrl !== undefined) note(`url ${fullUrl}`, entry, ({ path }) => `repeats the fullUrl of ${path}; keep one`);
    if (typeof resource['id'] === 'string') {
      const base = fullUrl?.startsWith('urn:') === false ? fullUrl.slice(0, -resource['id'].length) : '';
      note(`id ${base} ${type}/${resource['id']}`, entry, ({ path }) => `is ${type}/${String(resource['id'])} again, as ${path}; keep one`);
    }
    if (!ONE_PER_IDENTIFIER.has(type)) continue;
    for (const identifier of list(resource['identifier']).filter(isObject)) {
      if (typeof identifier['system'] !== 'string' || typeof identifier['value'] !== 'string') continue;
      const key = `identifier ${type} ${identifier['system']} ${identifier['value']}`;
      note(key, entry, ({ path }) => `shares an identifier of ${identifier['system'] as string} with ${path}; if they are one, keep one`, 'warning');
    }
  }
  return findings;
}

interface Link {
  readonly path: string;
  readonly reference: string;
  readonly from: Entry;
}

/** Every literal reference in an entry that the closure rule covers. */
function linksOf(entry: Entry): Link[] {
  const links: Link[] = [];
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) value.forEach((member, index) => visit(member, `${path}[${index}]`));
    else if (isObject(value)) {
      if (typeof value['reference'] === 'string' && !value['reference'].startsWith('#')) links.push({ path, reference: value['reference'], from: entry });
      for (const [key, part] of Object.entries(value)) if (typeof part === 'object' && part !== null) visit(part, `${path}.${key}`);
    }
  };
  visit(entry.resource, `${entry.path}.resource`);
  return links.filter(({ path }) => !isExempt(entry, path));
}

/** The answered Claim need not be sent back; a replaced Claim keeps its own reference to an older one; a nested Bundle is closed in itself. */
function isExempt({ type, path: entryPath }: Entry, path: string): boolean {
  const inside = path.slice(`${entryPath}.resource.`.length);
  if (type === 'ClaimResponse') return inside === 'request';
  if (type === 'Bundle') return true;
  return type === 'Claim' && entryPath !== 'Bundle.entry[0]' && /^related\[\d+\]\.claim$/.test(inside);
}

function targetOf({ reference, from }: Link, { byFullUrl }: PasBundle): Entry | undefined {
  const wanted = absoluteFrom(reference, from.fullUrl);
  return wanted === undefined ? undefined : byFullUrl.get(wanted);
}

function danglingFindings(bundle: PasBundle): Finding[] {
  return [...bundle.links.values()].flat().flatMap((link) => {
    const { kind } = parseReference(link.reference);
    if ((kind !== 'relative' && kind !== 'urn') || targetOf(link, bundle)) return [];
    const why = kind === 'relative' && link.from.fullUrl?.startsWith('urn:') ? 'is relative, which finds nothing from an entry whose fullUrl is a urn' : 'points at no entry';
    return [{ path: link.path, message: `${why}; add the resource or correct the reference` }];
  });
}

function missingFindings(bundle: PasBundle): Finding[] {
  return [...bundle.links.values()]
    .flat()
    .filter((link) => parseReference(link.reference).kind === 'absolute' && !targetOf(link, bundle))
    .map(({ path }) => ({ path, severity: 'warning', message: 'points at a resource that is not in the bundle; the receiver may be unable to read it' }));
}

function unreferencedFindings(bundle: PasBundle): Finding[] {
  const roots = bundle.entries.filter(({ type }) => type === bundle.focus || type === 'Task' || type === 'OperationOutcome');
  const reached = new Set<Entry>(roots);
  // A Set visits what is added while it is being walked.
  for (const entry of reached) {
    for (const link of bundle.links.get(entry) ?? []) {
      const target = targetOf(link, bundle);
      if (target) reached.add(target);
    }
  }
  return bundle.entries
    .filter((entry) => !reached.has(entry))
    .map(({ path, type }) => ({ path, severity: 'warning', message: `nothing reachable from the ${bundle.focus} points at this ${type}; refer to it or leave it out` }));
}

const SEQUENCE_LINKS = { careTeamSequence: 'careTeam', diagnosisSequence: 'diagnosis', informationSequence: 'supportingInfo', procedureSequence: 'procedure' } as const;

function sequenceFindings({ entries }: PasBundle): Finding[] {
  return entries
    .filter(({ type }) => type === 'Claim')
    .flatMap(({ resource, path }) => {
      const sequences = (name: string): (number | undefined)[] =>
        list(resource[name]).map((part) => (isObject(part) && typeof part['sequence'] === 'number' ? part['sequence'] : undefined));
      const repeated = ['careTeam', 'supportingInfo', 'diagnosis', 'procedure', 'insurance', 'item'].flatMap((name) => {
        const seen = new Set<number>();
        return sequences(name).flatMap((sequence, index) => {
          if (sequence === undefined || !seen.has(sequence)) {
            if (sequence !== undefined) seen.add(sequence);
            return [];
          }
          return [{ path: `${path}.resource.${name}[${index}].sequence`, message: `repeats ${sequence}; give it its own number` }];
        });
      });
      const broken = Object.entries(SEQUENCE_LINKS).flatMap(([link, name]) => {
        const known = new Set(sequences(name));
        return list(resource['item']).flatMap((item, index) =>
          (isObject(item) ? list(item[link]) : [])
            .filter((sequence): sequence is number => typeof sequence === 'number' && !known.has(sequence))
            .map((sequence) => ({ path: `${path}.resource.item[${index}].${link}`, message: `names ${name} ${sequence}, which does not exist` })),
        );
      });
      return [...repeated, ...broken];
    });
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

import type { DataRequirement as StatedRequirement, DataRequirementDateFilter, Library, ValueSet } from '@medplum/fhirtypes';
import type { ElmLibrary } from './cql/compile-cql.ts';

/** What to read of one resource type. */
export interface DataRequirement {
  readonly type: string;
  /** null: all of the patient's. */
  readonly codes: readonly CodeToFind[] | null;
  /** The element that the codes are of. */
  readonly codePath: string;
  /** YYYY-MM-DD: nothing older is needed. */
  readonly since?: string;
}

export interface CodeToFind { readonly system: string; readonly code: string }
export type ExpandedValueSets = Readonly<Record<string, readonly CodeToFind[]>>;
export interface Place { readonly library: string; readonly define: string }

export interface RequirementsInput {
  readonly elm: readonly ElmLibrary[];
  /** The defines that will run; only what they reach is read. */
  readonly wanted: readonly Place[];
  readonly libraries: readonly Library[];
  readonly valueSets: ExpandedValueSets;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** url -> codes of every value set that is expanded or lists its codes. */
export function expandedValueSets(valueSets: readonly ValueSet[]): ExpandedValueSets {
  return Object.fromEntries(valueSets.flatMap((set) => {
    if (!set.url || (!set.expansion && !set.compose)) return [];
    const listed = set.expansion?.contains
      ? set.expansion.contains.flatMap(function flat(entry): { system?: string; code?: string }[] { return [entry, ...(entry.contains ?? []).flatMap(flat)]; })
      : (set.compose?.include ?? []).flatMap(({ system, concept }) => (concept ?? []).map(({ code }) => ({ system, code })));
    return [[set.url, listed.flatMap(({ system, code }) => (system && code ? [{ system, code }] : []))]];
  }));
}

/**
 * The union of what Library.dataRequirement says and what the ELM really retrieves: some published requirements name types that do not exist,
 * some leave types out. Dates narrow only what the payer's own requirements all limit.
 */
export function dataRequirements({ elm, wanted, libraries, valueSets, now }: RequirementsInput): DataRequirement[] {
  const found = new Map<string, { codes: Map<string, CodeToFind> | null; codePath: string }>();
  const add = (type: string, codePath: string, codes: readonly CodeToFind[] | null) => {
    const known = found.get(type);
    if (codes === null || known?.codes === null || (known && known.codePath !== codePath)) found.set(type, { codes: null, codePath });
    else found.set(type, { codePath, codes: new Map([...(known?.codes ?? []), ...codes.map((code): [string, CodeToFind] => [`${code.system}|${code.code}`, code])]) });
  };
  for (const { library, retrieve } of retrieves(elm, wanted)) add(retrieve.type, retrieve.codePath, retrievedCodes(retrieve.codes, library, elm, valueSets));
  const retrieved = new Set(found.keys());
  const stated = libraries.flatMap(({ dataRequirement }) => dataRequirement ?? []).filter(({ type }) => type && /^[A-Z][A-Za-z]+$/.test(type));
  for (const { type = '', codeFilter } of stated) {
    if (retrieved.has(type)) continue;
    const codes = (codeFilter ?? []).flatMap((filter) => statedCodes(filter, valueSets));
    add(type, codeFilter?.find(({ path }) => path)?.path ?? 'code', codes.length > 0 ? codes : null);
  }
  return [...found].map(([type, { codes, codePath }]) => {
    const since = oldestNeeded(stated.filter((one) => one.type === type), now);
    return { type, codePath, codes: codes === null ? null : [...codes.values()], ...(since ? { since } : {}) };
  });
}

type StatedCodeFilter = NonNullable<StatedRequirement['codeFilter']>[number];

function statedCodes(filter: StatedCodeFilter, valueSets: ExpandedValueSets): CodeToFind[] {
  return [
    ...(filter.code ?? []).flatMap(({ system, code }) => (system && code ? [{ system, code }] : [])),
    ...(filter.valueSet ? valueSets[filter.valueSet.split('|')[0] ?? ''] ?? [] : []),
  ];
}

/** Undefined unless every stated requirement of the type has a date limit. */
function oldestNeeded(stated: readonly StatedRequirement[], now: number): string | undefined {
  const starts = stated.map(({ dateFilter }) => dateFilter?.map((filter) => startOf(filter, now)).find((start) => start !== undefined));
  return starts.length > 0 && starts.every((start) => start !== undefined) ? starts.toSorted()[0] : undefined;
}

/** Days are rounded up, and one more is taken for time zones. */
const DAYS_OF_UNIT: Readonly<Record<string, number>> = { d: 1, day: 1, days: 1, wk: 7, week: 7, weeks: 7, mo: 31, month: 31, months: 31, a: 366, year: 366, years: 366 };

function startOf({ valuePeriod, valueDuration, valueDateTime }: DataRequirementDateFilter, now: number): string | undefined {
  const day = (instant: number) => new Date(instant).toISOString().slice(0, 10);
  const fixed = valuePeriod?.start ?? valueDateTime;
  if (fixed) return fixed.slice(0, 10);
  const days = DAYS_OF_UNIT[valueDuration?.code ?? valueDuration?.unit ?? ''];
  return days && valueDuration?.value ? day(now - (Math.ceil(days * valueDuration.value) + 1) * 86_400_000) : undefined;
}

/** The value sets that the ELM names: each must be known to the engine, or its retrieve throws. */
export function namedValueSets(elm: readonly ElmLibrary[]): string[] {
  return [...new Set(elm.flatMap((library) => definitions(library, 'valueSets').flatMap(({ id }) => (typeof id === 'string' ? [id.split('|')[0] ?? id] : []))))];
}

type Definition = Readonly<Record<string, unknown>>;
interface Retrieve { readonly type: string; readonly codePath: string; readonly codes: unknown }

function definitions(library: ElmLibrary, kind: 'valueSets' | 'codes' | 'codeSystems' | 'includes' | 'statements'): readonly Definition[] {
  const section = library.library[kind] as { def?: Definition[] } | undefined;
  return Array.isArray(section?.def) ? section.def : [];
}

/** Every retrieve that the wanted defines reach, through references to defines and functions of any library. */
function retrieves(elm: readonly ElmLibrary[], wanted: readonly Place[]): { library: ElmLibrary; retrieve: Retrieve }[] {
  const found: { library: ElmLibrary; retrieve: Retrieve }[] = [];
  const visited = new Set<string>();
  const waiting = wanted.flatMap((place) => elm.filter(({ library }) => library.identifier.id === place.library).map((library) => ({ library, define: place.define })));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { library, define } = next;
    const key = `${library.library.identifier.id}|${define}`;
    if (visited.has(key)) continue;
    visited.add(key);
    forEachNode(definitions(library, 'statements').filter(({ name }) => name === define), (node) => {
      const retrieve = asRetrieve(node);
      if (retrieve) found.push({ library, retrieve });
      if (/^(Expression|Function)Ref$/.test(String(node['type'])) && typeof node['name'] === 'string') {
        const home = typeof node['libraryName'] === 'string' ? includedLibrary(node['libraryName'], library, elm) : library;
        if (home) waiting.push({ library: home, define: node['name'] });
      }
    });
  }
  return found;
}

function forEachNode(node: unknown, visit: (element: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(node)) return node.forEach((child) => forEachNode(child, visit));
  if (node === null || typeof node !== 'object') return;
  visit(node as Readonly<Record<string, unknown>>);
  for (const child of Object.values(node)) forEachNode(child, visit);
}

function asRetrieve({ type, dataType, codes, codeProperty }: Readonly<Record<string, unknown>>): Retrieve | undefined {
  if (type !== 'Retrieve' || typeof dataType !== 'string') return undefined;
  return { type: dataType.replace(/^\{[^}]*\}/, ''), codes, codePath: typeof codeProperty === 'string' ? codeProperty : 'code' };
}

/** null when the codes are not a plain value set, code or list of codes: then everything of the type is read. */
function retrievedCodes(codes: unknown, library: ElmLibrary, elm: readonly ElmLibrary[], valueSets: ExpandedValueSets): CodeToFind[] | null {
  if (codes === null || typeof codes !== 'object') return null;
  const node = codes as Record<string, unknown>;
  const home = typeof node['libraryName'] === 'string' ? includedLibrary(node['libraryName'], library, elm) : library;
  const named = (kind: 'valueSets' | 'codes' | 'codeSystems' | 'statements', name: unknown) => (home ? definitions(home, kind).find((one) => one['name'] === name) : undefined);
  switch (node['type']) {
    case 'ToList':
    case 'ToConcept':
    case 'Property':
      return node['type'] === 'Property' ? retrievedCodes(node['source'], library, elm, valueSets) : retrievedCodes(node['operand'], library, elm, valueSets);
    case 'ExpandValueSet':
      return retrievedCodes(node['operand'], library, elm, valueSets);
    case 'List': {
      const parts = (Array.isArray(node['element']) ? node['element'] : []).map((part) => retrievedCodes(part, library, elm, valueSets));
      return parts.every((part) => part !== null) ? parts.flat() : null;
    }
    case 'ExpressionRef':
      return retrievedCodes(named('statements', node['name'])?.['expression'], home ?? library, elm, valueSets);
    case 'ValueSetRef': {
      const id = named('valueSets', node['name'])?.['id'];
      return typeof id === 'string' ? [...(valueSets[id.split('|')[0] ?? ''] ?? [])] : null;
    }
    case 'CodeRef': {
      const code = named('codes', node['name']);
      const reference = code?.['codeSystem'] as { name?: unknown } | undefined;
      const system = named('codeSystems', reference?.name)?.['id'];
      return typeof code?.['id'] === 'string' && typeof system === 'string' ? [{ system, code: code['id'] }] : null;
    }
    default:
      return null;
  }
}

function includedLibrary(alias: string, library: ElmLibrary, elm: readonly ElmLibrary[]): ElmLibrary | undefined {
  const path = definitions(library, 'includes').find(({ localIdentifier }) => localIdentifier === alias)?.['path'];
  return elm.find((one) => one.library.identifier.id === path);
}

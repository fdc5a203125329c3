import type { Library, ValueSet } from '@medplum/fhirtypes';
import type { ElmLibrary } from './cql/compile-cql.ts';

/** What to read of one resource type. `codes` null: all of the patient's. */
export interface DataRequirement {
  readonly type: string;
  readonly codes: readonly CodeToFind[] | null;
}

export interface CodeToFind { readonly system: string; readonly code: string }
export type ExpandedValueSets = Readonly<Record<string, readonly CodeToFind[]>>;

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
 * some leave types out.
 */
export function dataRequirements(elm: readonly ElmLibrary[], libraries: readonly Library[], valueSets: ExpandedValueSets): DataRequirement[] {
  const found = new Map<string, Map<string, CodeToFind> | null>();
  const add = (type: string, codes: readonly CodeToFind[] | null) => {
    const known = found.get(type);
    if (codes === null || known === null) found.set(type, null);
    else found.set(type, new Map([...(known ?? []), ...codes.map((code): [string, CodeToFind] => [`${code.system}|${code.code}`, code])]));
  };
  for (const library of elm) forEachRetrieve(library, (retrieve) => add(retrieve.type, retrievedCodes(retrieve.codes, library, elm, valueSets)));
  const retrieved = new Set(found.keys());
  for (const { type, codeFilter } of libraries.flatMap(({ dataRequirement }) => dataRequirement ?? [])) {
    if (!type || !/^[A-Z][A-Za-z]+$/.test(type) || retrieved.has(type)) continue;
    const codes = (codeFilter ?? []).flatMap((filter) => [
      ...(filter.code ?? []).flatMap(({ system, code }) => (system && code ? [{ system, code }] : [])),
      ...(filter.valueSet ? valueSets[filter.valueSet.split('|')[0] ?? ''] ?? [] : []),
    ]);
    add(type, codes.length > 0 ? codes : null);
  }
  return [...found].map(([type, codes]) => ({ type, codes: codes === null ? null : [...codes.values()] }));
}

/** The value sets that the ELM names: each must be known to the engine, or its retrieve throws. */
export function namedValueSets(elm: readonly ElmLibrary[]): string[] {
  return [...new Set(elm.flatMap((library) => definitions(library, 'valueSets').flatMap(({ id }) => (typeof id === 'string' ? [id.split('|')[0] ?? id] : []))))];
}

type Definition = Readonly<Record<string, unknown>>;

function definitions(library: ElmLibrary, kind: 'valueSets' | 'codes' | 'codeSystems' | 'includes' | 'statements'): readonly Definition[] {
  const section = library.library[kind] as { def?: Definition[] } | undefined;
  return Array.isArray(section?.def) ? section.def : [];
}

function forEachRetrieve(node: unknown, visit: (retrieve: { type: string; codes: unknown }) => void): void {
  if (Array.isArray(node)) return node.forEach((child) => forEachRetrieve(child, visit));
  if (node === null || typeof node !== 'object') return;
  const element = node as Record<string, unknown>;
  if (element['type'] === 'Retrieve' && typeof element['dataType'] === 'string') {
    visit({ type: element['dataType'].replace(/^\{[^}]*\}/, ''), codes: element['codes'] });
  }
  for (const child of Object.values(element)) forEachRetrieve(child, visit);
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

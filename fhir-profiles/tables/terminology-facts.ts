import type { CodeSystem, CodeSystemConcept, ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';

import type { CodeSystemFacts, ValueSetFacts } from './table-format.ts';

/** Undefined when the package holds only a part of the codes. */
export function codeSystemFacts(system: CodeSystem): CodeSystemFacts | undefined {
  if (system.url === undefined || !isComplete(system)) return undefined;
  return {
    url: system.url,
    table: 'codeSystem',
    codes: [...new Set(concepts(system).map(({ code }) => code))].toSorted(),
    ...(system.caseSensitive === false ? { caseInsensitive: true as const } : {}),
  };
}

function isComplete(system: CodeSystem): boolean {
  return system.content === 'complete' && (system.concept?.length ?? 0) > 0;
}

interface PlacedConcept {
  readonly code: string;
  readonly ancestors: ReadonlySet<string>;
  readonly properties: ReadonlyMap<string, string>;
}

/** All concepts, with ancestors from nesting and from `subsumedBy` properties. */
function concepts(system: CodeSystem): PlacedConcept[] {
  const placed = new Map<string, { ancestors: Set<string>; properties: Map<string, string> }>();
  const place = (list: readonly CodeSystemConcept[] | undefined, above: readonly string[]): void => {
    for (const concept of list ?? []) {
      const entry = placed.get(concept.code ?? '') ?? { ancestors: new Set<string>(), properties: new Map<string, string>() };
      for (const ancestor of above) entry.ancestors.add(ancestor);
      for (const property of concept.property ?? []) {
        const value = property.valueCode ?? property.valueString ?? String(property.valueBoolean ?? property.valueInteger ?? '');
        if (property.code === 'subsumedBy' || property.code === 'parent') entry.ancestors.add(value);
        else if (property.code !== undefined) entry.properties.set(property.code, value);
      }
      placed.set(concept.code ?? '', entry);
      place(concept.concept, [...above, concept.code ?? '']);
    }
  };
  place(system.concept, []);
  for (const { ancestors } of placed.values()) {
    for (const ancestor of ancestors) for (const further of placed.get(ancestor)?.ancestors ?? []) ancestors.add(further);
  }
  return [...placed].map(([code, entry]) => ({ code, ...entry }));
}

/** The part of a value set that can be known from the code systems at hand; undefined when it says nothing usable. */
export function valueSetFacts(valueSet: ValueSet, systemByUrl: ReadonlyMap<string, CodeSystem>): ValueSetFacts | undefined {
  const includes = valueSet.compose?.include;
  if (valueSet.url === undefined || !includes?.length) return undefined;
  const include: Record<string, string[] | 'all'> = {};
  const exclude: Record<string, string[] | 'all'> = {};
  const valueSets: string[] = [];
  const unknownPart = new Set<string>();
  for (const part of includes) {
    valueSets.push(...(part.valueSet ?? []));
    addPart(include, part, systemByUrl, unknownPart);
  }
  for (const part of valueSet.compose?.exclude ?? []) addPart(exclude, part, systemByUrl, unknownPart);
  return {
    url: valueSet.url,
    table: 'valueSet',
    include: sorted(include),
    ...(valueSets.length ? { includeValueSets: [...new Set(valueSets)].toSorted() } : {}),
    ...(Object.keys(exclude).length ? { exclude: sorted(exclude) } : {}),
    ...(unknownPart.size ? { unknownPart: [...unknownPart].toSorted() } : {}),
  };
}

function addPart(
  parts: Record<string, string[] | 'all'>,
  part: ValueSetComposeInclude,
  systemByUrl: ReadonlyMap<string, CodeSystem>,
  unknownPart: Set<string>,
): void {
  if (part.system === undefined) return;
  const codes = part.concept?.map(({ code }) => code ?? '') ?? filteredCodes(part, systemByUrl.get(part.system));
  if (codes === 'unknown') unknownPart.add(part.system);
  else {
    const before = parts[part.system] ?? [];
    parts[part.system] = codes === 'all' || before === 'all' ? 'all' : [...new Set([...before, ...codes])].toSorted();
  }
}

function filteredCodes({ filter }: ValueSetComposeInclude, system: CodeSystem | undefined): string[] | 'all' | 'unknown' {
  if (!filter?.length) return 'all';
  if (!system || !isComplete(system)) return 'unknown';
  let selected = concepts(system);
  for (const { op, property, value = '' } of filter) {
    switch (op) {
      case 'is-a':
        selected = selected.filter(({ code, ancestors }) => code === value || ancestors.has(value));
        break;
      case 'descendent-of':
        selected = selected.filter(({ ancestors }) => ancestors.has(value));
        break;
      case 'is-not-a':
        selected = selected.filter(({ code, ancestors }) => code !== value && !ancestors.has(value));
        break;
      case '=':
        selected = selected.filter(({ properties }) => properties.get(property ?? '') === value);
        break;
      default:
        return 'unknown';
    }
  }
  return selected.map(({ code }) => code);
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

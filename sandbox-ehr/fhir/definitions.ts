import { readFileSync } from 'node:fs';

export interface SearchParameter {
  readonly type: 'token' | 'reference' | 'date' | 'string' | 'quantity' | 'number' | 'uri';
  /** Each path is a list of steps: a field name, `?field=value` (keep where it holds) or `@Type` (keep references to that type). */
  readonly paths: readonly (readonly string[])[];
  readonly targets?: readonly string[];
  /** Indexed as the token true/false: whether the element is there and not false. */
  readonly exists?: true;
}

type Elements = Readonly<Record<string, string>>;

const read = <T>(name: string): Readonly<Record<string, T>> => JSON.parse(readFileSync(new URL(`../generated/${name}`, import.meta.url), 'utf8'));

const parametersByType = read<Readonly<Record<string, SearchParameter>>>('search-parameters.json');
const elementsByType = read<Elements>('resource-elements.json');
/** Resource type -> the search parameters that put it into a patient's compartment. */
export const patientCompartment = read<readonly string[]>('patient-compartment.json');

export const resourceTypes: readonly string[] = Object.keys(elementsByType).filter((type) => type !== 'Parameters');
const known = new Set(resourceTypes);
const merged = new Map<string, Readonly<Record<string, SearchParameter>>>();

export const isResourceType = (type: string): boolean => known.has(type);

export const elementsOf = (type: string): Elements => elementsByType[type] ?? {};

export function searchParametersOf(type: string): Readonly<Record<string, SearchParameter>> {
  let own = merged.get(type);
  if (!own) {
    own = { ...parametersByType['Resource'], ...parametersByType[type] };
    merged.set(type, own);
  }
  return own;
}

import type { Resource } from '@medplum/fhirtypes';
import type { EhrTables } from '../tables.ts';
import { type DateRange, dateRange, EARLIEST_MS, LATEST_MS } from './date-range.ts';
import { type SearchParameter, searchParametersOf } from './definitions.ts';

export type IndexRows = { [K in 'token' | 'reference' | 'date' | 'string' | 'quantity']: EhrTables[`ehr.${K}`][] };

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const emptyIndexRows = (): IndexRows => ({ token: [], reference: [], date: [], string: [], quantity: [] });

/** Letters without marks and in lower case, so that "García" is found by "garcia" (FHIR search: string). */
export const foldString = (value: string): string => value.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim();

/** Adds the rows by which the resource can be found. `fhirBase` turns absolute references to this server into relative ones. */
export function addIndexRows(rows: IndexRows, resource: Resource & { id: string }, fhirBase: string): void {
  for (const [param, definition] of Object.entries(searchParametersOf(resource.resourceType))) {
    const owner = { type: resource.resourceType, id: resource.id, param };
    if (definition.exists) {
      const present = definition.paths.some((path) => valuesAt(resource, path).some((value) => value !== false));
      rows.token.push({ ...owner, system: '', code: String(present), text: '' });
      continue;
    }
    for (const path of definition.paths) for (const value of valuesAt(resource, path)) addValue(rows, owner, definition, value, fhirBase);
  }
}

function valuesAt(resource: unknown, path: readonly string[]): unknown[] {
  let current: unknown[] = [resource];
  for (const step of path) {
    if (step.startsWith('@')) {
      current = current.filter((value) => isObject(value) && referencesType(value, step.slice(1)));
    } else if (step.startsWith('?')) {
      const [field = '', wanted] = step.slice(1).split('=');
      current = current.filter((value) => isObject(value) && value[field] === wanted);
    } else {
      current = current.flatMap((value) => (isObject(value) ? (value[step] ?? []) : []));
    }
  }
  return current;
}

function referencesType(reference: Json, type: string): boolean {
  if (reference['type'] === type) return true;
  return new RegExp(`(^|/)${type}/[^/]+(/_history/[^/]+)?$`).test(text(reference['reference']));
}

type Owner = { type: string; id: string; param: string };

function addValue(rows: IndexRows, owner: Owner, definition: SearchParameter, value: unknown, fhirBase: string): void {
  switch (definition.type) {
    case 'token':
      for (const token of tokensOf(value)) rows.token.push({ ...owner, ...token });
      break;
    case 'reference': {
      const target = typeof value === 'string' ? value : isObject(value) ? text(value['reference']) : '';
      const identifier = isObject(value) && isObject(value['identifier']) ? `${text(value['identifier']['system'])}|${text(value['identifier']['value'])}` : '';
      if ((target && !target.startsWith('#')) || identifier) rows.reference.push({ ...owner, target: localReference(target, fhirBase), identifier });
      break;
    }
    case 'date': {
      const range = rangeOf(value);
      if (range) rows.date.push({ ...owner, low_ms: range.lowMs, high_ms: range.highMs });
      break;
    }
    case 'string':
      for (const exact of stringsOf(value)) rows.string.push({ ...owner, value: foldString(exact).slice(0, 500), exact: exact.slice(0, 500) });
      break;
    case 'uri':
      if (typeof value === 'string') rows.token.push({ ...owner, system: '', code: value, text: '' });
      break;
    case 'number':
      if (typeof value === 'number') rows.quantity.push({ ...owner, value, system: '', code: '', unit: '' });
      break;
    case 'quantity':
      if (isObject(value) && typeof value['value'] === 'number') {
        rows.quantity.push({ ...owner, value: value['value'], system: text(value['system']), code: text(value['code'] ?? value['currency']), unit: text(value['unit']) });
      }
  }
}

/** Relative form "Type/id" of a reference to this server; others as they are. A version is dropped. */
export function localReference(reference: string, fhirBase: string): string {
  const local = reference.startsWith(`${fhirBase}/`) ? reference.slice(fhirBase.length + 1) : reference;
  return local.replace(/\/_history\/[^/]+$/, '');
}

type Token = { system: string; code: string; text: string };

function tokensOf(value: unknown): Token[] {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return [{ system: '', code: String(value), text: '' }];
  if (!isObject(value)) return [];
  const label = foldString(text(value['display'] ?? value['text']));
  if (Array.isArray(value['coding'])) {
    const codings = value['coding'].flatMap(tokensOf);
    return label ? [...codings, { system: '', code: '', text: label }] : codings;
  }
  // Codes with stray spaces occur in real records; they are found without them.
  if (typeof value['code'] === 'string') return [{ system: text(value['system']), code: value['code'].trim(), text: label }];
  if (typeof value['value'] === 'string') return [{ system: text(value['system']), code: value['value'].trim(), text: isObject(value['type']) ? foldString(text(value['type']['text'])) : '' }];
  return label ? [{ system: '', code: '', text: label }] : [];
}

function rangeOf(value: unknown): DateRange | undefined {
  if (typeof value === 'string') return dateRange(value);
  if (!isObject(value)) return undefined;
  if (Array.isArray(value['event'])) return span(value['event'].map(rangeOf));
  if (isObject(value['repeat'])) return rangeOf(value['repeat']['boundsPeriod']);
  const start = dateRange(text(value['start']));
  const end = dateRange(text(value['end']));
  return start || end ? { lowMs: start?.lowMs ?? EARLIEST_MS, highMs: end?.highMs ?? LATEST_MS } : undefined;
}

function span(ranges: readonly (DateRange | undefined)[]): DateRange | undefined {
  const known = ranges.filter((range) => range !== undefined);
  return known.length === 0 ? undefined : { lowMs: Math.min(...known.map((r) => r.lowMs)), highMs: Math.max(...known.map((r) => r.highMs)) };
}

const STRING_PARTS = ['text', 'family', 'given', 'prefix', 'suffix', 'line', 'city', 'district', 'state', 'postalCode', 'country'];

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (!isObject(value)) return [];
  return STRING_PARTS.flatMap((part) => value[part] ?? []).filter((part): part is string => typeof part === 'string');
}

import { isStorable } from '#store/storable-text.ts';
import { FhirRefusal } from '../errors.ts';
import { isResourceType, type SearchParameter, searchParametersOf } from './definitions.ts';

/** One `name:modifier=a,b` of a search; values are alternatives, several filters must all hold. */
export interface Filter {
  readonly param: string;
  readonly definition: SearchParameter | 'id' | 'lastUpdated';
  readonly modifier: string | undefined;
  readonly values: readonly string[];
}

export type Criterion =
  | { readonly kind: 'filter'; readonly filter: Filter }
  /** `patient.name=x`: resources whose reference leads to one that matches. */
  | { readonly kind: 'chain'; readonly param: string; readonly targetTypes: readonly string[]; readonly filters: ReadonlyMap<string, Filter> }
  /** `_has:Condition:patient:code=x`: resources that such a one refers to. */
  | { readonly kind: 'has'; readonly type: string; readonly param: string; readonly filter: Filter };

export interface Include {
  readonly sourceType: string;
  readonly param: string;
  readonly targetType: string | undefined;
  readonly iterate: boolean;
  readonly reverse: boolean;
}

export interface SearchQuery {
  readonly type: string;
  readonly criteria: readonly Criterion[];
  readonly includes: readonly Include[];
  readonly sort: readonly { readonly param: string; readonly definition: SearchParameter | 'id' | 'lastUpdated'; readonly descending: boolean }[];
  readonly count: number;
  readonly offset: number;
  readonly countOnly: boolean;
  /** The parameters that were understood, for the self link. */
  readonly used: readonly (readonly [string, string])[];
}

const DEFAULT_COUNT = 50;
const MAX_COUNT = 1000;
/** Each filter, include and sort key is a piece of SQL or a query of its own. */
const MOST_PARTS = 40;
const IGNORED = new Set(['_format', '_pretty', '_total', '_summary', '_elements', '_contained']);

/** Reads `type?…`. An unknown filter is refused, or with `lenient` left out; an unknown _include is always left out. */
export function parseSearch(type: string, parameters: Iterable<readonly [string, string]>, lenient: boolean): SearchQuery {
  const criteria: Criterion[] = [];
  const includes: Include[] = [];
  const used: (readonly [string, string])[] = [];
  let sort: SearchQuery['sort'] = [];
  let count = DEFAULT_COUNT;
  let offset = 0;
  let countOnly = false;
  for (const [name, value] of parameters) {
    if (!isStorable(value)) throw new FhirRefusal(400, 'value', 'A search value must be well-formed Unicode without the character U+0000.');
    if (/^_(rev)?include(:iterate|:recurse)?$/.test(name)) {
      const include = parseInclude(name, value);
      if (include) {
        includes.push(include);
        used.push([name, value]);
      }
      continue;
    }
    if (name === '_count') count = Math.min(wholeNumber(name, value), MAX_COUNT);
    else if (name === '_offset') offset = wholeNumber(name, value);
    else if (name === '_sort') sort = parseSort(type, value, lenient);
    else if (name === '_summary' && value === 'count') countOnly = true;
    else if (!IGNORED.has(name)) {
      const criterion = parseCriterion(type, name, value);
      if (criterion) criteria.push(criterion);
      else if (lenient) continue;
      else throw new FhirRefusal(400, 'not-supported', `${type} has no search parameter "${name.slice(0, 60)}".`);
    }
    if (name !== '_offset') used.push([name, value]);
  }
  if (criteria.length + includes.length + sort.length > MOST_PARTS) throw new FhirRefusal(400, 'too-costly', `A search may have ${MOST_PARTS} filters, includes and sort keys at most.`);
  return { type, criteria, includes, sort, count, offset, countOnly: countOnly || count === 0, used };
}

function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,7}$/.test(value)) throw new FhirRefusal(400, 'value', `${name} must be a whole number.`);
  return Number(value);
}

function parseSort(type: string, value: string, lenient: boolean): SearchQuery['sort'] {
  return value.split(',').flatMap((part) => {
    const descending = part.startsWith('-');
    const param = descending ? part.slice(1) : part;
    const definition = definitionOf(type, param);
    if (definition) return [{ param, definition, descending }];
    if (lenient) return [];
    throw new FhirRefusal(400, 'not-supported', `${type} cannot be sorted by "${param.slice(0, 60)}".`);
  });
}

function definitionOf(type: string, param: string): SearchParameter | 'id' | 'lastUpdated' | undefined {
  if (param === '_id') return 'id';
  if (param === '_lastUpdated') return 'lastUpdated';
  const own = searchParametersOf(type);
  return Object.hasOwn(own, param) ? own[param] : undefined;
}

function parseCriterion(type: string, name: string, value: string): Criterion | undefined {
  if (name.startsWith('_has:')) {
    const [, hasType = '', param = '', inner = '', modifier] = name.split(':');
    if (!isResourceType(hasType) || searchParametersOf(hasType)[param]?.type !== 'reference') return undefined;
    const filter = parseFilter(hasType, modifier ? `${inner}:${modifier}` : inner, value);
    return filter && { kind: 'has', type: hasType, param, filter };
  }
  const dot = name.indexOf('.');
  if (dot > 0) {
    const [param = '', onlyType] = name.slice(0, dot).split(':');
    const definition = searchParametersOf(type)[param];
    if (definition?.type !== 'reference') return undefined;
    const targets = onlyType ? [onlyType] : (definition.targets ?? []);
    const filters = new Map<string, Filter>();
    for (const target of targets.filter(isResourceType)) {
      const filter = parseFilter(target, name.slice(dot + 1), value);
      if (filter) filters.set(target, filter);
    }
    return filters.size > 0 ? { kind: 'chain', param, targetTypes: [...filters.keys()], filters } : undefined;
  }
  const filter = parseFilter(type, name, value);
  return filter && { kind: 'filter', filter };
}

const MODIFIERS: Readonly<Record<string, readonly string[]>> = {
  token: ['not', 'text', 'missing'],
  string: ['exact', 'contains', 'missing'],
  reference: ['identifier', 'missing'],
  date: ['missing'],
  quantity: ['missing'],
  number: ['missing'],
  uri: ['below', 'missing'],
};

function parseFilter(type: string, name: string, value: string): Filter | undefined {
  const [param = '', modifier, ...more] = name.split(':');
  const definition = definitionOf(type, param);
  if (!definition || more.length > 0) return undefined;
  if (modifier !== undefined) {
    const allowed = typeof definition === 'string' ? [] : (MODIFIERS[definition.type] ?? []);
    const asType = typeof definition !== 'string' && definition.type === 'reference' && isResourceType(modifier);
    if (!allowed.includes(modifier) && !asType) throw new FhirRefusal(400, 'not-supported', `The modifier ":${modifier.slice(0, 30)}" is not supported for "${param}".`);
    if (modifier === 'missing' && value !== 'true' && value !== 'false') throw new FhirRefusal(400, 'value', ':missing takes true or false.');
  }
  const values = splitUnescaped(value, ',').filter((one) => one !== '');
  if (values.length === 0) throw new FhirRefusal(400, 'value', `The search parameter "${param}" has no value.`);
  return { param, definition, modifier, values };
}

/** Splits at the separator unless a backslash stands before it; escapes stay for the next split. */
export function splitUnescaped(text: string, separator: ',' | '|' | '$'): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === separator) {
      parts.push(part);
      part = '';
    } else if (text[at] === '\\' && at + 1 < text.length) {
      part += `\\${text[at + 1]}`;
      at += 1;
    } else part += text[at];
  }
  return [...parts, part];
}

export const unescapeSearch = (text: string): string => text.replace(/\\(.)/g, '$1');

function parseInclude(name: string, value: string): Include | undefined {
  const [sourceType = '', param = '', targetType] = value.split(':');
  const iterate = /:(iterate|recurse)$/.test(name);
  const reverse = name.startsWith('_revinclude');
  if (!isResourceType(sourceType)) return undefined;
  if (param !== '*' && searchParametersOf(sourceType)[param]?.type !== 'reference') return undefined;
  return { sourceType, param, targetType, iterate, reverse };
}

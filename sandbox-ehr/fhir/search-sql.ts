import { type RawBuilder, sql } from 'kysely';
import { FhirRefusal } from '../errors.ts';
import { dateRange } from './date-range.ts';
import type { SearchParameter } from './definitions.ts';
import { foldString, localReference } from './index-rows.ts';
import { type Criterion, type Filter, type SearchQuery, splitUnescaped, unescapeSearch } from './search-query.ts';
import { isFhirId } from './structure.ts';

type Condition = RawBuilder<boolean>;
type TableName = 'token' | 'reference' | 'date' | 'string' | 'quantity';

const TABLE_OF: Readonly<Record<SearchParameter['type'], TableName>> = {
  token: 'token', uri: 'token', reference: 'reference', date: 'date', string: 'string', quantity: 'quantity', number: 'quantity',
};
const all = (conditions: readonly Condition[]): Condition => (conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`(${sql.join(conditions, sql` and `)})`);
const any = (conditions: readonly Condition[]): Condition => sql<boolean>`(${sql.join(conditions, sql` or `)})`;

/** The condition that rows of ehr.resource, named by `r`, must fulfil. */
export function whereOf(query: Pick<SearchQuery, 'type' | 'criteria'>, fhirBase: string): Condition {
  const row = sql.ref('r');
  return all([sql<boolean>`r.type = ${query.type}`, sql<boolean>`not r.deleted`, ...query.criteria.map((one) => criterionSql(query.type, one, row, fhirBase))]);
}

function criterionSql(type: string, criterion: Criterion, row: RawBuilder<unknown>, fhirBase: string): Condition {
  switch (criterion.kind) {
    case 'filter':
      return filterSql(type, criterion.filter, row, fhirBase);
    case 'chain': {
      const inner = [...criterion.filters].map(([target, filter]) => {
        const found = sql<boolean>`t.type = ${target} and not t.deleted and ${filterSql(target, filter, sql.ref('t'), fhirBase)}`;
        return sql<boolean>`c.target in (select t.type || '/' || t.id from ehr.resource t where ${found})`;
      });
      return sql<boolean>`${row}.id in (select c.id from ehr.reference c where c.type = ${type} and c.param = ${criterion.param} and ${any(inner)})`;
    }
    case 'has': {
      const found = sql<boolean>`t.type = ${criterion.type} and not t.deleted and ${filterSql(criterion.type, criterion.filter, sql.ref('t'), fhirBase)}`;
      return sql<boolean>`(${type + '/'} || ${row}.id) in (
        select c.target from ehr.reference c where c.type = ${criterion.type} and c.param = ${criterion.param} and c.id in (select t.id from ehr.resource t where ${found}))`;
    }
  }
}

function filterSql(type: string, filter: Filter, row: RawBuilder<unknown>, fhirBase: string): Condition {
  const { definition, param, modifier, values } = filter;
  if (definition === 'id') return sql<boolean>`${row}.id in (${sql.join(values.map(unescapeSearch))})`;
  if (definition === 'lastUpdated') {
    const updated = sql`${row}.updated_ms`;
    return any(values.map((value) => dateSql(value, updated, updated)));
  }
  const table = sql.table(`ehr.${TABLE_OF[definition.type]}`);
  const rowsOfParam = (condition: Condition): Condition =>
    sql<boolean>`${row}.id in (select x.id from ${table} x where x.type = ${type} and x.param = ${param} and ${condition})`;
  if (modifier === 'missing') {
    const present = rowsOfParam(sql<boolean>`true`);
    return values[0] === 'true' ? sql<boolean>`not ${present}` : present;
  }
  const condition = any(values.map((value) => valueSql(definition, modifier, value, fhirBase)));
  return modifier === 'not' ? sql<boolean>`not ${rowsOfParam(condition)}` : rowsOfParam(condition);
}

function valueSql(definition: SearchParameter, modifier: string | undefined, value: string, fhirBase: string): Condition {
  switch (definition.type) {
    case 'token':
      return tokenSql(modifier, value);
    case 'uri':
      return modifier === 'below' ? sql<boolean>`x.code like ${likePrefix(unescapeSearch(value))}` : sql<boolean>`x.code = ${unescapeSearch(value)}`;
    case 'string':
      return stringSql(modifier, unescapeSearch(value));
    case 'date':
      return dateSql(value, sql.ref('x.low_ms'), sql.ref('x.high_ms'));
    case 'reference':
      return referenceSql(definition, modifier, unescapeSearch(value), fhirBase);
    case 'quantity':
    case 'number':
      return quantitySql(value);
  }
}

function tokenSql(modifier: string | undefined, value: string): Condition {
  if (modifier === 'text') return sql<boolean>`x.text like ${`%${likeText(foldString(unescapeSearch(value)))}%`}`;
  const parts = splitUnescaped(value, '|').map(unescapeSearch);
  if (parts.length === 1) return sql<boolean>`x.code = ${parts[0] ?? ''}`;
  const [system = '', code = ''] = parts;
  if (code === '') return sql<boolean>`x.system = ${system}`;
  return sql<boolean>`(x.code = ${code} and x.system = ${system})`;
}

const likeText = (text: string): string => text.replace(/[\\%_]/g, '\\$&');
const likePrefix = (text: string): string => `${likeText(text)}%`;

function stringSql(modifier: string | undefined, value: string): Condition {
  if (modifier === 'exact') return sql<boolean>`x.exact = ${value}`;
  const folded = foldString(value);
  return sql<boolean>`x.value like ${modifier === 'contains' ? `%${likeText(folded)}%` : likePrefix(folded)}`;
}

type DateComparison = (low: RawBuilder<unknown>, high: RawBuilder<unknown>, lowMs: number, highMs: number) => Condition;

/** FHIR search, Prefixes: comparisons of the searched range with the resource's range. */
const DATE_PREFIXES: Readonly<Record<string, DateComparison>> = {
  eq: (low, high, lowMs, highMs) => sql<boolean>`(${low} >= ${lowMs} and ${high} <= ${highMs} and ${low} < ${highMs})`,
  ne: (low, high, lowMs, highMs) => sql<boolean>`not (${low} >= ${lowMs} and ${high} <= ${highMs} and ${low} < ${highMs})`,
  gt: (_low, high, _lowMs, highMs) => sql<boolean>`${high} > ${highMs}`,
  ge: (low, high, lowMs, highMs) => sql<boolean>`(${high} > ${highMs} or ${low} >= ${lowMs})`,
  lt: (low, _high, lowMs) => sql<boolean>`${low} < ${lowMs}`,
  le: (low, high, lowMs, highMs) => sql<boolean>`(${low} < ${lowMs} or ${high} <= ${highMs})`,
  sa: (low, _high, _lowMs, highMs) => sql<boolean>`${low} >= ${highMs}`,
  eb: (_low, high, lowMs) => sql<boolean>`${high} <= ${lowMs}`,
};

function dateSql(value: string, low: RawBuilder<unknown>, high: RawBuilder<unknown>): Condition {
  const prefix = /^[a-z]{2}/.exec(value)?.[0];
  const range = dateRange(prefix ? value.slice(2) : value);
  const comparison = DATE_PREFIXES[prefix ?? 'eq'];
  if (!range || !comparison) throw new FhirRefusal(400, 'value', 'A date in the search is not valid. Use YYYY, YYYY-MM, YYYY-MM-DD or a full time, with eq, ne, gt, ge, lt, le, sa or eb before it.');
  return comparison(low, high, range.lowMs, range.highMs);
}

function referenceSql(definition: SearchParameter, modifier: string | undefined, value: string, fhirBase: string): Condition {
  if (modifier === 'identifier') {
    const [system, code] = value.includes('|') ? value.split('|') : [undefined, value];
    return system === undefined ? sql<boolean>`x.identifier like ${`%|${likeText(code ?? '')}`}` : sql<boolean>`x.identifier = ${value}`;
  }
  const target = localReference(value, fhirBase);
  if (target.includes('/') || target.includes(':') || !isFhirId(target)) {
    return modifier && !target.startsWith(`${modifier}/`) ? sql<boolean>`false` : sql<boolean>`x.target = ${target}`;
  }
  const types = modifier ? [modifier] : (definition.targets ?? []);
  return types.length > 0 ? sql<boolean>`x.target in (${sql.join(types.map((type) => `${type}/${target}`))})` : sql<boolean>`x.target like ${`%/${likeText(target)}`}`;
}

function quantitySql(value: string): Condition {
  const match = /^(eq|ne|gt|ge|lt|le|sa|eb|ap)?([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?:\|(.*))?$/.exec(value);
  const number = Number(match?.[2]);
  if (!match || !Number.isFinite(number)) throw new FhirRefusal(400, 'value', 'A number in the search is not valid.');
  const [, prefix = 'eq', digits = '', unitText] = match;
  // FHIR search, number: "100" covers [99.5, 100.5), "100.00" covers [99.995, 100.005).
  const decimals = (digits.split(/[eE]/)[0]?.split('.')[1] ?? '').length;
  const half = prefix === 'ap' ? Math.abs(number) * 0.1 : 0.5 * 10 ** (Number(digits.split(/[eE]/)[1] ?? 0) - decimals);
  const near = sql<boolean>`(x.value >= ${number - half} and x.value < ${number + half})`;
  const comparisons: Readonly<Record<string, Condition>> = {
    eq: near, ap: near, ne: sql<boolean>`not ${near}`,
    gt: sql<boolean>`x.value > ${number}`, sa: sql<boolean>`x.value > ${number}`, ge: sql<boolean>`x.value >= ${number}`,
    lt: sql<boolean>`x.value < ${number}`, eb: sql<boolean>`x.value < ${number}`, le: sql<boolean>`x.value <= ${number}`,
  };
  const compared = comparisons[prefix] ?? near;
  if (!unitText) return compared;
  const [system = '', code = ''] = splitUnescaped(unitText, '|').map(unescapeSearch);
  const unit = system ? sql<boolean>`(x.system = ${system} and x.code = ${code})` : sql<boolean>`(x.code = ${code} or x.unit = ${code})`;
  return sql<boolean>`(${compared} and ${unit})`;
}

const SORT_COLUMN: Readonly<Record<TableName, string>> = { token: 'code', reference: 'target', date: 'low_ms', string: 'value', quantity: 'value' };

export function orderOf(query: SearchQuery): RawBuilder<unknown> {
  const keys = query.sort.map(({ param, definition, descending }) => {
    const direction = descending ? sql`desc nulls last` : sql`asc nulls last`;
    if (definition === 'id') return sql`r.id ${direction}`;
    if (definition === 'lastUpdated') return sql`r.updated_ms ${direction}`;
    const table = TABLE_OF[definition.type];
    const column = sql.ref(`k.${SORT_COLUMN[table]}`);
    const pick = descending ? sql`max(${column})` : sql`min(${column})`;
    return sql`(select ${pick} from ${sql.table(`ehr.${table}`)} k where k.type = r.type and k.id = r.id and k.param = ${param}) ${direction}`;
  });
  return sql.join([...keys, sql`r.id`]);
}

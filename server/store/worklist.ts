import { type SelectQueryBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { HandOver, Person } from '#prior-auth/panel-api.ts';
import type { WhoMustAct, WorklistQuery } from '#prior-auth/worklist-api.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { CaseTables } from './case-tables.ts';
import { wordsOf } from './worklist-row.ts';

export interface ListedCase {
  readonly case: PriorAuthCase;
  readonly mustAct: WhoMustAct;
  readonly nextTouch: string | null;
  readonly assignedTo: Person | null;
  readonly handOver: HandOver | null;
  /** Units used, by item sequence. */
  readonly used: Readonly<Record<string, number>>;
  /** Name of who ordered, where it is known. */
  readonly requesterName: string | null;
}

export interface WorklistSlice {
  readonly cases: readonly ListedCase[];
  readonly next: string | null;
}

/** What the reading needs beside the filters. */
export interface WorklistScope {
  readonly ehrBase: string;
  readonly nowMs: number;
}

const PAGE_SIZE = 50;
/** Counting stops here: nobody reads further, and it costs the same however many there are. */
const COUNTED_UP_TO = 1000;

const day = z.iso.date();
const instant = z.union([z.literal('infinity'), z.iso.datetime()]);
/** Where a page ends, by order; a place of one order is none in another. */
const PLACES = {
  clock: z.tuple([z.literal('clock'), z.literal([0, 1]), instant, z.uuid()]),
  updated: z.tuple([z.literal('updated'), instant, z.uuid()]),
  touch: z.tuple([z.literal('touch'), day, z.uuid()]),
  ends: z.tuple([z.literal('ends'), day, z.uuid()]),
} as const;
const COLUMNS = { clock: ['attention', 'due', 'case_id'], updated: ['updated_at', 'case_id'], touch: ['next_touch', 'case_id'], ends: ['valid_until', 'case_id'] } as const;
const TYPES = { attention: 'smallint', due: 'timestamptz', updated_at: 'timestamptz', next_touch: 'date', valid_until: 'date', case_id: 'uuid' } as const;

/** One page of one EHR's cases. Throws REQUEST_INVALID for a foreign cursor. */
export async function readWorklist(store: Store, scope: WorklistScope, query: WorklistQuery, after?: string, pageSize = PAGE_SIZE): Promise<WorklistSlice> {
  const { sort } = query;
  const columns = COLUMNS[sort];
  const direction = sort === 'updated' ? 'desc' : 'asc';
  let page = fitting(store, scope, query).select(['case_id', 'attention', 'must_act', 'assigned_to', 'assigned_name', 'updated_at', 'due', sql<string | null>`next_touch::text`.as('touch_on'), sql<string | null>`valid_until::text`.as('ends_on')]);
  if (sort === 'touch') page = page.where('next_touch', 'is not', null);
  if (sort === 'ends') page = page.where('valid_until', 'is not', null);
  if (after !== undefined) {
    const place = readPlace(sort, after);
    const left = sql.join(columns.map((column) => sql.ref(column)));
    const right = sql.join(columns.map((column, index) => sql`${place[index + 1]}::${sql.raw(TYPES[column])}`));
    page = page.where(sql<boolean>`(${left}) ${sql.raw(direction === 'asc' ? '>' : '<')} (${right})`);
  }
  for (const column of columns) page = page.orderBy(column, direction);
  const lines = await page.limit(pageSize + 1).execute();
  const shown = lines.slice(0, pageSize);
  const last = lines.length > pageSize ? shown.at(-1) : undefined;
  const ids = shown.map((line) => line.case_id);
  const found = await sql<{ id: string; document: PriorAuthCase; hand_over: HandOver | null; name: string | null; used: ListedCase['used'] | null }>`
    select one.id, one.document, handed.document as hand_over, person.name, ${usedOf('one.id')} as used
    from cases.prior_auth_case as one
    left join cases.hand_over as handed on handed.case_id = one.id and handed.status in ('requested', 'in-progress')
    left join cases.person as person on person.ehr_base = one.ehr_base and person.reference = one.document->>'requester'
    where one.id = any (${ids}::uuid[])`.execute(store.db);
  const byId = new Map(found.rows.map((one) => [one.id, one]));
  return {
    cases: shown.flatMap((line): ListedCase[] => {
      const one = byId.get(line.case_id);
      if (!one) return [];
      return [{
        case: one.document,
        mustAct: line.must_act,
        nextTouch: line.touch_on,
        assignedTo: assignedTo(line),
        handOver: one.hand_over,
        used: one.used ?? {},
        requesterName: one.name,
      }];
    }),
    next: last ? writePlace(sort, { ...last, due: last.due instanceof Date ? last.due.toISOString() : 'infinity', updated_at: last.updated_at.toISOString(), next_touch: last.touch_on, valid_until: last.ends_on }) : null,
  };
}

/** What the list knows of one case beside the case itself. */
export async function readLine(store: Store, caseId: string): Promise<Omit<ListedCase, 'case' | 'requesterName'>> {
  const { rows: [line] } = await sql<Pick<Line, 'must_act' | 'next_touch' | 'assigned_to' | 'assigned_name'> & { hand_over: HandOver | null; used: ListedCase['used'] | null }>`
    select ${usedOf('line.case_id')} as used, line.must_act, line.next_touch::text, line.assigned_to, line.assigned_name, handed.document as hand_over
    from cases.worklist_row as line left join cases.hand_over as handed on handed.case_id = line.case_id
    where line.case_id = ${caseId}`.execute(store.db);
  if (!line) throw new PriorAuthError('CASE_NOT_FOUND', `There is no case ${caseId} in the list.`, { nextStep: 'Go back to the list of cases.' });
  return { mustAct: line.must_act, nextTouch: line.next_touch, assignedTo: assignedTo(line), handOver: line.hand_over, used: line.used ?? {} };
}

function usedOf(caseId: string) {
  return sql`(select jsonb_object_agg(sequence, total) from (select sequence, sum(quantity)::float8 as total from cases.authorization_use as use where use.case_id = ${sql.ref(caseId)} group by sequence) as used_units)`;
}

interface Line {
  readonly must_act: WhoMustAct;
  readonly next_touch: string | null;
  readonly assigned_to: string | null;
  readonly assigned_name: string | null;
}

function assignedTo(line: Pick<Line, 'assigned_to' | 'assigned_name'>): Person | null {
  return line.assigned_to === null ? null : { reference: line.assigned_to, name: line.assigned_name ?? line.assigned_to };
}

/** How many cases fit, up to a thousand. */
export async function countWorklist(store: Store, scope: WorklistScope, query: WorklistQuery): Promise<{ readonly count: number; readonly more: boolean }> {
  let some = fitting(store, scope, query).select(sql<number>`1`.as('one'));
  if (query.sort === 'touch') some = some.where('next_touch', 'is not', null);
  if (query.sort === 'ends') some = some.where('valid_until', 'is not', null);
  const { rows: [counted] } = await sql<{ count: number }>`select count(*)::int as count from ${some.limit(COUNTED_UP_TO + 1)} as fitting`.execute(store.db);
  const count = counted?.count ?? 0;
  return { count: Math.min(count, COUNTED_UP_TO), more: count > COUNTED_UP_TO };
}

type Fitting = SelectQueryBuilder<AnyDatabase & CaseTables, 'cases.worklist_row', object>;

function fitting(store: Store, { ehrBase, nowMs }: WorklistScope, query: WorklistQuery): Fitting {
  let rows: Fitting = store.db.withTables<CaseTables>().selectFrom('cases.worklist_row').where('ehr_base', '=', ehrBase);
  if (query.state) rows = rows.where('state', '=', query.state);
  if (query.payer) rows = rows.where('payer_id', '=', query.payer);
  if (query.requester) rows = rows.where('requester', '=', query.requester);
  if (query.service) rows = rows.where('service_code', '=', query.service);
  if (query.clock) rows = rows.where('clock_kind', '=', query.clock);
  if (query.overdue) rows = rows.where('due', '<', new Date(nowMs));
  if (query.mustAct) rows = rows.where('must_act', '=', query.mustAct);
  if (query.wantsMore) rows = rows.where('attention', '=', 0);
  if (query.handedOver) rows = rows.where(sql<boolean>`case_id = any (array(select case_id from cases.hand_over where status in ('requested', 'in-progress')))`);
  if (query.touchDue) rows = rows.where(sql<boolean>`next_touch <= ${query.touchDue}::date`);
  if (query.assigned === 'nobody') rows = rows.where('assigned_to', 'is', null);
  else if (query.assigned) rows = rows.where('assigned_to', '=', query.assigned);
  if (query.endsBy === 'any') rows = rows.where('valid_until', 'is not', null);
  else if (query.endsBy) rows = rows.where(sql<boolean>`valid_until <= ${query.endsBy}::date`);
  if (query.q) {
    const words = wordsOf(query.q);
    // Letters and digits alone, each in quotes: nothing of the search is an operator.
    rows = words.length === 0 ? rows.where(sql<boolean>`false`) : rows.where(sql<boolean>`words @@ ${words.map((word) => `'${word}':*`).join(' & ')}::tsquery`);
  }
  return rows;
}

function writePlace(sort: keyof typeof COLUMNS, line: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify([sort, ...COLUMNS[sort].map((column) => line[column])])).toString('base64url');
}

function readPlace(sort: keyof typeof COLUMNS, text: string): readonly (string | number)[] {
  try {
    return PLACES[sort].parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new PriorAuthError('REQUEST_INVALID', 'after: not a place in this list.', { cause, nextStep: 'Load the list from its beginning.' });
  }
}

import { sql } from 'kysely';
import { z } from 'zod';
import { CASE_STEPS, type CaseStateKind, type PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { HandOver } from '#prior-auth/panel-api.ts';
import type { Store } from '#store/database.ts';
import { isStorable } from '#store/storable-text.ts';
import type { CaseTables } from './case-tables.ts';

export const worklistQuery = z.object({
  state: z.custom<CaseStateKind>((value) => typeof value === 'string' && Object.hasOwn(CASE_STEPS, value), 'not a state of a case').optional(),
  q: z.string().max(100).refine(isStorable, 'must be well-formed Unicode without U+0000').optional(),
  sort: z.enum(['updated', 'clock']).default('updated'),
  handedOver: z.literal('true').optional(),
  after: z.string().max(200).optional(),
});
export type WorklistQuery = z.infer<typeof worklistQuery>;

export interface WorklistSlice {
  readonly cases: readonly PriorAuthCase[];
  readonly next: string | null;
  readonly counts: Readonly<Partial<Record<CaseStateKind, number>>>;
  readonly handedOver: number;
  /** By case id. */
  readonly handOvers: ReadonlyMap<string, HandOver>;
}

const PAGE_SIZE = 50;
const cursor = z.tuple([z.union([z.literal('infinity'), z.iso.datetime()]), z.uuid()]);

/** One page of one EHR's cases: newest change first, or the clock that ends first. The counts hold for the search, whatever the state filter. Throws REQUEST_INVALID for a foreign cursor. */
export async function readWorklist(store: Store, ehrBase: string, { state, q, sort, handedOver, after }: WorklistQuery): Promise<WorklistSlice> {
  const db = store.db.withTables<CaseTables>();
  let matching = db.selectFrom('cases.prior_auth_case').where('ehr_base', '=', ehrBase);
  for (const word of (q ?? '').toLowerCase().split(/\s+/).filter(Boolean)) {
    matching = matching.where('search_text', 'like', `%${word.replace(/[\\%_]/g, '\\$&')}%`);
  }
  const counted = await matching.select(['state', sql<number>`count(*)::int`.as('count')]).groupBy('state').execute();

  const inOtherHands = sql<boolean>`id in (select case_id from cases.hand_over where status in ('requested', 'in-progress'))`;
  const handed = await matching.select(sql<number>`count(*)::int`.as('count')).where(inOtherHands).executeTakeFirstOrThrow();

  const sortKey = sort === 'updated' ? sql<Date>`updated_at` : sql<Date>`coalesce(clock_due, 'infinity'::timestamptz)`;
  let page = matching.select(['id', 'document', 'clock_due', 'updated_at']);
  if (state) page = page.where('state', '=', state);
  if (handedOver) page = page.where(inOtherHands);
  if (after !== undefined) {
    const [key, id] = readCursor(after);
    page = page.where(sql<boolean>`(${sortKey}, id) ${sql.raw(sort === 'updated' ? '<' : '>')} (${key}::timestamptz, ${id}::uuid)`);
  }
  const direction = sort === 'updated' ? 'desc' : 'asc';
  const rows = await page.orderBy(sortKey, direction).orderBy('id', direction).limit(PAGE_SIZE + 1).execute();
  const ids = rows.map(({ id }) => id);
  const handOvers = ids.length === 0 ? [] : await db.selectFrom('cases.hand_over').select(['case_id', 'document']).where('case_id', 'in', ids).where('status', 'in', ['requested', 'in-progress']).execute();
  const last = rows.length > PAGE_SIZE ? rows[PAGE_SIZE - 1] : undefined;
  const keyOf = (row: (typeof rows)[number]) => (sort === 'updated' ? row.updated_at : row.clock_due)?.toISOString() ?? 'infinity';
  return {
    cases: rows.slice(0, PAGE_SIZE).map((row) => row.document),
    next: last ? Buffer.from(JSON.stringify([keyOf(last), last.id])).toString('base64url') : null,
    counts: Object.fromEntries(counted.map((row) => [row.state, row.count])),
    handedOver: handed.count,
    handOvers: new Map(handOvers.map(({ case_id: caseId, document }) => [caseId, document])),
  };
}

function readCursor(text: string): z.infer<typeof cursor> {
  const decoded = Buffer.from(text, 'base64url').toString('utf8');
  try {
    return cursor.parse(JSON.parse(decoded));
  } catch (cause) {
    throw new PriorAuthError('REQUEST_INVALID', 'after: not a place in this list.', { cause, nextStep: 'Load the list from its beginning.' });
  }
}

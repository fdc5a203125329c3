import { sql } from 'kysely';
import type { CaseStateKind } from '#prior-auth/case.ts';
import type { WhoMustAct, WorklistCounts } from '#prior-auth/worklist-api.ts';
import type { Store } from '#store/database.ts';

/** More choices than this are no help in a list. */
const MOST_CHOICES = 60;
/** Counting that takes longer is not done for every reader. */
const QUICK_MS = 15;
/** A count is used for this many times what it took, five seconds at least. */
const REST = 50;
const SHORTEST_REST_MS = 5_000;

interface Counted {
  readonly counts: WorklistCounts;
  readonly tookMs: number;
  readonly countedMs: number;
}

/** The counts beside the filters. With few cases they are of this moment; with very many they are kept a while, and say of when they are. */
export function createWorklistCounts(store: Store, now: () => number, payerName: (payerId: string) => string): (ehrBase: string) => Promise<WorklistCounts> {
  const known = new Map<string, Counted>();
  const running = new Map<string, Promise<Counted>>();
  const countOnce = (ehrBase: string): Promise<Counted> => {
    const started = running.get(ehrBase) ?? count(store, ehrBase, now, payerName).finally(() => running.delete(ehrBase));
    running.set(ehrBase, started);
    return started;
  };
  return async (ehrBase) => {
    const last = known.get(ehrBase);
    if (last && last.tookMs > QUICK_MS) {
      if (performance.now() - last.countedMs > Math.max(SHORTEST_REST_MS, last.tookMs * REST) && !running.has(ehrBase)) {
        // Who asks now need not wait; a count that fails is done again for the next one, who hears of it.
        countOnce(ehrBase).then((counted) => known.set(ehrBase, counted), () => known.delete(ehrBase));
      }
      return last.counts;
    }
    const counted = await countOnce(ehrBase);
    known.set(ehrBase, counted);
    return counted.counts;
  };
}

type Group = { group: number; value: string | null; name: string | null; count: number; overdue: number };

async function count(store: Store, ehrBase: string, now: () => number, payerName: (payerId: string) => string): Promise<Counted> {
  const startedMs = performance.now();
  const at = new Date(now()).toISOString();
  const { rows } = await sql<Group>`
    select grouping(state, must_act, attention, payer_id, requester, service_code)::int as group, coalesce(state, must_act, attention::text, payer_id, requester, service_code) as value,
      max(service_name) as name, count(*)::int as count, (count(*) filter (where due < ${at}::timestamptz))::int as overdue
    from cases.worklist_row where ehr_base = ${ehrBase}
    group by grouping sets ((state), (must_act), (attention), (payer_id), (requester), (service_code))`.execute(store.db);
  const handed = await sql<{ count: number }>`
    select count(*)::int as count from cases.hand_over join cases.worklist_row using (case_id) where status in ('requested', 'in-progress') and ehr_base = ${ehrBase}`.execute(store.db);
  const people = await sql<{ reference: string; name: string }>`select reference, name from cases.person where ehr_base = ${ehrBase} limit 5000`.execute(store.db);
  const names = new Map(people.rows.map(({ reference, name }) => [reference, name]));
  // One bit for each column that is not of the group.
  const of = (column: number) => rows.filter(({ group }) => group === 0b111111 - (1 << (5 - column)));
  const [states, mustAct, attention] = [of(0), of(1), of(2)];
  const choices = (column: number, nameOf: (row: Group & { value: string }) => string) =>
    of(column)
      .flatMap((row) => (row.value === null ? [] : [{ value: row.value, name: nameOf({ ...row, value: row.value }), count: row.count }]))
      .sort((a, b) => b.count - a.count)
      .slice(0, MOST_CHOICES);
  const acting = (who: WhoMustAct) => mustAct.find(({ value }) => value === who)?.count ?? 0;
  const counts: WorklistCounts = {
    at,
    all: states.reduce((sum, row) => sum + row.count, 0),
    states: Object.fromEntries(states.map((row) => [row.value as CaseStateKind, row.count])),
    mustAct: { us: acting('us'), payer: acting('payer'), nobody: acting('nobody') },
    wantsMore: attention.find(({ value }) => value === '0')?.count ?? 0,
    overdue: attention.reduce((sum, row) => sum + row.overdue, 0),
    handedOver: handed.rows[0]?.count ?? 0,
    payers: choices(3, ({ value }) => payerName(value)),
    requesters: choices(4, ({ value }) => names.get(value) ?? value),
    services: choices(5, ({ value, name }) => (name && name !== value ? `${value} ${name}` : value)),
  };
  return { counts, tookMs: performance.now() - startedMs, countedMs: performance.now() };
}

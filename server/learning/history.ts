import { type Kysely, sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { type DecisionTotals, type PastDecisions, pastDecisionsOf, pastKeys, type PastLevel, type PastSubject, PAST_DECISIONS_DAYS } from '#prior-auth/learning/past-decisions.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';

/*
 * The feature table of past decisions. Each decision adds, in its own transaction, one step to the sums of every level it belongs to; sums never change
 * afterwards, so the state at any earlier moment is the last step not later than it.
 */

/** One label or change of a label, as it counts. */
export interface CountedDecision {
  readonly facts: PastSubject;
  readonly change: DecisionTotals;
  /** ISO instant at which it was learned. */
  readonly at: string;
}

/** Counts a decision. Sums of one level wait for each other by their rows' locks, taken in one order; a step is never before an earlier one of the same sum. */
export async function countDecision(trx: Transaction<AnyDatabase>, { facts, change, at }: CountedDecision): Promise<void> {
  if (Object.values(change).every((part) => part === 0)) return;
  const steps = Object.entries(pastKeys(facts)).filter((entry): entry is [PastLevel, string] => entry[1] !== null).map(([level, key]) => ({ level, key, ...change, at }));
  await sql`with summed as (
      insert into learning.past_decisions as total (level, key, decisions, denials, days, timed, at)
      select level, key, decisions, denials, days, timed, at
        from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb) as step (level text, key text, decisions bigint, denials bigint, days double precision, timed bigint, at timestamptz) order by level, key
      on conflict (level, key) do update set decisions = total.decisions + excluded.decisions, denials = total.denials + excluded.denials,
        days = total.days + excluded.days, timed = total.timed + excluded.timed, at = greatest(total.at, excluded.at)
      returning *
    )
    insert into learning.past_decisions_step (level, key, at, decisions, denials, days, timed) select level, key, at, decisions, denials, days, timed from summed
    on conflict (level, key, at) do update set decisions = excluded.decisions, denials = excluded.denials, days = excluded.days, timed = excluded.timed`.execute(trx);
}

/** Every step up to a moment, in memory: past decisions as they stood at any moment before it. */
export interface PastDecisionsReplay {
  at(facts: PastSubject, epochMs: number): PastDecisions | null;
}

const SUMS_AT_ONCE = 500;
/** Numbers of one step: its instant in epoch ms, decisions, denials, days, timed. */
const WIDTH = 5;

export async function replayPastDecisions(db: Kysely<AnyDatabase>, untilMs: number): Promise<PastDecisionsReplay> {
  const sums = new Map<string, Float64Array>();
  const until = new Date(untilMs).toISOString();
  let after: readonly [string, string] = ['', ''];
  for (;;) {
    // One row for each sum: a row for each step would take several times as long to read.
    const { rows } = await sql<{ readonly level: string; readonly key: string; readonly steps: readonly (readonly number[])[] }>`select level, key,
        json_agg(json_build_array((extract(epoch from at) * 1000)::double precision, decisions, denials, days, timed) order by at) as steps
      from learning.past_decisions_step where at <= ${until}::timestamptz and (level, key) > (${after[0]}, ${after[1]}) group by level, key order by level, key limit ${SUMS_AT_ONCE}`.execute(db);
    for (const { level, key, steps } of rows) sums.set(`${level} ${key}`, Float64Array.from(steps.flat()));
    const last = rows.at(-1);
    if (!last || rows.length < SUMS_AT_ONCE) break;
    after = [last.level, last.key];
  }
  return {
    at: (facts, epochMs) => pastDecisionsOf(facts, new Date(epochMs).toISOString(), (level, key) => {
      const steps = sums.get(`${level} ${key}`);
      return steps && windowed(lastNotAfter(steps, epochMs), lastNotAfter(steps, epochMs - WINDOW_MS));
    }),
  };
}

const WINDOW_MS = PAST_DECISIONS_DAYS * 86_400_000;

function lastNotAfter(steps: Float64Array, epochMs: number): DecisionTotals | undefined {
  let low = 0;
  let high = steps.length / WIDTH;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle * WIDTH] as number) <= epochMs) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const [, decisions = 0, denials = 0, days = 0, timed = 0] = steps.subarray((low - 1) * WIDTH, low * WIDTH);
  return { decisions, denials, days, timed };
}

function windowed(now: DecisionTotals | undefined, before: DecisionTotals | undefined): DecisionTotals | undefined {
  if (!now || !before) return now;
  return { decisions: now.decisions - before.decisions, denials: now.denials - before.denials, days: now.days - before.days, timed: now.timed - before.timed };
}

/** Past decisions for scoring, read from memory: no score waits for the store. */
export interface DecisionHistory {
  /** As of the last reading of the store; null as long as no decision is on record, or none could be read yet. */
  past(facts: DenialRiskFacts): PastDecisions | null;
  /** Takes over what was decided since, here or in another process. */
  refresh(): Promise<void>;
  stop(): void;
}

export interface DecisionHistoryOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly log: Pick<Logger, 'warn'>;
  /** Decisions of these are simulated, and taken into account for these alone. */
  readonly isSandboxPayer?: (payerId: string) => boolean;
  /** Milliseconds between two readings: scores are at most so far behind. */
  readonly everyMs?: number;
}

export async function openDecisionHistory({ store, now, log, isSandboxPayer, everyMs = 30_000 }: DecisionHistoryOptions): Promise<DecisionHistory> {
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  let read: { readonly asOf: string; readonly totals: ReadonlyMap<string, DecisionTotals> } | undefined;
  const refresh = async (): Promise<void> => {
    const nowMs = now();
    const asOf = new Date(nowMs).toISOString();
    const from = new Date(nowMs - WINDOW_MS).toISOString();
    // The state at the moment: the sums themselves, unless a clock elsewhere is ahead of ours; less what lies before the window.
    const { rows } = await sql<DecisionTotals & { readonly level: string; readonly key: string }>`select total.level, total.key,
        step.decisions - coalesce(earlier.decisions, 0) as decisions, step.denials - coalesce(earlier.denials, 0) as denials, step.days - coalesce(earlier.days, 0) as days, step.timed - coalesce(earlier.timed, 0) as timed
      from learning.past_decisions total
      cross join lateral (select * from learning.past_decisions_step s where s.level = total.level and s.key = total.key and s.at <= ${asOf}::timestamptz order by s.at desc limit 1) step
      left join lateral (select * from learning.past_decisions_step s where s.level = total.level and s.key = total.key and s.at <= ${from}::timestamptz order by s.at desc limit 1) earlier on true`.execute(store.db);
    read = { asOf, totals: new Map(rows.map(({ level, key, ...totals }) => [`${level} ${key}`, totals])) };
  };
  const tryRefresh = () => refresh().catch((error: unknown) => log.warn({ err: error }, 'past decisions not read again; scores use what was read before'));
  await tryRefresh();
  const timer = setInterval(() => void tryRefresh(), everyMs);
  timer.unref();
  return {
    past: (facts) => (read ? pastDecisionsOf({ ...facts, simulated: facts.payerId !== null && isSandboxPayer?.(facts.payerId) === true }, read.asOf, (level, key) => read?.totals.get(`${level} ${key}`)) : null),
    refresh,
    stop: () => clearInterval(timer),
  };
}

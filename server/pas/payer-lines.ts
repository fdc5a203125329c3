import { AsyncLocalStorage } from 'node:async_hooks';
import { sql, type Transaction } from 'kysely';
import type { Person } from '#prior-auth/panel-api.ts';
import type { AnyDatabase } from '#store/database.ts';
import { sendLeased } from '../jobs/send-submission.ts';
import type { SenderParts } from './sender-parts.ts';
import { type PasTables, type SubmissionRow, toSubmissionRow } from './submission-table.ts';

/** Requests on their way to one payer at a time, in each process. */
const SENDERS = 4;
/** Failures in a row, of whatever request, after which a payer is taken to be down: then one request at a time tries it. */
const DOWN_AFTER = 3;
const LONGEST_PROBE_MS = 30_000;
/** A transaction that queues a request has committed by then, or the next tick finds it. */
const SOON_MS = [20, 120] as const;

/**
 * One line of requests to each payer, in the order of queueing. The table is the truth and every process looks at it: a request is leased by one statement, so
 * two processes never send it at once. A payer that is down is tried with one request at a time, less and less often; once it answers, all that waited is due.
 */
export interface PayerLines {
  /** Starts sending what is due at a payer; `soon` after the caller's transaction. */
  wake(payerId: string, when?: 'now' | 'soon'): void;
  /** Every payer at which something is due. */
  wakeDue(): Promise<void>;
  /** No new sending; waits for those on their way, at most that long. */
  stop(atMostMs: number): Promise<void>;
}

export function openPayerLines(parts: SenderParts): PayerLines {
  const active = new Map<string, Set<Promise<void>>>();
  const soon = new Map<string, NodeJS.Timeout>();
  let stopped = false;
  // Whoever queues does so within a transaction, which must not reach what runs after it.
  const outside = AsyncLocalStorage.snapshot();

  const sendAll = async (payerId: string): Promise<void> => {
    for (let row = await leaseNext(parts, payerId); row !== undefined; row = stopped ? undefined : await leaseNext(parts, payerId)) {
      await sendLeased(parts, row);
      // Others may stand by because the payer was down.
      wake(payerId);
    }
  };
  const wake = (payerId: string): void => {
    const running = active.get(payerId) ?? new Set();
    active.set(payerId, running);
    if (stopped || running.size >= SENDERS) return;
    const one: Promise<void> = sendAll(payerId)
      .catch((error: unknown) => parts.log.error({ err: error, payerId }, 'sending was interrupted; the request goes again when its lease ends'))
      .finally(() => running.delete(one));
    running.add(one);
  };
  const wakeSoon = (payerId: string, [delay, ...later]: readonly number[]): void => {
    if (delay === undefined || soon.has(payerId)) return;
    const timer = setTimeout(() => outside(() => {
      soon.delete(payerId);
      wake(payerId);
      wakeSoon(payerId, later);
    }), delay);
    timer.unref();
    soon.set(payerId, timer);
  };

  return {
    wake: (payerId, when = 'now') => (when === 'soon' ? wakeSoon(payerId, SOON_MS) : wake(payerId)),
    async wakeDue() {
      const due = await parts.store.db.withTables<PasTables>().selectFrom('pas.submission').select('payer_id').distinct().where('status', '=', 'queued').where('next_at', '<=', new Date(parts.now()).toISOString()).execute();
      for (const { payer_id } of due) wake(payer_id);
    },
    async stop(atMostMs) {
      stopped = true;
      for (const timer of soon.values()) clearTimeout(timer);
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, atMostMs);
      });
      await Promise.race([Promise.all([...active.values()].flatMap((running) => [...running])), patience]);
      clearTimeout(timer);
    },
  };
}

/** The oldest request that is due at a payer and in nobody's hands. Its lease's end is when it is due again. A payer that is down or paused gives none, but for one probe at a time. */
async function leaseNext({ store, payers, now, leaseMs }: SenderParts, payerId: string): Promise<SubmissionRow | undefined> {
  const payer = payers.byId(payerId);
  if (!payer || payer.mode === 'manual') return undefined;
  const nowAt = new Date(now()).toISOString();
  const until = new Date(now() + leaseMs).toISOString();
  const db = store.db.withTables<PasTables>();
  const line = await db.selectFrom('pas.payer_line').select(['down_since', 'paused_at']).where('payer_id', '=', payerId).executeTakeFirst();
  if (line?.paused_at) return undefined;
  if (line?.down_since) {
    const probe = await db.updateTable('pas.payer_line').set({ next_try_at: until }).where('payer_id', '=', payerId).where('down_since', 'is not', null).where('next_try_at', '<=', nowAt).returning('payer_id').executeTakeFirst();
    if (!probe) return undefined;
  }
  const next = db
    .selectFrom('pas.submission')
    .select('id')
    .where('payer_id', '=', payerId)
    .where('status', '=', 'queued')
    .where('next_at', '<=', nowAt)
    .where((where) => where.or([where('lease_until', 'is', null), where('lease_until', '<=', nowAt)]))
    .orderBy('queued_at')
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .skipLocked();
  const row = await db
    .updateTable('pas.submission')
    .set({ lease_until: until, next_at: until, attempts: sql<number>`attempts + 1` })
    .where('id', '=', next)
    .returningAll()
    .executeTakeFirst();
  // Nothing to try the payer with: the next request that is due may.
  if (!row && line?.down_since) await db.updateTable('pas.payer_line').set({ next_try_at: nowAt }).where('payer_id', '=', payerId).execute();
  return row && toSubmissionRow(row);
}

/** What a sending says of the line, in the transaction that records it. */
export async function noteLine({ now, retryBaseMs }: Pick<SenderParts, 'now' | 'retryBaseMs'>, trx: Transaction<AnyDatabase>, payerId: string, failure: string | undefined): Promise<void> {
  const pas = trx.withTables<PasTables>();
  const nowMs = now();
  const nowAt = new Date(nowMs).toISOString();
  if (failure !== undefined) {
    const { failures } = await pas
      .insertInto('pas.payer_line')
      .values({ payer_id: payerId, failures: 1, last_error: failure })
      .onConflict((conflict) => conflict.column('payer_id').doUpdateSet({ failures: sql<number>`pas.payer_line.failures + 1`, last_error: failure }))
      .returning('failures')
      .executeTakeFirstOrThrow();
    if (failures < DOWN_AFTER) return;
    const wait = Math.min(retryBaseMs * 2 ** Math.min(failures - DOWN_AFTER, 20), LONGEST_PROBE_MS);
    await pas.updateTable('pas.payer_line').set({ down_since: sql<string>`coalesce(down_since, ${nowAt}::timestamptz)`, next_try_at: new Date(nowMs + wait).toISOString() }).where('payer_id', '=', payerId).execute();
    return;
  }
  const line = await pas.selectFrom('pas.payer_line').select(['failures', 'down_since']).where('payer_id', '=', payerId).where('failures', '>', 0).forUpdate().executeTakeFirst();
  if (!line) return;
  if (line.down_since === null) {
    await pas.updateTable('pas.payer_line').set({ failures: 0 }).where('payer_id', '=', payerId).execute();
    return;
  }
  await pas.updateTable('pas.submission').set({ next_at: nowAt }).where('payer_id', '=', payerId).where('status', '=', 'queued').where('next_at', '>', nowAt).where((where) => where.or([where('lease_until', 'is', null), where('lease_until', '<=', nowAt)])).execute();
  const { waiting } = await pas.selectFrom('pas.submission').select(sql<number>`count(*)::int`.as('waiting')).where('payer_id', '=', payerId).where('status', '=', 'queued').executeTakeFirstOrThrow();
  await pas.updateTable('pas.payer_line').set({ failures: 0, down_since: null, next_try_at: null, last_error: null, draining_since: nowAt, draining: waiting }).where('payer_id', '=', payerId).execute();
}

/** How the line to a payer stands, for staff. Instants are ISO. */
export interface DrainProgress {
  readonly payerId: string;
  /** Requests that wait to be sent, and the time at which the first of them was queued. */
  readonly waiting: number;
  readonly oldestQueuedAt: string | null;
  /** Held back by staff, one by one. */
  readonly held: number;
  /** `down`: tried with one request at a time. `draining`: what waited during an outage is being sent. */
  readonly line: 'open' | 'down' | 'draining' | 'paused' | 'manual';
  readonly downSince: string | null;
  readonly nextTryAt: string | null;
  readonly lastError: string | null;
  /** While draining: how many of those that waited are done. */
  readonly drained: { readonly done: number; readonly of: number } | null;
  readonly paused: { readonly at: string; readonly by: string; readonly note: string } | null;
}

export async function drainProgress({ store, payers }: Pick<SenderParts, 'store' | 'payers'>, payerId: string): Promise<DrainProgress> {
  const db = store.db.withTables<PasTables>();
  const [line, counts] = await Promise.all([
    db.selectFrom('pas.payer_line').selectAll().where('payer_id', '=', payerId).executeTakeFirst(),
    db
      .selectFrom('pas.submission')
      .select([sql<number>`count(*) filter (where status = 'queued')::int`.as('waiting'), sql<number>`count(*) filter (where status = 'held')::int`.as('held'), sql<Date | null>`min(queued_at) filter (where status = 'queued')`.as('oldest')])
      .where('payer_id', '=', payerId)
      .where('status', 'in', ['queued', 'held'])
      .executeTakeFirstOrThrow(),
  ]);
  const { waiting, held, oldest } = counts;
  const drainingSince = line?.draining_since ? iso(line.draining_since) : null;
  const left = drainingSince === null ? 0 : (await db.selectFrom('pas.submission').select(sql<number>`count(*)::int`.as('left')).where('payer_id', '=', payerId).where('status', '=', 'queued').where('queued_at', '<=', drainingSince).executeTakeFirstOrThrow()).left;
  const isDraining = left > 0 && !line?.down_since;
  return {
    payerId,
    waiting,
    oldestQueuedAt: oldest === null ? null : iso(oldest),
    held,
    line: payers.byId(payerId)?.mode === 'manual' ? 'manual' : line?.paused_at ? 'paused' : line?.down_since ? 'down' : isDraining ? 'draining' : 'open',
    downSince: line?.down_since ? iso(line.down_since) : null,
    nextTryAt: line?.down_since && line.next_try_at ? iso(line.next_try_at) : null,
    lastError: line?.last_error ?? null,
    drained: isDraining ? { done: Math.max(0, (line?.draining ?? left) - left), of: line?.draining ?? left } : null,
    paused: line?.paused_at ? { at: iso(line.paused_at), by: line.paused_by ?? '', note: line.paused_note ?? '' } : null,
  };
}

/** Nothing goes to this payer until somebody lets it go again: staff print packets and switch cases to manual meanwhile. What the payer already has is still followed. */
export async function pauseLine({ store, audit, now }: Pick<SenderParts, 'store' | 'audit' | 'now'>, payerId: string, by: Person, note: string): Promise<void> {
  await store.transaction(async (trx) => {
    const paused = { paused_at: new Date(now()).toISOString(), paused_by: by.name, paused_note: note };
    await trx.withTables<PasTables>().insertInto('pas.payer_line').values({ payer_id: payerId, failures: 0, ...paused }).onConflict((conflict) => conflict.column('payer_id').doUpdateSet(paused)).execute();
    await audit.recordWithin(trx, { action: 'payer-line-paused', who: by.reference, details: { payerId } });
  });
}

export async function resumeLine({ store, audit }: Pick<SenderParts, 'store' | 'audit'>, payerId: string, by: Person): Promise<void> {
  await store.transaction(async (trx) => {
    await trx.withTables<PasTables>().updateTable('pas.payer_line').set({ paused_at: null, paused_by: null, paused_note: null }).where('payer_id', '=', payerId).execute();
    await audit.recordWithin(trx, { action: 'payer-line-resumed', who: by.reference, details: { payerId } });
  });
}

function iso(instant: string | Date): string {
  return new Date(instant).toISOString();
}

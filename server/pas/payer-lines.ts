import { AsyncLocalStorage } from 'node:async_hooks';
import { sql } from 'kysely';
import { sendLeased } from '../jobs/send-submission.ts';
import type { SenderParts } from './sender-parts.ts';
import { type PasTables, type SubmissionRow, toSubmissionRow } from './submission-table.ts';

/** Requests on their way to one payer at a time, in each process. */
const SENDERS = 4;
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

import { sql, type Transaction } from 'kysely';
import type { Person } from '#prior-auth/panel-api.ts';
import type { AnyDatabase } from '#store/database.ts';
import type { SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

/** Failures in a row, of whatever request, after which a payer is taken to be down: then one request at a time tries it. */
const DOWN_AFTER = 3;
const LONGEST_PROBE_MS = 30_000;

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

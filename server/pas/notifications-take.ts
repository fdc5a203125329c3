import type { Transaction } from 'kysely';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { Notification } from '../payer/read-notification.ts';
import { QUEUES, type SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

/** How long a stored event's job has before the event is looked after without it. */
const FIRST_TRY_MS = 20_000;

export interface Told {
  readonly source: 'notification' | 'events';
  /** The payer used the newest secret: the one before it is taken no more. */
  readonly isNewSecret?: boolean;
}

/**
 * Stores each event once (payers deliver at least once, in any order) and enqueues its working off, within the caller's transaction. A number
 * that is missing below the highest one known makes the subscription due: it asks the payer for what was missed, after a moment in which a
 * notification that was merely overtaken may still come.
 */
export async function takeNotification({ jobs, log, now, subscriptions: { gapGraceMs } }: SenderParts, trx: Transaction<AnyDatabase>, id: string, notification: Notification, { source, isNewSecret = false }: Told): Promise<void> {
  const pas = trx.withTables<PasTables>();
  const nowMs = now();
  const received_at = new Date(nowMs).toISOString();
  const row = await pas.selectFrom('pas.subscription').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  // Taken back while the notification was under way.
  if (!row) return;
  const reference = notification.subscriptionId || (row.subscription_id ?? '');
  // The answer to our POST may have been lost; the payer's first word names the Subscription as well.
  const subscriptionId = row.subscription_id ?? (reference === '' ? null : reference);
  const isCurrent = subscriptionId === reference || subscriptionId === null;
  const isHandshake = notification.type === 'handshake' && isCurrent && isNewSecret && row.status !== 'removing';
  if (isHandshake) log.info({ payerId: row.payer_id, subscriptionId: id }, 'subscription active');

  const numbers: number[] = [];
  for (const event of notification.events) {
    // Without its content it says only that there is one: the content is fetched by `$events`.
    const isHollow = row.pas_version === '2.2.1' && event.answer === undefined && source === 'notification' && event.number !== undefined && isCurrent && row.events_offered !== false;
    if (event.number !== undefined && isCurrent) numbers.push(event.number);
    if (isHollow) continue;
    const stored = await pas
      .insertInto('pas.subscription_event')
      .values({
        id: uuidv7(nowMs), subscription: id, reference, event_number: event.number ?? null, focus: event.focus ?? null, answer: event.answer ?? null, source, received_at,
        state: 'waiting', next_at: new Date(nowMs + FIRST_TRY_MS).toISOString(),
      })
      .onConflict((conflict) => conflict.columns(['subscription', 'reference', 'event_number']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (stored) await jobs.sendWithin(trx, QUEUES.events, { eventId: stored.id });
  }

  const highest = Math.max(row.highest_event_number, ...(isCurrent ? [notification.eventsSinceStart ?? 0] : []), ...numbers);
  const after = await pas
    .selectFrom('pas.subscription_event')
    .select('event_number')
    .where('subscription', '=', id)
    .where('reference', '=', reference)
    .where('event_number', '>', row.last_event_number)
    .orderBy('event_number')
    .execute();
  const last = isCurrent ? after.reduce((seen, { event_number }) => (event_number === seen + 1 ? event_number : seen), row.last_event_number) : row.last_event_number;
  const hasGap = highest > last && source === 'notification';
  if (hasGap) log.warn({ payerId: row.payer_id, subscriptionId: id, last, highest }, 'notifications are missing');
  const recoverAt = new Date(nowMs + gapGraceMs).toISOString();
  await pas
    .updateTable('pas.subscription')
    .set({
      heard_at: received_at,
      last_event_number: last,
      highest_event_number: highest,
      ...(isCurrent && subscriptionId !== row.subscription_id ? { subscription_id: subscriptionId } : {}),
      ...(isHandshake ? { status: 'active' as const, last_error: null, changed_at: received_at } : {}),
      ...(isNewSecret ? { previous_secret: null } : {}),
      ...(hasGap && new Date(row.next_at).getTime() > nowMs + gapGraceMs ? { next_at: recoverAt } : {}),
    })
    .where('id', '=', id)
    .execute();
}

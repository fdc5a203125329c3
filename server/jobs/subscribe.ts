import { PriorAuthError } from '#prior-auth/errors.ts';
import type { SenderParts } from '../pas/sender-parts.ts';
import type { PasTables } from '../pas/submission-table.ts';
import { readSubscriptionAnswer, sendSubscription } from '../payer/subscription.ts';

/**
 * Creates the payer's one Subscription. The secret was stored with the wish for it, so the handshake, which may arrive before the answer, is known.
 * A process killed between the payer's answer and the update creates a second Subscription with the same endpoint and secret: its notifications are
 * told apart by subscription and event number, and each only leads to an inquiry.
 */
export async function subscribe({ store, client, payers, baseUrl, log, now }: SenderParts, payerId: string): Promise<void> {
  const db = store.db.withTables<PasTables>();
  const wanted = await db.selectFrom('pas.subscription').selectAll().where('payer_id', '=', payerId).where('status', '=', 'wanted').executeTakeFirst();
  if (!wanted) return;
  const payer = payers.byId(payerId);
  if (!payer) throw new PriorAuthError('PAYER_NOT_CONFIGURED', `Payer ${payerId} is not configured.`);
  const reply = await sendSubscription(client, payer, {
    endpoint: `${baseUrl.replace(/\/+$/, '')}/pas/notifications/${encodeURIComponent(payerId)}`,
    secret: wanted.secret,
    organizationIdentifier: wanted.organization_identifier,
  });
  const reading = readSubscriptionAnswer(reply);
  const changed_at = new Date(now()).toISOString();
  const change = db.updateTable('pas.subscription').where('payer_id', '=', payerId);
  switch (reading.kind) {
    case 'retry':
      throw new PriorAuthError('PAYER_UNAVAILABLE', `Subscription at ${payerId}: ${reading.error}`, { retryable: true });
    case 'refused':
      log.error({ payerId, error: reading.error }, 'the payer refused the subscription; pended cases are followed by inquiry only');
      await change.set({ status: 'error', last_error: reading.error, changed_at }).execute();
      return;
    case 'created':
      await change.set({ subscription_id: reading.id, changed_at }).execute();
      // The handshake may have made it active meanwhile; only `wanted` moves on.
      await change.where('status', '=', 'wanted').set({ status: reading.isActive ? 'active' : 'requested' }).execute();
      log.info({ payerId }, 'subscription created');
  }
}

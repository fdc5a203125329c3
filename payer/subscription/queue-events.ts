import type { Subscription } from '@medplum/fhirtypes';
import type { PayerTransaction } from '../database.ts';
import { meetsFilters } from './read-subscription.ts';

/** Numbers one event for each subscription of the case's own client that asks for it; delivered once the transaction holds. */
export async function queueEvents(trx: PayerTransaction, { clientId, caseId, epochMs }: { clientId: string; caseId: string; epochMs: number }): Promise<void> {
  const requestor = await trx.selectFrom('payer.case_identifier').select(['system', 'value']).where('case_id', '=', caseId).where('kind', '=', 'requestor').execute();
  const subscriptions = await trx.selectFrom('payer.subscription').select(['id', 'resource']).where('client_id', '=', clientId).where('status', '!=', 'off').orderBy('id').execute();
  const at = new Date(epochMs).toISOString();
  for (const { id, resource } of subscriptions) {
    const subscription: Subscription = JSON.parse(resource);
    const ended = subscription.end !== undefined && Date.parse(subscription.end) <= epochMs;
    if (ended || !meetsFilters(subscription, requestor)) continue;
    const { event_count } = await trx
      .updateTable('payer.subscription')
      .set((row) => ({ event_count: row('event_count', '+', 1) }))
      .where('id', '=', id)
      .returning('event_count')
      .executeTakeFirstOrThrow();
    await trx.insertInto('payer.subscription_event').values({ subscription_id: id, number: event_count, case_id: caseId, occurred_at: at, state: 'waiting', due_at: at }).execute();
  }
}

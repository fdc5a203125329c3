import type { Bundle, Subscription } from '@medplum/fhirtypes';
import { extensionByUrl } from '#fhir/base/extension.ts';
import type { PayerTransaction } from '../database.ts';
import { PAS_2_2_1_EXTENSION } from '../terms.ts';
import { meetsFilters, writtenContent } from './read-subscription.ts';

/**
 * Numbers one event for each subscription of the case's own client, at the address of the case's version, that asks for it; delivered once the
 * transaction holds. Call it after the case's current answer was written, for each change of it: also while the whole is still pended (PAS).
 */
export async function queueEvents(trx: PayerTransaction, { clientId, caseId, epochMs }: { clientId: string; caseId: string; epochMs: number }): Promise<void> {
  const told = await trx.selectFrom('payer.authorization_case').select(['pas_version', 'current_answer', 'request']).where('id', '=', caseId).executeTakeFirstOrThrow();
  const subscriptions = await trx
    .selectFrom('payer.subscription')
    .select(['id', 'resource'])
    .where('client_id', '=', clientId)
    .where('pas_version', '=', told.pas_version)
    .where('status', '!=', 'off')
    .orderBy('id')
    .execute();
  if (subscriptions.length === 0) return;
  const requestor = await trx.selectFrom('payer.case_identifier').select(['system', 'value']).where('case_id', '=', caseId).where('kind', '=', 'requestor').execute();
  const submitter = [...requestor, ...sendingSystem(JSON.parse(told.request))];
  const at = new Date(epochMs).toISOString();
  for (const { id, resource } of subscriptions) {
    const subscription: Subscription = JSON.parse(resource);
    const ended = subscription.end !== undefined && Date.parse(subscription.end) <= epochMs;
    if (ended || !meetsFilters(subscription, submitter)) continue;
    const { event_count } = await trx
      .updateTable('payer.subscription')
      .set((row) => ({ event_count: row('event_count', '+', 1) }))
      .where('id', '=', id)
      .returning('event_count')
      .executeTakeFirstOrThrow();
    const answer = writtenContent(subscription) === 'full-resource' ? told.current_answer : null;
    await trx.insertInto('payer.subscription_event').values({ subscription_id: id, number: event_count, case_id: caseId, occurred_at: at, state: 'waiting', due_at: at, answer }).execute();
  }
}

/** PAS 2.2.1: the filter's identifier is that of the sending system, where the Claim names one. */
function sendingSystem(request: Bundle): { readonly system: string; readonly value: string }[] {
  const claim = request.entry?.[0]?.resource;
  const transmission = claim?.resourceType === 'Claim' ? extensionByUrl(claim, PAS_2_2_1_EXTENSION.transmissionIdentifiers) : undefined;
  return ['interchangeSenderID', 'applicationSenderCode'].flatMap((name) => {
    const value = extensionByUrl(transmission, name)?.valueString;
    return value ? [{ system: '', value }] : [];
  });
}

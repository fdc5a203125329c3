import { randomUUID } from 'node:crypto';
import type { Bundle, OperationOutcome } from '@medplum/fhirtypes';
import { recordAudit } from '../audit.ts';
import type { PayerTransaction } from '../database.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { PayerError } from '../payer-error.ts';
import { decideOnArrival } from '../policy/item-review.ts';
import { answerAnew, decidePendedItem } from '../review/decide-pended.ts';
import { contentHash } from '../submit/content-hash.ts';
import { putInForce } from '../submit/item-decision.ts';
import { decidedBy, weighItem } from '../submit/plan-items.ts';
import { pasRequestOf } from '../submit/read-request.ts';
import { attachmentsOf } from './ask-record.ts';
import { readAttachments, type SentAttachments } from './read-attachments.ts';

export interface Attached {
  readonly outcome: OperationOutcome;
  /** The request that they belong to. */
  readonly chainId: string;
}

/**
 * CDex `$submit-attachment`: keeps what was asked for under its control number, and with the final part weighs the item anew. The same content sent twice is
 * kept once. A number that is not this client's, or another member's, is as unknown as one that never was.
 * @throws PayerError 400, 404, 422
 */
export async function takeAttachments(setting: PayerSetting, clientId: string, body: unknown): Promise<Attached> {
  const sent = readAttachments(body);
  const epochMs = setting.now();
  const { text, chainId } = await setting.db.transaction().execute(async (trx) => {
    const asked = await trx.selectFrom('payer.information_request').selectAll().where('control_number', '=', sent.trackingId).where('client_id', '=', clientId).forUpdate().executeTakeFirst();
    const isMember = asked && (await trx.selectFrom('payer.case_identifier').select('value').where('case_id', '=', asked.case_id).where('kind', '=', 'member').where('value', '=', sent.memberId).executeTakeFirst());
    if (!asked || !isMember) throw new PayerError(404, { code: 'not-found', text: 'Nothing was asked of you under this control number for this member.', expression: "Parameters.parameter.where(name='TrackingId')" });
    const { chain_id } = await trx.selectFrom('payer.authorization_case').select('chain_id').where('id', '=', asked.case_id).executeTakeFirstOrThrow();
    const chainId = chain_id ?? asked.case_id;
    const fresh = await keep(trx, sent, epochMs);
    if (asked.state !== 'open') {
      if (fresh === 0) return { chainId, text: 'These attachments were received before.' };
      throw new PayerError(422, { code: 'business-rule', text: 'What was asked under this control number has been answered or withdrawn. Send further documents with an update of the request.', expression: "Parameters.parameter.where(name='TrackingId')" });
    }
    await recordAudit(trx, epochMs, { action: 'attachment-received', who: clientId, what: [asked.case_id, asked.item_id] });
    if (!sent.isFinal) return { chainId, text: 'The attachments were received; more are expected.' };
    await trx.updateTable('payer.information_request').set({ state: 'answered', answered_at: new Date(epochMs).toISOString() }).where('id', '=', asked.id).execute();
    await weighAnew(setting, trx, asked.item_id, epochMs);
    return { chainId, text: 'The attachments were received.' };
  });
  return { chainId, outcome: { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text } }] } };
}

/** How many were not there yet. */
async function keep(trx: PayerTransaction, { trackingId, attachments }: SentAttachments, epochMs: number): Promise<number> {
  const rows = attachments.map(({ code, content }) => ({ id: randomUUID(), control_number: trackingId, content_hash: contentHash(content), code: code ?? null, content: JSON.stringify(content), received_at: new Date(epochMs).toISOString() }));
  const kept = await trx.insertInto('payer.attachment').values(rows).onConflict((conflict) => conflict.columns(['control_number', 'content_hash']).doNothing()).returning('id').execute();
  return kept.length;
}

/** Decides the item by what is there now; what cannot be decided so goes back to the reviewer's queue. */
async function weighAnew(setting: PayerSetting, trx: PayerTransaction, itemId: string, epochMs: number): Promise<void> {
  const item = await trx.selectFrom('payer.authorization_item').selectAll().where('id', '=', itemId).where('state', '=', 'pended').forUpdate().executeTakeFirst();
  if (!item) return;
  const found = await trx.selectFrom('payer.authorization_case').select('request').where('id', '=', item.case_id).executeTakeFirstOrThrow();
  const request = pasRequestOf(JSON.parse(found.request) as Bundle);
  const asked = request.claim.item?.find(({ sequence }) => sequence === item.sequence);
  if (!asked) throw new Error('A pended item is not in its request.');
  const waiting = await trx.selectFrom('payer.information_request').select('id').where('item_id', '=', itemId).where('state', '=', 'open').executeTakeFirst();
  if (waiting) return answerAnew(setting, trx, item.case_id);
  const review = weighItem(setting, request, asked, epochMs, await attachmentsOf(trx, item.case_id));
  await trx.updateTable('payer.authorization_item').set({ review: JSON.stringify(review) }).where('id', '=', itemId).execute();
  const verdict = decideOnArrival(review, setting.decisions);
  // A reviewer who has taken the item, or has asked, decides it; a rule does not take it away from them.
  if (verdict.kind === 'approve' && item.claimed_by === null) return void (await decidePendedItem(setting, trx, item, verdict, { by: decidedBy(verdict) }));
  const decision = verdict.kind === 'pend' ? JSON.stringify(putInForce(verdict, asked, epochMs, { before: JSON.parse(item.decision), by: 'policy' })) : item.decision;
  const dueAt = setting.decisions.sandboxDecisions && item.claimed_by === null ? new Date(epochMs + setting.reviewDelayMs).toISOString() : null;
  await trx.updateTable('payer.authorization_item').set({ decision, due_at: dueAt }).where('id', '=', itemId).execute();
  await answerAnew(setting, trx, item.case_id);
}

import type { Bundle } from '@medplum/fhirtypes';
import { openAsks } from '../ask/ask-record.ts';
import { recordAudit } from '../audit.ts';
import type { PayerTransaction } from '../database.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { type DecidedBy, decideAfterReview, type ItemReview, type Verdict } from '../policy/item-review.ts';
import { queueEvents } from '../subscription/queue-events.ts';
import { buildAnswer } from '../submit/build-answer.ts';
import { type ItemDecision, putInForce, type Reviewer } from '../submit/item-decision.ts';
import { pasRequestOf } from '../submit/read-request.ts';

export interface PendedItem {
  readonly id: string;
  readonly case_id: string;
  readonly sequence: number;
  readonly decision: string;
}

export interface Decider {
  readonly by: DecidedBy;
  readonly reviewer?: Reviewer;
}

/**
 * The sandbox's stand-in for a reviewer decides the pended items that are due, one transaction each. Two processes never take the same item, and a killed
 * one leaves it due. Where the sandbox's decisions are off it decides nothing.
 */
export async function decideDueItems(setting: PayerSetting): Promise<number> {
  if (!setting.decisions.sandboxDecisions) return 0;
  let decided = 0;
  for (;;) {
    const found = await setting.db.transaction().execute(async (trx) => {
      const item = await trx
        .selectFrom('payer.authorization_item')
        .select(['id', 'case_id', 'sequence', 'decision', 'review'])
        .where('state', '=', 'pended')
        .where('due_at', '<=', new Date(setting.now()).toISOString())
        .where('claimed_by', 'is', null)
        .orderBy('due_at')
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      if (!item) return false;
      const review: ItemReview = JSON.parse(item.review);
      await decidePendedItem(setting, trx, item, decideAfterReview(review), { by: 'sandbox-reviewer' });
      return true;
    });
    if (!found) return decided;
    decided += 1;
  }
}

/** Puts the verdict on a pended item into force: the item, the case's current answer, the events and the audit row, all or nothing. The item's row must be locked. */
export async function decidePendedItem(setting: PayerSetting, trx: PayerTransaction, item: PendedItem, verdict: Verdict, { by, reviewer }: Decider): Promise<ItemDecision> {
  const epochMs = setting.now();
  const found = await trx.selectFrom('payer.authorization_case').select('request').where('id', '=', item.case_id).executeTakeFirstOrThrow();
  const asked = pasRequestOf(JSON.parse(found.request) as Bundle).claim.item?.find(({ sequence }) => sequence === item.sequence);
  if (!asked) throw new Error('A pended item is not in its request.');
  const decision = putInForce(verdict, asked, epochMs, { before: JSON.parse(item.decision), by, reviewer });
  await trx
    .updateTable('payer.authorization_item')
    .set({ state: 'decided', decision: JSON.stringify(decision), due_at: null, decided_at: new Date(epochMs).toISOString(), decided_by: by })
    .where('id', '=', item.id)
    .execute();
  await trx.updateTable('payer.information_request').set({ state: 'withdrawn' }).where('item_id', '=', item.id).where('state', '=', 'open').execute();
  await answerAnew(setting, trx, item.case_id);
  await recordAudit(trx, epochMs, { action: 'item-decided', who: reviewer ? `reviewer:${reviewer.name}` : by, what: [item.case_id, item.id] });
  setting.metrics.decisions.inc({ action: decision.kind, by });
  setting.log.info({ caseId: item.case_id, sequence: item.sequence, by }, 'pended item decided');
  return decision;
}

/** Writes the case's current answer from its items and open asks, and queues the events that tell of it. */
export async function answerAnew(setting: PayerSetting, trx: PayerTransaction, caseId: string): Promise<void> {
  const epochMs = setting.now();
  const found = await trx.selectFrom('payer.authorization_case').select(['client_id', 'request', 'pas_version']).where('id', '=', caseId).forUpdate().executeTakeFirstOrThrow();
  const rows = await trx.selectFrom('payer.authorization_item').select(['sequence', 'decision']).where('case_id', '=', caseId).execute();
  const decisions = new Map(rows.map((row): [number, ItemDecision] => [row.sequence, JSON.parse(row.decision)]));
  const answer = buildAnswer({ request: pasRequestOf(JSON.parse(found.request) as Bundle), endpoint: setting.endpoints[found.pas_version], caseId, epochMs, decisions, asks: await openAsks(trx, caseId) });
  await trx.updateTable('payer.authorization_case').set({ current_answer: JSON.stringify(answer) }).where('id', '=', caseId).execute();
  await queueEvents(trx, { clientId: found.client_id, caseId, epochMs });
}

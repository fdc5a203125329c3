import type { Bundle } from '@medplum/fhirtypes';
import { recordAudit } from '../audit.ts';
import type { PayerTransaction } from '../database.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { decideAfterReview, type ItemReview, type Verdict } from '../policy/item-review.ts';
import { queueEvents } from '../subscription/queue-events.ts';
import { buildAnswer } from '../submit/build-answer.ts';
import { type ItemDecision, putInForce } from '../submit/item-decision.ts';
import { pasRequestOf } from '../submit/read-request.ts';

export interface PendedItem {
  readonly id: string;
  readonly case_id: string;
  readonly sequence: number;
  readonly decision: string;
}

/** Decides the pended items that are due, one transaction each. Two processes never take the same item, and a killed one leaves it due. */
export async function decideDueItems(setting: PayerSetting): Promise<number> {
  let decided = 0;
  for (;;) {
    const found = await setting.db.transaction().execute(async (trx) => {
      const item = await trx
        .selectFrom('payer.authorization_item')
        .select(['id', 'case_id', 'sequence', 'decision', 'review'])
        .where('state', '=', 'pended')
        .where('due_at', '<=', new Date(setting.now()).toISOString())
        .orderBy('due_at')
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      if (!item) return false;
      const review: ItemReview = JSON.parse(item.review);
      await decidePendedItem(setting, trx, item, decideAfterReview(review), 'timer');
      return true;
    });
    if (!found) return decided;
    decided += 1;
  }
}

/** Puts the verdict on a pended item into force: the item, the case's current answer, the events and the audit row, all or nothing. The item's row must be locked. */
export async function decidePendedItem(setting: PayerSetting, trx: PayerTransaction, item: PendedItem, verdict: Verdict, by: 'timer' | 'person'): Promise<ItemDecision> {
  const epochMs = setting.now();
  const decidedAt = new Date(epochMs).toISOString();
  const found = await trx.selectFrom('payer.authorization_case').select(['client_id', 'request']).where('id', '=', item.case_id).forUpdate().executeTakeFirstOrThrow();
  const bundle: Bundle = JSON.parse(found.request);
  const request = pasRequestOf(bundle);
  const asked = request.claim.item?.find(({ sequence }) => sequence === item.sequence);
  if (!asked) throw new Error('A pended item is not in its request.');
  const decision = putInForce(verdict, asked, epochMs, JSON.parse(item.decision));
  await trx
    .updateTable('payer.authorization_item')
    .set({ state: 'decided', decision: JSON.stringify(decision), due_at: null, decided_at: decidedAt, decided_by: by })
    .where('id', '=', item.id)
    .execute();
  const rows = await trx.selectFrom('payer.authorization_item').select(['sequence', 'decision']).where('case_id', '=', item.case_id).execute();
  const decisions = new Map(rows.map((row): [number, ItemDecision] => [row.sequence, JSON.parse(row.decision)]));
  const answer = buildAnswer({ request, caseId: item.case_id, fhirBase: setting.fhirBase, epochMs, decisions });
  await trx.updateTable('payer.authorization_case').set({ current_answer: JSON.stringify(answer) }).where('id', '=', item.case_id).execute();
  await queueEvents(trx, { clientId: found.client_id, caseId: item.case_id, epochMs });
  await recordAudit(trx, epochMs, { action: 'item-decided', who: by === 'timer' ? 'timer' : 'reviewer', what: [item.case_id, item.id] });
  setting.metrics.decisions.inc({ action: decision.kind, by });
  setting.log.info({ caseId: item.case_id, sequence: item.sequence, by }, 'pended item decided');
  return decision;
}

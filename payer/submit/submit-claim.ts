import { randomUUID } from 'node:crypto';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { recordAudit } from '../audit.ts';
import { faultFacts } from '../fault.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { PayerError } from '../payer-error.ts';
import { decideOnArrival } from '../policy/item-review.ts';
import { reviewItem } from '../policy/review-item.ts';
import { buildAnswer } from './build-answer.ts';
import { contentHash } from './content-hash.ts';
import { type ItemDecision, putInForce, toDay } from './item-decision.ts';
import { partiesOf } from './parties.ts';
import { type PasRequest, readPasBundle, refuseUpdates } from './read-request.ts';

/**
 * Claim/$submit: the response bundle as text. A bundle identifier that this client has sent before, with the same content, gets
 * the very same text; duplicates in flight meet at the unique constraint and all but one read what that one wrote.
 * @throws PayerError 400, 409 (same identifier, other content), 422
 */
export async function submitClaim(setting: PayerSetting, clientId: string, body: unknown): Promise<string> {
  const request = readPasBundle(body, setting.validator, PAS_PROFILES.requestBundle);
  refuseUpdates(request);
  const hash = contentHash(request.bundle);
  const earlier = await earlierAnswer(setting, clientId, request, hash);
  if (earlier !== undefined) return earlier;

  const epochMs = setting.now();
  const caseId = randomUUID();
  const items = (request.claim.item ?? []).map((item) => {
    const review = reviewItem(request, item, {
      policies: setting.policies,
      day: toDay(epochMs),
      onFault: (policyId, criterionId, error) => setting.log.error({ policyId, criterionId, fault: faultFacts(error) }, 'a policy expression failed'),
    });
    const verdict = decideOnArrival(review);
    const dueAt = verdict.kind === 'pend' && verdict.timed ? new Date(epochMs + setting.reviewDelayMs).toISOString() : null;
    return { sequence: item.sequence ?? 0, review, dueAt, decision: putInForce(verdict, item, epochMs) };
  });
  const decisions = new Map(items.map(({ sequence, decision }): [number, ItemDecision] => [sequence, decision]));
  const answer = JSON.stringify(buildAnswer({ request, caseId, fhirBase: setting.fhirBase, epochMs, decisions }));
  const receivedAt = new Date(epochMs).toISOString();

  const written = await setting.db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto('payer.authorization_case')
      .values({
        id: caseId,
        client_id: clientId,
        bundle_system: request.identifier.system,
        bundle_value: request.identifier.value,
        content_hash: hash,
        request: JSON.stringify(request.bundle),
        first_answer: answer,
        current_answer: answer,
        received_at: receivedAt,
      })
      .onConflict((conflict) => conflict.columns(['client_id', 'bundle_system', 'bundle_value']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (!inserted) return false;
    await trx
      .insertInto('payer.authorization_item')
      .values(
        items.map(({ sequence, review, decision, dueAt }) => {
          const decided = decision.kind !== 'pended';
          return {
            id: randomUUID(),
            case_id: caseId,
            sequence,
            state: decided ? ('decided' as const) : ('pended' as const),
            decision: JSON.stringify(decision),
            review: JSON.stringify(review),
            due_at: dueAt,
            decided_at: decided ? receivedAt : null,
            decided_by: decided ? ('policy' as const) : null,
          };
        }),
      )
      .execute();
    const parties = partiesOf(request);
    if (parties.length > 0) await trx.insertInto('payer.case_identifier').values(parties.map((party) => ({ case_id: caseId, ...party }))).execute();
    await recordAudit(trx, epochMs, { action: 'claim-submitted', who: clientId, what: [caseId] });
    return true;
  });
  if (!written) {
    const others = await earlierAnswer(setting, clientId, request, hash);
    if (others === undefined) throw new Error('A submission met a duplicate that is not there.');
    return others;
  }
  for (const { decision } of items) setting.metrics.decisions.inc({ action: decision.kind, by: 'policy' });
  setting.log.info({ caseId, items: items.length, pended: items.filter(({ decision }) => decision.kind === 'pended').length }, 'prior authorization request answered');
  return answer;
}

async function earlierAnswer({ db, now }: PayerSetting, clientId: string, { identifier }: PasRequest, hash: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('payer.authorization_case')
    .select(['id', 'content_hash', 'first_answer'])
    .where('client_id', '=', clientId)
    .where('bundle_system', '=', identifier.system)
    .where('bundle_value', '=', identifier.value)
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.content_hash !== hash) {
    throw new PayerError(409, {
      code: 'duplicate',
      text: 'A bundle with this identifier but other content was received before. Give a new request its own Bundle.identifier.',
      expression: 'Bundle.identifier',
    });
  }
  await recordAudit(db, now(), { action: 'claim-repeated', who: clientId, what: [row.id] });
  return row.first_answer;
}

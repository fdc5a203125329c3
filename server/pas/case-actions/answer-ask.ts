import type { Bundle } from '@medplum/fhirtypes';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { answersBy, type AskedContent, buildAttachment } from '#prior-auth/payer-decision/answer-information-request.ts';
import { changeAsk, type InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { uuidv7 } from '#store/uuid.ts';
import { attachmentTarget } from '../../payer/submit-attachment.ts';
import { withStandingAsks } from '../../store/case-answers.ts';
import { type PasTables, toSubmissionRow } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';
import { changeRequest } from './change-request.ts';

export interface AskAnswer {
  readonly askId: string;
  /** Documents with their content in them, or the completed form. */
  readonly contents: readonly AskedContent[];
  /** Reads the record: where the completed form goes with an update of the request (PAS 2.0.1 without an address for attachments). */
  readonly gather?: (priorAuthCase: PriorAuthCase) => Promise<SubmissionInput>;
}

/**
 * Answers what the payer asked for: by CDex `$submit-attachment` from an outbox of its own, or, for a form of 2.0.1 without an address for attachments, with an update.
 * The ask is answered once the payer has taken it; it is refused with the payer's codes. Throws CASE_*, REQUEST_INVALID, PAS_BUNDLE_INCOMPLETE.
 */
export async function answerAsk(parts: CaseActionParts, call: CaseActionCall, { askId, contents, gather }: AskAnswer): Promise<PriorAuthCase> {
  const seen = await parts.cases.read(call.caseId);
  const version = await standingVersion(parts, call.caseId);
  if (answersBy(openAsk(seen, askId), version) === 'update') {
    if (!gather) throw new PriorAuthError('REQUEST_INVALID', 'gather: this form goes with an update of the request, which needs the record.', { nextStep: 'Answer it in the panel.' });
    return changeRequest(parts, call, { change: { cancel: [], change: [] }, gather, answers: [askId] });
  }
  const answered = await takeCaseAction(parts, call, 'answer-ask', async (trx, locked) => {
    const ask = openAsk(locked, askId);
    const pas = trx.withTables<PasTables>();
    const found = await pas.selectFrom('pas.submission').selectAll().where('case_id', '=', call.caseId).where('status', '=', 'pended').executeTakeFirst();
    if (!found || locked.state.kind !== 'pended') throw notAllowed('The payer is not deciding anything in this case.');
    const row = toSubmissionRow(found);
    const nowMs = parts.now();
    const id = uuidv7(nowMs);
    const reference = locked.state.decision.items.map(({ decision }) => (decision.kind === 'pended' ? decision.administrativeReference : undefined)).find(Boolean);
    const built = buildAttachment(ask, contents, { sent: JSON.parse(row.bundle) as Bundle, administrativeReference: reference, fallbackId: id });
    if (built.kind === 'incomplete') throw new PriorAuthError('PAS_BUNDLE_INCOMPLETE', built.problems.map(({ message }) => message).join(' '), built.problems[0] ? { nextStep: built.problems[0].nextStep } : {});
    const payer = parts.sender.payerOf(row.payerId);
    const queuedAt = new Date(nowMs).toISOString();
    await pas
      .insertInto('pas.attachment')
      .values({
        id, case_id: call.caseId, submission_id: row.id, payer_id: row.payerId, ask_id: askId, tracking_id: built.trackingId, submitted_by: call.by.reference,
        target: attachmentTarget(payer, ask.payerUrl), body: JSON.stringify(built.parameters), status: 'queued', queued_at: queuedAt, next_at: queuedAt,
      })
      .execute();
    const state = withStandingAsks(locked.state, (asks) => changeAsk(asks, askId, (one) => ({ ...one, answer: { kind: 'sending', queuedAt, by: call.by.name } })));
    return { state, action: 'information-queued', details: { attachmentId: id, attachments: contents.length } };
  });
  parts.sender.wake(answered.payer.id);
  return answered;
}

function openAsk({ state }: PriorAuthCase, askId: string): InformationRequest {
  const ask = state.kind === 'pended' ? state.asks?.find(({ id }) => id === askId) : undefined;
  if (!ask) throw new PriorAuthError('REQUEST_INVALID', 'askId: the payer asks for nothing of this id.', { nextStep: 'Load the case again.' });
  if (ask.state !== 'open') throw notAllowed(ask.state === 'answered' ? 'This was answered already.' : 'The payer no longer asks for this.');
  if (ask.answer?.kind === 'sending') throw notAllowed('An answer to this is on its way.');
  return ask;
}

async function standingVersion({ store }: CaseActionParts, caseId: string) {
  const row = await store.db.withTables<PasTables>().selectFrom('pas.submission').select('pas_version').where('case_id', '=', caseId).where('status', '=', 'pended').executeTakeFirst();
  if (!row) throw notAllowed('The payer is not deciding anything in this case.');
  return row.pas_version;
}

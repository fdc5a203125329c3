import type { Bundle } from '@medplum/fhirtypes';
import type { Transaction } from 'kysely';
import type { AnsweredState, PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { RequestedService } from '#prior-auth/order/requested-service.ts';
import type { RequestChange } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { AnyDatabase } from '#store/database.ts';
import { sentInput } from '../sent-input.ts';
import { type PasTables, type SubmissionRow, toSubmissionRow } from '../submission-table.ts';
import type { QueuedChange } from '../queue-submission.ts';
import { type CaseActionCall, type CaseActionParts, type CaseStep, demand, notAllowed, takeCaseAction } from './case-action.ts';

export interface ChangeOfRequest {
  readonly change: Omit<RequestChange, 'add'>;
  /** Orders that join. One whose payer's answer asks for forms of its own is a request of its own. */
  readonly add?: readonly { readonly service: RequestedService; readonly forms: number }[];
  /** Reads the record with the signed-in person's rights: new forms and evidence go with the change. Needed where orders join. */
  readonly gather?: (priorAuthCase: PriorAuthCase) => Promise<SubmissionInput>;
  /** Ids of asks that what goes with the change answers. */
  readonly answers?: readonly string[];
}

/**
 * Changes the request that the payer has: time or quantity of items, items cancelled, orders added (PAS §update). The case is queued; what stood stands until the
 * payer takes the change. Throws CASE_*, REQUEST_INVALID, PAS_BUNDLE_INCOMPLETE and what `gather` throws.
 */
export async function changeRequest(parts: CaseActionParts, call: CaseActionCall, { change, add = [], gather, answers = [] }: ChangeOfRequest): Promise<PriorAuthCase> {
  const seen = await parts.cases.read(call.caseId);
  demand(seen, add.length > 0 ? 'add-orders' : 'change-request');
  if (add.some(({ forms }) => forms > 0)) throw notAllowed('An order with forms of its own cannot join a request that was sent. Send it as a request of its own.');
  const added = add.map(({ service }) => service).filter(({ order }) => order !== seen.service.order && !seen.further?.some((known) => known.order === order));
  const whole: PriorAuthCase = added.length > 0 ? { ...seen, further: [...(seen.further ?? []), ...added] } : seen;
  if (added.length > 0 && !gather) throw new PriorAuthError('REQUEST_INVALID', 'add: the record is needed for orders that join.', { nextStep: 'Add the order in the panel.' });
  const input = await gather?.(whole);
  const wanted: RequestChange = { ...change, add: added.map(({ order }) => order) };
  // What was read belongs to the version that was read.
  const changed = await takeCaseAction(parts, { ...call, expectedVersion: call.expectedVersion ?? seen.version }, 'change-request', async (trx, locked) => {
    const standing = await standingRow(trx, call.caseId);
    mustFit(wanted, standing, gather !== undefined);
    return {
      ...(await queueChange(parts, trx, { ...locked, ...(whole.further ? { further: whole.further } : {}) }, call, standing, { purpose: 'update', change: wanted }, input, answers)),
      ...(added.length > 0 && whole.further ? { further: whole.further } : {}),
    };
  });
  parts.sender.wake(changed.payer.id);
  return changed;
}

/** Cancels the whole request that the payer has. */
export async function cancelRequest(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  const changed = await takeCaseAction(parts, call, 'cancel-request', async (trx, locked) => queueChange(parts, trx, locked, call, await standingRow(trx, call.caseId), { purpose: 'cancel' }, undefined));
  parts.sender.wake(changed.payer.id);
  return changed;
}

async function standingRow(trx: Transaction<AnyDatabase>, caseId: string): Promise<SubmissionRow> {
  const found = await trx.withTables<PasTables>().selectFrom('pas.submission').selectAll().where('case_id', '=', caseId).where('status', 'in', ['pended', 'decided']).executeTakeFirst();
  if (!found) throw notAllowed('The payer has no request of this case that could be changed.');
  return toSubmissionRow(found);
}

async function queueChange(parts: CaseActionParts, trx: Transaction<AnyDatabase>, locked: PriorAuthCase, { by }: CaseActionCall, standing: SubmissionRow, change: QueuedChange, input: SubmissionInput | undefined, answers: readonly string[] = []): Promise<CaseStep> {
  const before = answeredState(locked);
  const result = await parts.sender.queueSubmission(trx, input ? { ...input, case: locked } : sentInput(locked, JSON.parse(standing.bundle) as Bundle), by.reference, change);
  if (result.kind === 'problems') {
    throw new PriorAuthError('PAS_BUNDLE_INCOMPLETE', result.problems.map(({ message }) => message).join(' '), result.problems[0] ? { nextStep: result.problems[0].nextStep } : {});
  }
  if (result.kind === 'already-queued') throw new PriorAuthError('CASE_CONFLICT', 'A request of this case is already on its way.', { nextStep: 'Load the case again.' });
  const { lastChange: _earlier, ...rest } = before;
  const asks = rest.kind === 'pended' ? rest.asks?.map((ask) => (answers.includes(ask.id) ? { ...ask, answer: { kind: 'sending' as const, queuedAt: result.queuedAt, by: by.name } } : ask)) : undefined;
  const stood: AnsweredState = rest.kind === 'pended' && asks ? { ...rest, asks } : rest;
  const added = change.purpose === 'update' ? change.change.add : [];
  return {
    state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0, purpose: change.purpose, before: stood, ...(added.length > 0 ? { added } : {}) },
    action: change.purpose === 'cancel' ? 'request-cancelled' : 'request-changed',
    details: { submissionId: result.submissionId },
  };
}

function answeredState({ state }: PriorAuthCase): AnsweredState {
  if (state.kind === 'pended' || state.kind === 'decided') return state;
  throw notAllowed('The payer does not have this request.');
}

/** Throws REQUEST_INVALID for sequences that the request does not have (any more), that are named twice, and for a change of nothing. */
function mustFit({ cancel, change, add }: RequestChange, { keys }: SubmissionRow, bringsMore: boolean): void {
  const live = keys.items.filter(({ cancelled }) => !cancelled).map(({ sequence }) => sequence);
  const named = [...cancel, ...change.map(({ sequence }) => sequence)];
  const wrong = named.find((sequence, index) => !live.includes(sequence) || named.indexOf(sequence) !== index);
  if (wrong !== undefined) throw new PriorAuthError('REQUEST_INVALID', `change: item ${wrong} is not in the request, or is named twice.`, { nextStep: 'Load the case again and choose from its items.' });
  if (named.length === 0 && add.length === 0 && !bringsMore) throw new PriorAuthError('REQUEST_INVALID', 'change: nothing would change.', { nextStep: 'Say what is to change.' });
  if (add.length === 0 && cancel.length === live.length) throw new PriorAuthError('REQUEST_INVALID', 'change: every item would be cancelled.', { nextStep: 'Cancel the request as a whole.' });
}

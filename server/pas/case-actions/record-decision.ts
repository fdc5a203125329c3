import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { type EnteredDecision, toPayerDecision } from '#prior-auth/payer-decision/entered-decision.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';

/** Writes down what the payer said by telephone, fax, portal or letter, for every item. A request that still waits in the outbox is taken back: the payer has decided. Throws REQUEST_INVALID. */
export function recordDecision(parts: CaseActionParts, call: CaseActionCall, entered: EnteredDecision): Promise<PriorAuthCase> {
  return takeCaseAction(parts, call, 'record-decision', async (trx, locked) => {
    const { state } = locked;
    if (state.kind !== 'manual') throw notAllowed('This case is not handled by hand.');
    const nowIso = new Date(parts.now()).toISOString();
    const decision = toPayerDecision(entered, itemsAskedFor(locked), call.by, nowIso);
    if (!decision) throw new PriorAuthError('REQUEST_INVALID', 'items: each item of the request must be in it, once.', { nextStep: 'Give the payer’s decision for each item.' });
    await trx.withTables<PasTables>().updateTable('pas.submission').set({ status: 'withdrawn', next_at: null }).where('case_id', '=', call.caseId).where('status', '=', 'held').execute();
    const submittedAt = state.submittedAt ?? state.since;
    return { state: { kind: 'decided', submittedAt, decision }, action: 'decision-entered', details: { overall: decision.overall, learnedBy: entered.learnedBy } };
  });
}

/** Sequences of a case's items: those that the payer has answered, else one for each order. */
export function itemsAskedFor({ state, further = [] }: PriorAuthCase): readonly number[] {
  const answered = state.kind === 'manual' && state.was?.kind === 'pended' ? state.was.decision.items.map(({ sequence }) => sequence) : [];
  return answered.length > 0 ? answered : [1, ...further.map((_order, index) => index + 2)];
}

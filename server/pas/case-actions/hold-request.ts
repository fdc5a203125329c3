import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';
import { lockUnsent } from './outbox-row.ts';

/** Keeps a queued request in the outbox until somebody lets it go. Throws CASE_CONFLICT while it is being sent. */
export function holdRequest(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  return takeCaseAction(parts, call, 'hold', async (trx, { state }) => {
    if (state.kind !== 'queued') throw notAllowed('Only a queued request can be held.');
    const row = await lockUnsent(trx, call.caseId, parts.now());
    await trx.withTables<PasTables>().updateTable('pas.submission').set({ status: 'held', next_at: null, lease_until: null }).where('id', '=', row.id).execute();
    const { kind: _queued, lastError: _error, ...carried } = state;
    return { state: { ...carried, kind: 'held', heldAt: new Date(parts.now()).toISOString(), heldBy: call.by.name, attempts: row.attempts }, action: 'request-held', details: { submissionId: row.id, attempts: row.attempts } };
  });
}

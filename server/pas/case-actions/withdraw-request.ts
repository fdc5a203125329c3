import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';
import { lockUnsent } from './outbox-row.ts';

/** Takes a request back that never left. A new one is ready again; a change goes, and what stood at the payer stands. */
export function withdrawRequest(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  return takeCaseAction(parts, call, 'withdraw', async (trx, { state, further = [] }) => {
    if (state.kind !== 'queued' && state.kind !== 'held') throw notAllowed('Nothing of this case is on its way to the payer.');
    const row = await lockUnsent(trx, call.caseId, parts.now());
    if (row.attempts > 0) throw notAllowed('The payer may have the request already: it was sent, and no answer came. Wait for the answer, then cancel it.');
    await trx.withTables<PasTables>().updateTable('pas.submission').set({ status: 'withdrawn', next_at: null }).where('id', '=', row.id).execute();
    const { added = [] } = state;
    return { state: state.before ?? { kind: 'ready' }, ...(added.length > 0 ? { further: further.filter(({ order }) => !added.includes(order)) } : {}), action: 'request-withdrawn', details: { submissionId: row.id, purpose: row.purpose } };
  });
}

import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';
import { lockUnsent } from './outbox-row.ts';

/** Lets a held request go: it takes its old place in the line. */
export async function releaseRequest(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  const released = await takeCaseAction(parts, call, 'release', async (trx, { state }) => {
    if (state.kind !== 'held') throw notAllowed('Only a held request can be let go.');
    const row = await lockUnsent(trx, call.caseId, parts.now());
    await trx.withTables<PasTables>().updateTable('pas.submission').set({ status: 'queued', next_at: new Date(parts.now()).toISOString() }).where('id', '=', row.id).execute();
    const { kind: _held, heldAt: _at, heldBy: _by, attempts = 0, ...carried } = state;
    return { state: { ...carried, kind: 'queued', attempts }, action: 'request-released', details: { submissionId: row.id } };
  });
  parts.sender.wake(released.payer.id);
  return released;
}

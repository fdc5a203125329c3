import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, takeCaseAction } from './case-action.ts';
import { lockUnsent } from './outbox-row.ts';

/** Sends a waiting request now instead of at its next turn: the same bytes, so that the payer sees one request whatever arrived before. */
export async function resendRequest(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  const resent = await takeCaseAction(parts, call, 'resend', async (trx, { state }) => {
    const row = await lockUnsent(trx, call.caseId, parts.now());
    await trx.withTables<PasTables>().updateTable('pas.submission').set({ next_at: new Date(parts.now()).toISOString() }).where('id', '=', row.id).execute();
    return { state, action: 'request-resent', details: { submissionId: row.id, attempts: row.attempts } };
  });
  parts.sender.wake(resent.payer.id);
  return resent;
}

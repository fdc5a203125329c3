import type { CaseState, PriorAuthCase } from '#prior-auth/case.ts';
import type { PasTables } from '../submission-table.ts';
import { stateOf } from '../../store/forms.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';
import { lockUnsent } from './outbox-row.ts';

/** From by hand back to electronic: to where the case was. A request that waited goes again, with the same bytes. */
export async function switchBack(parts: CaseActionParts, call: CaseActionCall): Promise<PriorAuthCase> {
  const back = await takeCaseAction(parts, call, 'switch-back', async (trx, { state }) => {
    if (state.kind !== 'manual') throw notAllowed('This case is not handled by hand.');
    const was: CaseState = state.was ?? stateOf(await parts.forms.list(call.caseId, trx));
    if (was.kind === 'queued') {
      const row = await lockUnsent(trx, call.caseId, parts.now());
      await trx.withTables<PasTables>().updateTable('pas.submission').set({ status: 'queued', next_at: new Date(parts.now()).toISOString() }).where('id', '=', row.id).execute();
    }
    return { state: was, action: 'switched-back', details: { to: was.kind } };
  });
  parts.sender.wake(back.payer.id);
  return back;
}

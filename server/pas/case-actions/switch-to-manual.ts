import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, notAllowed, takeCaseAction } from './case-action.ts';
import { lockUnsent } from './outbox-row.ts';

export interface ManualHandling {
  /** The payer's number for it. */
  readonly reference?: string;
  /** ISO instant at which the payer had the request by telephone, fax or portal; its clock runs from there. */
  readonly submittedAt?: string;
}

/**
 * A person goes on by telephone, fax or portal with the printed packet. What waits in the outbox stays there, held, under its identifiers:
 * switched back, the same request goes. What the payer already has is still followed.
 */
export function switchToManual(parts: CaseActionParts, call: CaseActionCall, { reference, submittedAt }: ManualHandling): Promise<PriorAuthCase> {
  return takeCaseAction(parts, call, 'switch-to-manual', async (trx, { state }) => {
    if (state.kind === 'manual') throw notAllowed('This case is handled by hand already.');
    if (state.kind === 'queued') {
      const row = await lockUnsent(trx, call.caseId, parts.now());
      await trx.withTables<PasTables>().updateTable('pas.submission').set({ status: 'held', next_at: null, lease_until: null }).where('id', '=', row.id).execute();
    }
    const manual = { kind: 'manual', since: new Date(parts.now()).toISOString(), by: call.by.name, ...(reference ? { reference } : {}), ...(submittedAt ? { submittedAt } : {}), was: state } as const;
    return { state: manual, action: 'switched-to-manual', details: { from: state.kind } };
  });
}

/** Adds or corrects the payer's number, or when the payer had the request. */
export function updateManual(parts: CaseActionParts, call: CaseActionCall, handling: ManualHandling): Promise<PriorAuthCase> {
  return takeCaseAction(parts, call, 'switch-back', async (_trx, { state }) => {
    if (state.kind !== 'manual') throw notAllowed('This case is not handled by hand.');
    return { state: { ...state, ...handling }, action: 'switched-to-manual', details: { from: 'manual' } };
  });
}

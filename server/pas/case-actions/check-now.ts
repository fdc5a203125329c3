import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PasTables } from '../submission-table.ts';
import { type CaseActionCall, type CaseActionParts, demand } from './case-action.ts';

/** A person asks the payer now where the case stands (PAS: no limit on user-initiated inquiries). The answer reaches the case within seconds; the case itself does not change here. */
export async function checkNow(parts: CaseActionParts, { caseId, by }: CaseActionCall): Promise<PriorAuthCase> {
  const found = await parts.store.transaction(async (trx) => {
    const read = await parts.cases.read(caseId, trx);
    demand(read, 'check-now');
    const row = await trx.withTables<PasTables>().updateTable('pas.submission').set({ next_at: new Date(parts.now()).toISOString(), inquiry_due: true }).where('case_id', '=', caseId).where('status', '=', 'pended').returning('id').executeTakeFirst();
    if (!row) throw new PriorAuthError('CASE_CONFLICT', 'The payer has answered in the meantime.', { nextStep: 'Load the case again.' });
    await parts.audit.recordWithin(trx, { action: 'payer-asked', who: by.reference, what: [read.service.order], caseId, details: { payerId: read.payer.id, submissionId: row.id } });
    return read;
  });
  parts.sender.wake(found.payer.id);
  return found;
}

import type { Transaction } from 'kysely';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AnyDatabase } from '#store/database.ts';
import { type PasTables, type SubmissionRow, toSubmissionRow } from '../submission-table.ts';

/** The row of a case that is queued or held, locked and in nobody's hands. Throws CASE_CONFLICT while it is being sent: its answer comes in seconds. */
export async function lockUnsent(trx: Transaction<AnyDatabase>, caseId: string, nowMs: number): Promise<SubmissionRow> {
  const found = await trx.withTables<PasTables>().selectFrom('pas.submission').selectAll().where('case_id', '=', caseId).where('status', 'in', ['queued', 'held']).forUpdate().executeTakeFirst();
  if (!found) throw new PriorAuthError('CASE_CONFLICT', 'Nothing of this case is on its way any more.', { nextStep: 'Load the case again.' });
  if (found.status === 'queued' && found.lease_until !== null && new Date(found.lease_until).getTime() > nowMs) {
    throw new PriorAuthError('CASE_CONFLICT', 'The request is being sent at this moment.', { nextStep: 'Wait for the answer, or try again in a minute.', retryable: true });
  }
  return toSubmissionRow(found);
}

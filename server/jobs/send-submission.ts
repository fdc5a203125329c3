import { PriorAuthError } from '#prior-auth/errors.ts';
import { uuidv7 } from '#store/uuid.ts';
import { recordExchange } from '../metric-data/exchanges.ts';
import type { SenderParts } from '../pas/sender-parts.ts';
import { noteLine } from '../pas/payer-line.ts';
import type { PasTables, SubmissionRow } from '../pas/submission-table.ts';
import { readSubmitAnswer, sendSubmit } from '../payer/submit.ts';

/** Longer than a token request and two tries of a submission can take. */
export const LEASE_MS = 100_000;
const LONGEST_DELAY_MS = 300_000;

/**
 * Sends one submission that was leased for it. Where a killed process leaves it:
 * - before the lease: the row is queued and due, the next tick sends it;
 * - after the lease, before or while sending: the row is still queued; the lease runs out and the same bytes go again. The payer may have them already:
 *   it knows Bundle.identifier and Claim.identifier and answers what it answered (PAS 3.4), so it sees one request;
 * - after the payer's answer, before the commit: as above;
 * - the commit itself moves row, case, audit and raw answer together, or none of them;
 * - after the commit: the row is no longer queued, and nobody leases it again.
 */
export async function sendLeased(parts: SenderParts, row: SubmissionRow): Promise<void> {
  const { store, cases, audit, log, now, client } = parts;
  const payer = parts.payers.byId(row.payerId);
  if (!payer) throw new PriorAuthError('PAYER_NOT_CONFIGURED', `Payer ${row.payerId} of submission ${row.id} is not configured.`);

  const startedMs = now();
  const sentAt = new Date(startedMs).toISOString();
  const reply = await sendSubmit(client, payer, row.bundle);
  const receivedMs = now();
  const receivedAt = new Date(receivedMs).toISOString();
  const reading = readSubmitAnswer(reply, payer, row, { sentAt, receivedAt });
  const facts = { submissionId: row.id, caseId: row.caseId, payerId: payer.id, attempt: row.attempts, ms: receivedMs - startedMs };

  await store.transaction(async (trx) => {
    const pas = trx.withTables<PasTables>();
    await noteLine(parts, trx, payer.id, reply.kind === 'unavailable' ? `PAYER_UNAVAILABLE: ${reply.error}` : undefined);
    const type = row.attempts > 1 ? 'subsequent' : row.purpose === 'new' ? 'initial' : row.purpose;
    await recordExchange(trx, { caseId: row.caseId, submissionId: row.id, type, startedMs, receivedMs, reply, decision: reading.kind === 'answer' ? reading.decision : undefined });
    const current = await pas.selectFrom('pas.submission').select('status').where('id', '=', row.id).forUpdate().executeTakeFirst();
    // Another worker, whose lease followed ours, has recorded the same answer.
    if (current?.status !== 'queued') return;
    if (reply.kind === 'answered') {
      await pas.insertInto('pas.answer').values({ id: uuidv7(receivedMs), submission_id: row.id, operation: 'submit', http_status: reply.status, body: reply.body, received_at: receivedAt }).execute();
    }
    if (reading.kind === 'retry') {
      const nextAt = new Date(receivedMs + Math.min(parts.retryBaseMs * 2 ** (row.attempts - 1), LONGEST_DELAY_MS)).toISOString();
      await pas.updateTable('pas.submission').set({ last_error: reading.error, next_at: nextAt, lease_until: null }).where('id', '=', row.id).execute();
      await cases.recordAttempt(trx, row.caseId, reading.error);
      log.warn({ ...facts, error: reading.error, nextAt }, 'submission not delivered, will be sent again');
      return;
    }
    const { answer } = reading;
    // The request that this one changes gives way to it, in the same step: one stands at the payer at a time.
    if (row.previousId && answer.kind !== 'refused') await pas.updateTable('pas.submission').set({ status: 'replaced', next_at: null }).where('id', '=', row.previousId).execute();
    await pas
      .updateTable('pas.submission')
      .set({
        status: answer.kind,
        last_error: answer.kind === 'refused' ? answer.reason : null,
        submitted_at: sentAt,
        next_at: answer.kind === 'pended' ? new Date(receivedMs + parts.inquiryIntervalMs).toISOString() : null,
        lease_until: null,
        decision: reading.decision ? JSON.stringify(reading.decision) : null,
        response_references: JSON.stringify(reading.references),
      })
      .where('id', '=', row.id)
      .execute();
    await cases.recordAnswer(trx, row.caseId, answer, 'latest');
    const common = { who: 'open-prior-auth-server', caseId: row.caseId, details: { payerId: payer.id, submissionId: row.id, httpStatus: reply.kind === 'answered' ? reply.status : 0 } };
    if (answer.kind === 'refused') {
      await audit.recordWithin(trx, { ...common, action: 'pas-bundle-refused', outcome: 'refused' });
    } else {
      await audit.recordWithin(trx, { ...common, action: 'pas-bundle-sent' });
      await audit.recordWithin(trx, { ...common, who: payer.id, action: 'payer-decision-received', details: { ...common.details, overall: answer.decision.overall } });
    }
    log.info({ ...facts, answer: answer.kind }, 'submission answered');
  });
}

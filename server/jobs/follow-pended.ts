import { randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import type { Transaction } from 'kysely';
import { standingAnswer } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { buildInquiry } from '#prior-auth/pas-bundle/build-inquiry.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { supersedes } from '#prior-auth/payer-decision/supersedes.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { recordExchange } from '../metric-data/exchanges.ts';
import type { SenderParts } from '../pas/sender-parts.ts';
import { type PasTables, toSubmissionRow } from '../pas/submission-table.ts';
import { readInquiryAnswer, sendInquiry } from '../payer/inquire.ts';

/** Asks the payer about one pended submission. Reading changes nothing at the payer, so a job that runs twice asks twice and records once. */
export async function followPended(parts: SenderParts, submissionId: string): Promise<void> {
  const { store, cases, audit, log, now, client } = parts;
  const found = await store.db.withTables<PasTables>().selectFrom('pas.submission').selectAll().where('id', '=', submissionId).where('status', '=', 'pended').executeTakeFirst();
  if (!found) return;
  const row = toSubmissionRow(found);
  const payer = parts.payers.byId(row.payerId);
  if (!payer) throw new PriorAuthError('PAYER_NOT_CONFIGURED', `Payer ${row.payerId} of submission ${row.id} is not configured.`);

  const inquiry = buildInquiry(JSON.parse(row.bundle) as Bundle, row.decision, { ids: randomUUID, now: now(), version: row.pasVersion });
  const invalid = parts.faultsOf(inquiry, row.pasVersion).map(({ words }) => words);
  if (invalid.length > 0) throw new PriorAuthError('PAS_BUNDLE_INVALID', `The inquiry of submission ${row.id} is invalid: ${invalid.join('; ')}`);
  const startedMs = now();
  const reply = await sendInquiry(client, payer, JSON.stringify(inquiry));
  const receivedMs = now();
  const receivedAt = new Date(receivedMs).toISOString();
  const reading = readInquiryAnswer(reply, payer, row.keys, receivedAt);
  const facts = { submissionId: row.id, caseId: row.caseId, payerId: payer.id };

  await store.transaction(async (trx) => {
    const pas = trx.withTables<PasTables>();
    await recordExchange(trx, { caseId: row.caseId, submissionId: row.id, type: 'query', startedMs, receivedMs, reply });
    const locked = await pas.selectFrom('pas.submission').selectAll().where('id', '=', row.id).forUpdate().executeTakeFirst();
    if (locked?.status !== 'pended') return;
    const known = toSubmissionRow(locked).decision;
    const nextAt = new Date(receivedMs + parts.inquiryIntervalMs).toISOString();
    if (reading.kind === 'nothing') {
      await pas.updateTable('pas.submission').set({ last_error: reading.why, next_at: nextAt }).where('id', '=', row.id).execute();
      log.warn({ ...facts, why: reading.why }, 'inquiry brought nothing');
      return;
    }
    // Answers may overtake one another: a notification may have brought a later one while this inquiry was on its way.
    const isNew = !known || (supersedes(reading.decision, known) && JSON.stringify({ ...reading.decision, decidedAt: '' }) !== JSON.stringify({ ...known, decidedAt: '' }));
    await pas
      .updateTable('pas.submission')
      .set({ status: reading.kind, last_error: null, next_at: reading.kind === 'pended' ? nextAt : null, ...(isNew ? { decision: JSON.stringify(reading.decision) } : {}) })
      .where('id', '=', row.id)
      .execute();
    const asks = reading.kind === 'pended' ? reading.asks : undefined;
    if (!isNew && !(asks && (await asksAnew(parts, trx, row.caseId, asks)))) return;
    if (reply.kind === 'answered') {
      await pas.insertInto('pas.answer').values({ id: uuidv7(receivedMs), submission_id: row.id, operation: 'inquire', http_status: reply.status, body: reply.body, received_at: receivedAt }).execute();
    }
    // The payer's clock started when it first had the request.
    const behind = await pas.selectFrom('pas.submission').select('id').where('case_id', '=', row.caseId).where('status', 'in', ['queued', 'held']).executeTakeFirst();
    await cases.recordAnswer(trx, row.caseId, { kind: reading.kind, submittedAt: row.submittedAt ?? receivedAt, decision: reading.decision, ...(asks ? { asks } : {}) }, behind ? 'before' : 'latest');
    await audit.recordWithin(trx, { action: 'payer-decision-received', who: payer.id, caseId: row.caseId, details: { submissionId: row.id, overall: reading.decision.overall } });
    log.info({ ...facts, answer: reading.kind }, 'inquiry answered');
  });
}

/** Whether the payer asks for something else than is open in the case. */
async function asksAnew({ cases }: SenderParts, trx: Transaction<AnyDatabase>, caseId: string, asks: readonly InformationRequest[]): Promise<boolean> {
  const found = await cases.read(trx, caseId);
  const answer = found && standingAnswer(found.state);
  const known = answer?.kind === 'pended' ? (answer.asks ?? []) : [];
  return asks.some(({ id }) => !known.some((ask) => ask.id === id)) || known.some((ask) => ask.state === 'open' && !asks.some(({ id }) => id === ask.id));
}

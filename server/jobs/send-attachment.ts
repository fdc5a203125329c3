import { sql } from 'kysely';
import { uuidv7 } from '#store/uuid.ts';
import type { SenderParts } from '../pas/sender-parts.ts';
import type { PasTables } from '../pas/submission-table.ts';
import { readAttachmentAnswer, sendAttachment } from '../payer/submit-attachment.ts';

const LONGEST_DELAY_MS = 300_000;
/** In one round of a process; the rest is due at the next. */
const MOST_AT_ONCE = 20;

/** Answers to what payers ask for, as they are due: leased one by one, sent with the same bytes and tracking id until the payer takes or refuses them. */
export async function sendAttachments(parts: SenderParts): Promise<void> {
  for (let sent = 0; sent < MOST_AT_ONCE; sent += 1) if (!(await sendNext(parts))) return;
}

async function sendNext(parts: SenderParts): Promise<boolean> {
  const { store, payers, client, now, leaseMs, cases, audit, log } = parts;
  const nowAt = new Date(now()).toISOString();
  const until = new Date(now() + leaseMs).toISOString();
  const db = store.db.withTables<PasTables>();
  const due = db.selectFrom('pas.attachment').select('id').where('status', '=', 'queued').where('next_at', '<=', nowAt).orderBy('next_at').orderBy('id').limit(1).forUpdate().skipLocked();
  const row = await db.updateTable('pas.attachment').set({ lease_until: until, next_at: until, attempts: sql<number>`attempts + 1` }).where('id', '=', due).returningAll().executeTakeFirst();
  if (!row) return false;
  const payer = payers.byId(row.payer_id);
  const reply = payer ? await sendAttachment(client, payer, row.target, row.body) : ({ kind: 'unavailable', error: 'the payer is not configured' } as const);
  const reading = readAttachmentAnswer(reply);
  const receivedMs = now();
  const receivedAt = new Date(receivedMs).toISOString();
  await store.transaction(async (trx) => {
    const pas = trx.withTables<PasTables>();
    const current = await pas.selectFrom('pas.attachment').select('status').where('id', '=', row.id).forUpdate().executeTakeFirst();
    if (current?.status !== 'queued') return;
    if (reading.kind === 'retry') {
      const nextAt = new Date(receivedMs + Math.min(parts.retryBaseMs * 2 ** Math.min(row.attempts - 1, 20), LONGEST_DELAY_MS)).toISOString();
      await pas.updateTable('pas.attachment').set({ last_error: reading.error, next_at: nextAt, lease_until: null }).where('id', '=', row.id).execute();
      log.warn({ attachmentId: row.id, caseId: row.case_id, payerId: row.payer_id, error: reading.error, nextAt }, 'answer to a payer’s question not delivered, will be sent again');
      return;
    }
    if (reply.kind === 'answered') {
      await pas.insertInto('pas.answer').values({ id: uuidv7(receivedMs), submission_id: row.submission_id, operation: 'submit-attachment', http_status: reply.status, body: reply.body, received_at: receivedAt }).execute();
    }
    const isTaken = reading.kind === 'taken';
    await pas.updateTable('pas.attachment').set({ status: isTaken ? 'sent' : 'refused', sent_at: isTaken ? receivedAt : null, last_error: isTaken ? null : reading.reason, next_at: null, lease_until: null }).where('id', '=', row.id).execute();
    await cases.recordAskAnswer(trx, row.case_id, row.ask_id, isTaken ? { kind: 'answered', at: receivedAt } : { kind: 'refused', at: receivedAt, reason: reading.reason });
    // The payer may decide on it at once.
    if (isTaken) await pas.updateTable('pas.submission').set({ next_at: receivedAt, inquiry_due: true }).where('case_id', '=', row.case_id).where('status', '=', 'pended').execute();
    await audit.recordWithin(trx, { action: isTaken ? 'information-sent' : 'information-refused', who: 'open-prior-auth-server', caseId: row.case_id, ...(isTaken ? {} : { outcome: 'refused' as const }), details: { payerId: row.payer_id, attachmentId: row.id } });
  });
  return true;
}

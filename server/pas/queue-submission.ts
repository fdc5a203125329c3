import type { Transaction } from 'kysely';
import type { SubmissionPreview } from '#prior-auth/panel-api.ts';
import type { RequestChange } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput, SubmissionProblem } from '#prior-auth/pas-bundle/submission-input.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { buildChecked } from './build-checked.ts';
import { wantSubscription } from './notifications-want.ts';
import type { SenderParts } from './sender-parts.ts';
import { type PasTables, toSubmissionRow } from './submission-table.ts';

export type QueueResult =
  /** The caller moves the case to `queued` in the same transaction, with this instant. */
  | { readonly kind: 'queued'; readonly submissionId: string; /** The connection it goes by: the payer, or one of its plans. */ readonly payerId: string; readonly queuedAt: string }
  /** This case has a live submission; nothing was written. */
  | { readonly kind: 'already-queued'; readonly submissionId: string }
  | { readonly kind: 'problems'; readonly problems: readonly SubmissionProblem[] };

/** What to do with the request that stands at the payer; without it a new request is made. */
export type QueuedChange = { readonly purpose: 'update'; readonly change: RequestChange } | { readonly purpose: 'cancel' };

/** Builds, validates, stores and enqueues, all within the caller's transaction: the case is queued if, and only if, its bundle is in the outbox. */
export async function queueSubmission(parts: SenderParts, trx: Transaction<AnyDatabase>, input: SubmissionInput, who: string, change?: QueuedChange): Promise<QueueResult> {
  const pas = trx.withTables<PasTables>();
  const ofCase = () => pas.selectFrom('pas.submission').selectAll().where('case_id', '=', input.case.id);
  const findSending = () => ofCase().where('status', 'in', ['queued', 'held']).executeTakeFirst();
  const sending = await findSending();
  if (sending) return { kind: 'already-queued', submissionId: sending.id };
  const found = await ofCase().where('status', 'in', ['pended', 'decided']).executeTakeFirst();
  const standing = found && toSubmissionRow(found);
  if (standing && !change) return { kind: 'already-queued', submissionId: standing.id };
  if (!standing && change) return { kind: 'problems', problems: [NOTHING_STANDS] };

  const nowMs = parts.now();
  const payer = standing ? parts.payers.byId(standing.payerId) : parts.payers.forCoverage(input.case.payer.id, input.coverage);
  if (!payer) return { kind: 'problems', problems: [NOT_CONFIGURED] };
  if (payer.mode === 'manual') return { kind: 'problems', problems: [BY_HAND] };
  const submission = buildChecked(parts, payer, input, nowMs, standing && change ? { standing, change } : undefined);
  if (submission.kind === 'incomplete') return { kind: 'problems', problems: submission.problems };
  const id = uuidv7(nowMs);
  const queuedAt = new Date(nowMs).toISOString();
  const inserted = await pas
    .insertInto('pas.submission')
    .values({
      id,
      case_id: input.case.id,
      payer_id: payer.id,
      submitted_by: who,
      bundle_identifier: submission.keys.bundleIdentifier,
      claim_identifier: submission.keys.claimIdentifier,
      keys: JSON.stringify(submission.keys),
      bundle: JSON.stringify(submission.bundle),
      status: 'queued',
      attempts: 0,
      queued_at: queuedAt,
      next_at: queuedAt,
      response_references: '[]',
      purpose: change?.purpose ?? 'new',
      pas_version: payer.pasVersion,
      previous_id: standing?.id ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!inserted) return { kind: 'already-queued', submissionId: (await findSending())?.id ?? id };
  await wantSubscription(parts, trx, payer.id, submission.bundle);
  await parts.audit.recordWithin(trx, { action: 'pas-bundle-queued', who, what: [input.case.service.order], caseId: input.case.id, details: { payerId: input.case.payer.id, submissionId: id, purpose: change?.purpose ?? 'new' } });
  return { kind: 'queued', submissionId: id, payerId: payer.id, queuedAt };
}

/** What would be sent, and what stops it. Writes nothing; the identifiers are thrown away. */
export function previewSubmission(parts: Pick<SenderParts, 'faultsOf' | 'payers' | 'now' | 'diagnosisMap'>, input: SubmissionInput): SubmissionPreview {
  const payer = parts.payers.forCoverage(input.case.payer.id, input.coverage);
  if (!payer) return { items: [], resources: [], problems: [NOT_CONFIGURED] };
  const submission = buildChecked(parts, payer, input, parts.now());
  return submission.kind === 'built' ? submission.summary : { items: [], resources: [], problems: submission.problems };
}

const NOT_CONFIGURED: SubmissionProblem = { code: 'PAYER_NOT_CONFIGURED', message: 'The payer of this case is not configured.', nextStep: 'Ask the administrator to configure the payer.' };
const BY_HAND: SubmissionProblem = { code: 'PAYER_BY_HAND', message: 'Requests to this payer are handled by hand at present.', nextStep: 'Switch the case to manual, print the packet and send it by fax, portal or telephone.' };
const NOTHING_STANDS: SubmissionProblem = { code: 'NO_REQUEST_AT_PAYER', message: 'The payer has no request of this case that could be changed.', nextStep: 'Send a new request.' };

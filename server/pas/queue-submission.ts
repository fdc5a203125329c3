import { randomBytes, randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import type { Transaction } from 'kysely';
import type { SubmissionPreview } from '#prior-auth/panel-api.ts';
import { buildSubmission } from '#prior-auth/pas-bundle/build-submission.ts';
import type { SubmissionInput, SubmissionProblem } from '#prior-auth/pas-bundle/submission-input.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { QUEUES, type SenderParts } from './sender-parts.ts';
import type { PasTables } from './submission-table.ts';

export type QueueResult =
  /** The caller moves the case to `queued` in the same transaction, with this instant. */
  | { readonly kind: 'queued'; readonly submissionId: string; readonly queuedAt: string }
  /** This case has a live submission; nothing was written. */
  | { readonly kind: 'already-queued'; readonly submissionId: string }
  | { readonly kind: 'problems'; readonly problems: readonly SubmissionProblem[] };

/** How long the job that is enqueued with the row has before the row is looked after without it. */
const FIRST_TRY_MS = 20_000;

/** Builds, validates, stores and enqueues, all within the caller's transaction: the case is queued if, and only if, its bundle is in the outbox. */
export async function queueSubmission(parts: SenderParts, trx: Transaction<AnyDatabase>, input: SubmissionInput, who: string): Promise<QueueResult> {
  const pas = trx.withTables<PasTables>();
  const findLive = () => pas.selectFrom('pas.submission').select('id').where('case_id', '=', input.case.id).where('status', 'in', ['queued', 'pended']).executeTakeFirst();
  const live = await findLive();
  if (live) return { kind: 'already-queued', submissionId: live.id };

  const nowMs = parts.now();
  const submission = buildChecked(parts, input, nowMs);
  if (submission.kind === 'incomplete') return { kind: 'problems', problems: submission.problems };
  const id = uuidv7(nowMs);
  const queuedAt = new Date(nowMs).toISOString();
  const inserted = await pas
    .insertInto('pas.submission')
    .values({
      id,
      case_id: input.case.id,
      payer_id: input.case.payer.id,
      submitted_by: who,
      bundle_identifier: submission.keys.bundleIdentifier,
      claim_identifier: submission.keys.claimIdentifier,
      keys: JSON.stringify(submission.keys),
      bundle: JSON.stringify(submission.bundle),
      status: 'queued',
      attempts: 0,
      queued_at: queuedAt,
      next_at: new Date(nowMs + FIRST_TRY_MS).toISOString(),
      response_references: '[]',
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!inserted) return { kind: 'already-queued', submissionId: (await findLive())?.id ?? id };
  await parts.jobs.sendWithin(trx, QUEUES.send, { submissionId: id });
  await wantSubscription(parts, trx, input.case.payer.id, submission.bundle, queuedAt);
  await parts.audit.recordWithin(trx, { action: 'pas-bundle-queued', who, what: [input.case.service.order], caseId: input.case.id, details: { payerId: input.case.payer.id, submissionId: id } });
  return { kind: 'queued', submissionId: id, queuedAt };
}

/** What would be sent, and what stops it. Writes nothing; the identifiers are thrown away. */
export function previewSubmission(parts: Pick<SenderParts, 'faultsOf' | 'payers' | 'now'>, input: SubmissionInput): SubmissionPreview {
  const submission = buildChecked(parts, input, parts.now());
  return submission.kind === 'built' ? submission.summary : { items: [], resources: [], problems: submission.problems };
}

function buildChecked({ payers, faultsOf }: Pick<SenderParts, 'faultsOf' | 'payers'>, input: SubmissionInput, nowMs: number): ReturnType<typeof buildSubmission> {
  const payer = payers.byId(input.case.payer.id);
  if (payer?.pasVersion !== '2.0.1') {
    const message = payer ? `The payer asks for PAS ${payer.pasVersion}, which is not written yet.` : 'The payer of this case is not configured.';
    return { kind: 'incomplete', problems: [{ code: 'PAYER_NOT_CONFIGURED', message, nextStep: 'Ask the administrator to configure the payer.' }] };
  }
  const submission = buildSubmission(input, { ids: randomUUID, now: nowMs });
  if (submission.kind === 'incomplete') return submission;
  const faults = faultsOf(submission.bundle);
  if (faults.length === 0) return submission;
  const problem = {
    code: 'PAS_BUNDLE_INVALID',
    message: `The request does not meet PAS 2.0.1: ${faults.slice(0, 5).join('; ')}${faults.length > 5 ? `; and ${faults.length - 5} more` : ''}`,
    nextStep: 'Correct the named parts in the EHR record, or report this message to the administrator.',
  };
  return { kind: 'incomplete', problems: [problem] };
}

/** The first submission to a payer also asks for its notifications. */
async function wantSubscription({ payers, jobs }: SenderParts, trx: Transaction<AnyDatabase>, payerId: string, bundle: Bundle, changedAt: string): Promise<void> {
  if (payers.byId(payerId)?.subscriptions !== 'rest-hook') return;
  const requestor = bundle.entry?.map(({ resource }) => resource).find((resource) => resource?.resourceType === 'Organization' && resource.meta?.profile?.[0]?.endsWith('profile-requestor'));
  const identifier = requestor?.resourceType === 'Organization' ? requestor.identifier?.[0]?.value : undefined;
  if (!identifier) return;
  const inserted = await trx
    .withTables<PasTables>()
    .insertInto('pas.subscription')
    .values({ payer_id: payerId, secret: randomBytes(32).toString('base64url'), organization_identifier: identifier, status: 'wanted', last_event_number: 0, changed_at: changedAt })
    .onConflict((conflict) => conflict.doNothing())
    .returning('payer_id')
    .executeTakeFirst();
  if (inserted) await jobs.sendWithin(trx, QUEUES.subscribe, { payerId });
}

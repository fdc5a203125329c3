import express, { type Router } from 'express';
import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import { openValidator, type Validator } from '#fhir/validation/validator.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { SubmissionPreview } from '#prior-auth/panel-api.ts';
import type { PasVersion } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { Jobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { followPended } from '../jobs/follow-pended.ts';
import { LEASE_MS, sendSubmission } from '../jobs/send-submission.ts';
import { subscribe } from '../jobs/subscribe.ts';
import type { CasePort } from '../payer/case-port.ts';
import { createPayerClient } from '../payer/payer-client.ts';
import { bundleFaults } from './bundle-faults.ts';
import { createNotificationRoutes } from './notifications.ts';
import { previewSubmission, type QueuedChange, type QueueResult, queueSubmission } from './queue-submission.ts';
import { QUEUES, type SenderParts } from './sender-parts.ts';
import { type PasTables, pasMigrations } from './submission-table.ts';

export interface PasSenderOptions {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly baseUrl: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly payers: PayerDirectory;
  /** `openKeyRing(store, 'server', ['ES384', 'RS384'], now)`. */
  readonly keys: KeyRing;
  readonly cases: CasePort;
  /** Milliseconds between two inquiries about a pended case. Default 30,000. */
  readonly inquiryIntervalMs?: number;
  /** Milliseconds before the second sending of a submission that was not delivered; doubles up to five minutes. Default 1,000. */
  readonly retryBaseMs?: number;
  /** Milliseconds a payer has to answer one request. Default: what the payer's configuration says. */
  readonly timeoutMs?: number;
  /** Milliseconds after which a row that a killed process had in hand is taken up by another. Longer than a token request and two tries of a submission can take; default 100,000. */
  readonly leaseMs?: number;
}

export interface PasSender {
  readonly router: Router;
  /** Builds, validates and stores the bundle and enqueues its sending, all within `trx`. `who` is the relative reference of the person who submits. */
  queueSubmission(trx: Transaction<AnyDatabase>, input: SubmissionInput, who: string, change?: QueuedChange): Promise<QueueResult>;
  /** What would be sent, and what stops it. Writes nothing. */
  preview(input: SubmissionInput): SubmissionPreview;
  /** Looks at once for what is due at a payer, instead of at the next tick. Call it after the transaction that made it due. */
  wake(payerId: string): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const CLIENT_ID = 'open-prior-auth-server';
const SCOPE = 'system/Claim.c system/Subscription.crud';
/** How often due rows are looked for: retries and inquiries are this punctual. */
const TICK_MS = 500;

/** The sending side of PAS 2.0.1. The table is the truth; jobs only wake the worker, so a lost job costs a tick and a doubled one nothing. */
export async function createPasSender({ store, jobs, baseUrl, log, now, audit, payers, keys, cases, inquiryIntervalMs = 30_000, retryBaseMs = 1_000, timeoutMs, leaseMs = LEASE_MS }: PasSenderOptions): Promise<PasSender> {
  await migratePart(store, 'pas', pasMigrations);
  // Sending and inquiring are repeated from the table, not by the queue.
  for (const queue of [QUEUES.send, QUEUES.inquire]) await jobs.createQueue(queue, { retryLimit: 2, expireInSeconds: Math.ceil(leaseMs / 1000) });
  await jobs.createQueue(QUEUES.subscribe, { expireInSeconds: Math.ceil(leaseMs / 1000) });
  // Tables of a version are read when the first bundle of that version is built.
  const validators = new Map<PasVersion, Validator>();
  const validatorOf = (version: PasVersion): Validator => {
    const validator = validators.get(version) ?? openValidator([`pas-${version}`]);
    validators.set(version, validator);
    return validator;
  };
  const client = createPayerClient({ clientId: CLIENT_ID, scope: SCOPE, keys, now, timeoutMs, discovers: true });
  const parts: SenderParts = {
    store, jobs, baseUrl, log, now, audit, payers, cases, client, inquiryIntervalMs, retryBaseMs, leaseMs,
    faultsOf: (bundle, version) => bundleFaults(validatorOf(version), bundle),
  };
  const router = express.Router();
  router.get('/.well-known/jwks.json', (_request, response) => {
    response.set('cache-control', 'public, max-age=300').json({ keys: keys.published() });
  });
  router.use(createNotificationRoutes(parts));
  const db = store.db.withTables<PasTables>();
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;

  /** Rows that are due get a job each; moving `next_at` on first means one job a round, however many processes look. */
  const tick = async (): Promise<void> => {
    const nowAt = new Date(now()).toISOString();
    const due = await db
      .updateTable('pas.submission')
      .set({ next_at: new Date(now() + leaseMs).toISOString() })
      .where('status', 'in', ['queued', 'pended'])
      .where('next_at', '<=', nowAt)
      .returning(['id', 'status'])
      .execute();
    for (const { id, status } of due) await jobs.send(status === 'queued' ? QUEUES.send : QUEUES.inquire, { submissionId: id });
  };
  const tickOnce = (): void => {
    ticking ??= tick()
      .catch((error: unknown) => log.error({ err: error }, 'due submissions could not be looked up'))
      .finally(() => {
        ticking = undefined;
      });
  };

  return {
    router,
    queueSubmission: (trx, input, who, change) => queueSubmission(parts, trx, input, who, change),
    preview: (input) => previewSubmission(parts, input),
    wake: () => tickOnce(),
    async start() {
      // The embedded engine has one process, this one: a lease found now belonged to a killed predecessor.
      if (store.engine === 'pglite') {
        const nowAt = new Date(now()).toISOString();
        await db.updateTable('pas.submission').set({ lease_until: null, next_at: nowAt }).where('status', '=', 'queued').execute();
      }
      await jobs.work<{ submissionId: string }>(QUEUES.send, ({ submissionId }) => sendSubmission(parts, submissionId));
      await jobs.work<{ submissionId: string }>(QUEUES.inquire, ({ submissionId }) => followPended(parts, submissionId), 1);
      await jobs.work<{ payerId: string }>(QUEUES.subscribe, ({ payerId }) => subscribe(parts, payerId), 1);
      for (const { payer_id } of await db.selectFrom('pas.subscription').select('payer_id').where('status', '=', 'wanted').execute()) {
        await jobs.send(QUEUES.subscribe, { payerId: payer_id });
      }
      timer = setInterval(tickOnce, TICK_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await ticking;
    },
  };
}

import express, { type Router } from 'express';
import type { Transaction } from 'kysely';
import { openValidator, type Validator } from '#fhir/validation/validator.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { Person, SubmissionPreview } from '#prior-auth/panel-api.ts';
import { type DiagnosisMap, NO_DIAGNOSIS_MAP } from '#prior-auth/pas-bundle/diagnosis-map.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PasVersion } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import type { AnyDatabase } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { openInquiries } from '../jobs/inquire-due.ts';
import { sendAttachments } from '../jobs/send-attachment.ts';
import { LEASE_MS } from '../jobs/send-submission.ts';
import { keepSubscription, wakeSubscriptions } from '../jobs/subscribe.ts';
import { PAS_CLIENT } from '../connections/our-client.ts';
import { createPayerClient } from '../payer/payer-client.ts';
import { bundleFaults } from './bundle-faults.ts';
import { createNotificationRoutes } from './notifications.ts';
import { followByInquiry } from './notifications-inquire.ts';
import { recordEvent } from './notifications-record.ts';
import { subscriptionHealth, type SubscriptionHealth } from './notifications-health.ts';
import { previewSubmission, type QueuedChange, type QueueResult, queueSubmission } from './queue-submission.ts';
import { drainProgress, type DrainProgress, pauseLine, resumeLine } from './payer-line.ts';
import { openPayerLines } from './payer-lines.ts';
import { QUEUES, type SenderParts, type SubscriptionTimes } from './sender-parts.ts';
import { type PasTables, pasMigrations } from './submission-table.ts';

export interface PasSenderOptions extends Pick<SenderParts, 'store' | 'jobs' | 'baseUrl' | 'log' | 'now' | 'audit' | 'payers' | 'cases'> {
  /** `openKeyRing(store, 'server', ['ES384', 'RS384'], now)`. */
  readonly keys: KeyRing;
  /** Milliseconds between two inquiries about a pended case. Default 30,000. */
  readonly inquiryIntervalMs?: number;
  /** Milliseconds before the second sending of a submission that was not delivered; doubles up to five minutes. Default 1,000. */
  readonly retryBaseMs?: number;
  /** Milliseconds a payer has to answer one request. Default: what the payer's configuration says. */
  readonly timeoutMs?: number;
  /** Milliseconds after which a row that a killed process had in hand is taken up by another. Longer than a token request and two tries of a submission can take; default 100,000. */
  readonly leaseMs?: number;
  /** SNOMED CT to ICD-10-CM. Default: knows nothing, every such reason is asked of the person. */
  readonly diagnosisMap?: DiagnosisMap | undefined;
  /** Defaults: five minutes, 90 days, one second. */
  readonly subscriptions?: Partial<SubscriptionTimes>;
}

export interface PasSender {
  readonly router: Router;
  /** Builds, validates and stores the bundle and enqueues its sending, all within `trx`. `who` is the relative reference of the person who submits. */
  queueSubmission(trx: Transaction<AnyDatabase>, input: SubmissionInput, who: string, change?: QueuedChange): Promise<QueueResult>;
  /** What would be sent, and what stops it. Writes nothing. */
  preview(input: SubmissionInput): SubmissionPreview;
  /** Looks at once for what is due at a payer, instead of at the next tick. Call it after the transaction that made it due. */
  wake(payerId: string): void;
  /** The connection that a submission was sent by. Throws PAYER_NOT_CONFIGURED. */
  payerOf(payerId: string): Payer;
  /** How the line to a payer stands: what waits, and how far it has drained after an outage. */
  drainProgress(payerId: string): Promise<DrainProgress>;
  /** Nothing goes to this payer until it is resumed. */
  pauseLine(payerId: string, by: Person, note: string): Promise<void>;
  resumeLine(payerId: string, by: Person): Promise<void>;
  /** How the payers' notifications stand, for an administrator. */
  subscriptionHealth(): Promise<readonly SubscriptionHealth[]>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How often due rows are looked for: retries and inquiries are this punctual. */
const TICK_MS = 500;
/** What is on its way when the process stops has this long; else its lease runs out and the same bytes go again. */
const STOP_MS = 5_000;

/** The sending side of PAS, 2.0.1 and 2.2.1. The tables are the truth: whatever else is lost costs a tick, and what is doubled costs nothing. */
export async function createPasSender({ store, jobs, baseUrl, log, now, audit, payers, keys, cases, inquiryIntervalMs = 30_000, retryBaseMs = 1_000, timeoutMs, leaseMs = LEASE_MS, diagnosisMap = NO_DIAGNOSIS_MAP, subscriptions }: PasSenderOptions): Promise<PasSender> {
  await migratePart(store, 'pas', pasMigrations);
  // Inquiring is repeated from the table, not by the queue.
  for (const queue of Object.values(QUEUES)) await jobs.createQueue(queue, { retryLimit: 2, expireInSeconds: Math.ceil(leaseMs / 1000) });
  // Tables of a version are read when the first bundle of that version is built.
  const validators = new Map<PasVersion, Validator>();
  const validatorOf = (version: PasVersion): Validator => {
    const validator = validators.get(version) ?? openValidator([`pas-${version}`]);
    validators.set(version, validator);
    return validator;
  };
  const client = createPayerClient({ ...PAS_CLIENT, keys, now, timeoutMs, discovers: true });
  const parts: SenderParts = {
    store, jobs, baseUrl, log, now, audit, payers, cases, client, inquiryIntervalMs, retryBaseMs, leaseMs,
    subscriptions: { statusIntervalMs: 300_000, secretLifeMs: 90 * 86_400_000, gapGraceMs: 1_000, ...subscriptions },
    faultsOf: (bundle, version) => bundleFaults(validatorOf(version), bundle), diagnosisMap,
  };
  const lines = openPayerLines(parts);
  const inquiries = openInquiries(parts);
  const router = express.Router();
  router.get('/.well-known/jwks.json', (_request, response) => {
    response.set('cache-control', 'public, max-age=300').json({ keys: keys.published() });
  });
  router.use(createNotificationRoutes(parts));
  const db = store.db.withTables<PasTables>();
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;
  let attaching: Promise<void> | undefined;

  const tick = async (): Promise<void> => {
    inquiries.wake();
    await lines.wakeDue();
    attaching ??= sendAttachments(parts)
      .catch((error: unknown) => log.error({ err: error }, 'answers to payers’ questions were interrupted; they go again when their lease ends'))
      .finally(() => {
        attaching = undefined;
      });
    await wakeSubscriptions(parts);
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
    async queueSubmission(trx, input, who, change) {
      const result = await queueSubmission(parts, trx, input, who, change);
      if (result.kind === 'queued') lines.wake(result.payerId, 'soon');
      return result;
    },
    preview: (input) => previewSubmission(parts, input),
    wake(payerId) {
      lines.wake(payerId);
      tickOnce();
    },
    payerOf: (payerId) => payers.byId(payerId) ?? notConfigured(payerId),
    drainProgress: (payerId) => drainProgress(parts, payerId),
    pauseLine: (payerId, by, note) => pauseLine(parts, payerId, by, note),
    async resumeLine(payerId, by) {
      await resumeLine(parts, payerId, by);
      lines.wake(payerId);
    },
    subscriptionHealth: () => subscriptionHealth(parts),
    async start() {
      // The embedded engine has one process, this one: a lease found now belonged to a killed predecessor.
      if (store.engine === 'pglite') {
        const nowAt = new Date(now()).toISOString();
        await db.updateTable('pas.submission').set({ lease_until: null, next_at: nowAt }).where('status', '=', 'queued').execute();
        await db.updateTable('pas.attachment').set({ lease_until: null, next_at: nowAt }).where('status', '=', 'queued').execute();
        await db.updateTable('pas.payer_line').set({ next_try_at: nowAt }).where('down_since', 'is not', null).execute();
        await db.updateTable('pas.subscription').set({ next_at: nowAt }).where('status', 'in', ['wanted', 'removing']).execute();
        await db.updateTable('pas.subscription_event').set({ next_at: nowAt }).where('state', '=', 'waiting').execute();
      }
      await jobs.work<{ submissionId: string }>(QUEUES.inquire, ({ submissionId }) => followByInquiry(parts, submissionId));
      await jobs.work<{ subscriptionId: string }>(QUEUES.subscribe, ({ subscriptionId }) => keepSubscription(parts, subscriptionId), 1);
      await jobs.work<{ eventId: string }>(QUEUES.events, ({ eventId }) => recordEvent(parts, eventId));
      timer = setInterval(tickOnce, TICK_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await ticking;
      await inquiries.stop();
      await lines.stop(STOP_MS);
    },
  };
}

function notConfigured(payerId: string): never {
  throw new PriorAuthError('PAYER_NOT_CONFIGURED', `Payer ${payerId} is not configured.`, { nextStep: 'Ask whoever runs this server to add the payer again.' });
}

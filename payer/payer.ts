import { Router } from 'express';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { claimRoutes } from './claim-routes.ts';
import { capabilityStatement, questionnaireCapabilityStatement } from './capability-statement.ts';
import { openPayerDatabase } from './database.ts';
import { discoveryRoutes } from './discovery.ts';
import { faultFacts } from './fault.ts';
import { fhirErrors, notFound, sendResource, wantsJson } from './fhir-http.ts';
import { metricRoutes } from './metric-data/metric-routes.ts';
import { payerMetrics } from './metrics.ts';
import { pasEndpoints } from './pas-version.ts';
import type { PayerSetting } from './payer-setting.ts';
import type { DecisionRules } from './policy/item-review.ts';
import { readPolicies } from './policy/read-policies.ts';
import { poll } from './poll.ts';
import { determinationRecord } from './questionnaire-package/determination-record.ts';
import { questionnairePackageRouter } from './questionnaire-package/questionnaire-package-router.ts';
import { DTR_2_2_0 } from './questionnaires/dtr-version.ts';
import { decideDueItems } from './review/decide-pended.ts';
import { reviewRoutes } from './review/review-routes.ts';
import { deliverDue } from './subscription/deliver.ts';
import { subscriptionRoutes } from './subscription/subscription-routes.ts';
import { callerOf, tokenGuard } from './token/access-token.ts';
import type { RegisteredClient } from './token/client-assertion.ts';
import { tokenRoutes } from './token/token-routes.ts';

export interface PayerOptions {
  /** The payer makes and keeps its own schema `payer` in it. */
  readonly db: Kysely<Record<string, never>>;
  /** Origin of the server, without a slash at the end. */
  readonly baseUrl: string;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Folder of policy files (*.json). */
  readonly policyFolder: string;
  readonly registeredClients: readonly RegisteredClient[];
  /** How long after its arrival a pended item is decided when no person has decided it. */
  readonly reviewDelayMs: number;
  /** Opens the review queue to its bearer; without it the queue is closed. */
  readonly reviewerToken?: string | undefined;
  /** What is decided without a person. Default: the sandbox, whose rules and stand-in reviewer decide. */
  readonly decisions?: Partial<DecisionRules> | undefined;
  /** IANA zone of the legal clocks; default America/Los_Angeles. */
  readonly timeZone?: string | undefined;
}

export interface PayerPart {
  readonly name: string;
  readonly router: Router;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Half: what only a form's answers show is enough to approve. */
const SANDBOX_DECISIONS: DecisionRules = { automaticConfidence: 0.5, sandboxDecisions: true };
const POLL_EVERY_MS = 500;

/** A payer that answers PAS 2.0.1 and 2.2.1, each at its own address, by the policies' criteria and by its reviewers. It shares nothing with the sender but the FHIR vocabulary. */
export async function createPayer(options: PayerOptions): Promise<PayerPart> {
  const { baseUrl, log, now, registeredClients } = options;
  const endpoints = pasEndpoints(baseUrl);
  const setting: PayerSetting = {
    db: await openPayerDatabase(options.db),
    log,
    now,
    endpoints,
    decisions: { ...SANDBOX_DECISIONS, ...options.decisions },
    timeZone: options.timeZone ?? 'America/Los_Angeles',
    policies: readPolicies(options.policyFolder),
    metrics: payerMetrics(),
    registeredClients,
    reviewDelayMs: options.reviewDelayMs,
  };
  const onError = (error: unknown): void => log.error({ fault: faultFacts(error) }, 'payer background work failed');
  const stopping = new AbortController();
  const deliveries = poll(() => deliverDue(setting, stopping.signal), POLL_EVERY_MS, onError);
  const reviews = poll(
    async () => {
      if ((await decideDueItems(setting)) > 0) deliveries.soon();
    },
    POLL_EVERY_MS,
    onError,
  );

  const requireToken = tokenGuard(setting.db, now);
  const router = Router();
  router.use('/payer', (req, res, next) => {
    const operation = req.path.startsWith('/review/queue') ? 'queue' : req.path.includes('$') ? `$${req.path.split('$').at(-1)}` : (req.path.split('/')[2] ?? 'other');
    res.on('finish', () => setting.metrics.answers.inc({ operation: COUNTED.includes(operation) ? operation : 'other', status: String(res.statusCode) }));
    next();
  });
  router.use(tokenRoutes({ db: setting.db, baseUrl, log, now, registeredClients }));
  router.use(metricRoutes(setting, options.reviewerToken));
  router.use(reviewRoutes(setting, options.reviewerToken, () => deliveries.soon()));
  router.use(discoveryRoutes(baseUrl, endpoints));
  const startedAt = new Date(now()).toISOString();
  router.get(`${DTR_2_2_0.basePath}/metadata`, wantsJson, (_req, res) => sendResource(res, 200, questionnaireCapabilityStatement(baseUrl, startedAt)));
  for (const endpoint of Object.values(endpoints)) {
    router.get(`${endpoint.basePath}/metadata`, wantsJson, (_req, res) => sendResource(res, 200, capabilityStatement(endpoint, startedAt)));
    router.use(claimRoutes(setting, endpoint, requireToken, () => deliveries.soon()));
  }
  router.use(subscriptionRoutes(setting, requireToken, () => deliveries.soon()));
  router.use(questionnairePackageRouter({
    baseUrl, policyFolder: options.policyFolder, authorise: requireToken('system/Questionnaire.rs'), log, now,
    determinations: (caller) => determinationRecord(setting.db, callerOf(caller), now),
  }));
  router.use('/payer', notFound);
  router.use('/payer', fhirErrors(log));

  return {
    name: 'payer',
    router,
    async start() {
      reviews.start();
      deliveries.start();
    },
    async stop() {
      stopping.abort();
      await Promise.all([reviews.stop(), deliveries.stop()]);
    },
  };
}

const COUNTED: readonly string[] = ['$submit', '$inquire', '$submit-attachment', '$status', '$events', '$questionnaire-package', '$next-question', '$expand', '$log-questionnaire-errors', 'token', 'Subscription', 'metadata', 'queue'];

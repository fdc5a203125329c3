import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { collectDefaultMetrics, register } from 'prom-client';
import { createCdsHooks } from '#cds-hooks/cds-hooks.ts';
import { createLiveModel } from '#models/serve/live-model.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import { createPayer } from '#payer/payer.ts';
import { loadDiagnosisMap } from '#policies/load-diagnosis-map.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { createSandboxEhr } from '#sandbox-ehr/sandbox-ehr.ts';
import { openPayerConnections } from '#server/connections/payer-connections.ts';
import { openDecisionHistory } from '#server/learning/history.ts';
import { openLearning } from '#server/learning/open-learning.ts';
import { createServer } from '#server/server.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore } from '#store/database.ts';
import { startJobs } from '#store/jobs.ts';
import { type Config, readClinic } from './config.ts';
import { type Begun, endInOrder } from './end-in-order.ts';
import { healthRouter } from './health.ts';
import { answerFaults, guardScreens, observeRequests } from './http.ts';
import { followCalls } from './open-calls.ts';
import type { Part } from './part.ts';
import { buildScreens, screensRouter } from './screens.ts';

export interface Running {
  readonly baseUrl: string;
  stop(): Promise<void>;
}

/** Builds and starts the whole system on one port. The port is taken first, so that a second start fails at once and every part knows its address. */
export async function startOpenPriorAuth(config: Config, screens: Promise<unknown> = buildScreens()): Promise<Running> {
  screens.catch(() => undefined); // awaited below, when all else is ready
  const log = pino({ level: config.logLevel, redact: ['err.config', '*.authorization', '*.access_token'] });
  const ready = Promise.withResolvers<RequestListener>();
  ready.promise.catch(() => undefined); // a start that fails is thrown below
  let answer = answerWhileStarting(ready.promise);
  const http = createHttpServer((request, response) => answer(request, response));
  http.requestTimeout = 60_000;
  await listen(http, config);
  const baseUrl = config.publicUrl ?? `http://localhost:${(http.address() as AddressInfo).port}`;

  const calls = followCalls(http);
  const begun: Begun[] = [];
  const stop = async () => {
    // First of all: a call that is being answered still needs every part, and what it leaves is then written with the rest.
    const cut = await calls.end(CALLS_END_MS);
    if (cut > 0) log.error({ calls: cut }, 'calls were cut off: they were not answered in time');
    await endInOrder(begun.splice(0), PARTS_END_MS, log);
  };
  try {
    const store = await openStore({ ...config, answerWithinMs: STATEMENT_MS });
    begun.push({ what: 'store', end: () => store.close() });
    const audit = await openAuditTrail(store, Date.now, (error) => log.error({ err: error }, 'audit entries wait: the store refused them'));
    begun.push({
      what: 'audit',
      async end(withinMs) {
        const end = await audit.stop(withinMs * 0.9);
        if (end.kind === 'lost') log.error({ entries: end.entries }, 'audit entries are lost: the store did not take them before the end');
      },
    });
    const jobs = await startJobs(store, (error) => log.warn({ err: error }, 'jobs'));
    begun.push({ what: 'jobs', end: () => jobs.stop() });

    const policies = loadPolicies();
    const payers = await openPayerConnections({
      store, audit, now: Date.now, baseUrl, file: config.payersFile,
      onFileFault: (error) => log.error({ file: error.message }, 'the payers file cannot be used; what it said before is in force'),
      onReloadFault: (error) => log.error({ err: error }, 'registered payers not read again'),
      onUnreadable: (row) => log.error(row, 'a registered payer cannot be read by this version of the program; it counts as disabled'),
    });
    begun.push({ what: 'payers', end: async () => payers.stop() });
    const learning = await openLearning({
      store: store.answeringWithin(LEARNING_STATEMENT_MS), jobs, metrics: register, audit, log, now: Date.now, adminToken: config.adminToken, rolesFile: config.modelRolesFile, approveOwn: config.modelApproveOwn, appealsFile: config.appealsFile,
    });
    begun.push({ what: 'learning', end: () => learning.stop() });
    const history = await openDecisionHistory({ store: store.answeringWithin(LEARNING_STATEMENT_MS), now: Date.now, log, isSandboxPayer: (payerId) => payers.byId(payerId)?.fhirBase.startsWith(`${baseUrl}/`) === true });
    begun.push({ what: 'history of decisions', end: async () => history.stop() });
    const model = await createLiveModel({
      shipped: shippedModel, history, source: learning.registry.source('denial-risk'), now: Date.now, onScored: learning.monitoring.scores.record,
      onFault: (error, about) => log.error({ err: error, ...about }, 'a denial-risk model cannot do its part; requests go on without it, or with the one before'),
    });
    begun.push({ what: 'model', end: () => model.close() });
    const shared = { store, baseUrl, log, now: Date.now, audit };
    const ehrFhir = `${baseUrl}/ehr/fhir`;
    const onOwnMachine = /^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(`${baseUrl}/`);
    const server = await createServer({
      ...shared, store: store.answeringWithin(PANEL_STATEMENT_MS), jobs, policies, payers, connections: payers, model, ehrsFile: config.ehrsFile, adminToken: config.adminToken, diagnosisMap: loadDiagnosisMap(config.diagnosisMapFile),
      ...(config.clinicFile === undefined ? {} : { clinic: readClinic(config.clinicFile) }),
      ehrs: [{ fhirBase: ehrFhir, name: 'Sandbox EHR', clientId: PANEL.clientId, scopes: PANEL.scope, worklistClientId: WORKLIST.clientId }],
    });
    const parts: Part[] = [
      await createSandboxEhr({ ...shared, cdsBaseUrl: baseUrl, panelLaunchUrl: `${baseUrl}/panel/launch`, clients: sandboxClients(baseUrl), dataDir: config.dataDir }),
      await createCdsHooks({
        ...shared, policies, payers, model, openToFhirServer: onOwnMachine ? ehrFhir : null,
        clientsFile: config.cdsClientsFile, adminToken: config.adminToken, deadlineMs: config.cdsDeadlineMs,
        trustedClients: [{ iss: `${baseUrl}/ehr`, jku: `${baseUrl}/ehr/.well-known/jwks.json`, fhirServers: [ehrFhir] }],
      }),
      server,
      await createPayer({
        db: store.db, baseUrl, log, now: Date.now, policyFolder: join(import.meta.dirname, '..', 'policies', 'library'), reviewDelayMs: config.reviewDelayMs,
        reviewerToken: config.payerReviewToken ?? (onOwnMachine ? SANDBOX_REVIEW_TOKEN : undefined),
        decisions: { sandboxDecisions: config.payerSandboxDecisions, automaticConfidence: config.payerAutomaticConfidence },
        registeredClients: [{ clientId: 'open-prior-auth-server', jwksUrl: `${baseUrl}/.well-known/jwks.json` }],
      }),
    ];
    begun.push(...parts.map((part) => ({ what: part.name, end: async () => part.stop?.() })));

    if (!register.getSingleMetric('process_cpu_seconds_total')) collectDefaultMetrics({ register });
    register.removeSingleMetric('http_request_duration_seconds');
    const app = express();
    app.disable('x-powered-by');
    app.set('trust proxy', config.trustedProxies);
    app.use(observeRequests(log, register));
    app.use(healthRouter(store, parts, register));
    const screenGuard = guardScreens(() => [...new Set([...config.panelFrameAncestors, ...server.frameOrigins()])], baseUrl.startsWith('https:'));
    app.use((request, response, next) => (request.path.startsWith('/cds-services') ? next() : screenGuard(request, response, next)));
    for (const part of parts) app.use(part.router);
    app.use(learning.router);
    await screens;
    app.use(screensRouter());
    app.use((_request, response) => {
      response.status(404).json({ error: { code: 'NOT_FOUND', message: 'There is nothing at this address.', nextStep: 'Start at / for the sandbox EHR or /work/ for the worklist.' } });
    });
    app.use(answerFaults(log));
    answer = app;
    ready.resolve(app);
    for (const part of parts) await part.start?.();
    await learning.start();
    return { baseUrl, stop };
  } catch (error) {
    ready.reject(error);
    await stop();
    throw error;
  }
}

/** A call of a hook takes half a second, one that waits for an EHR or a payer some seconds. Together these are less than the half minute that Kubernetes gives. */
const CALLS_END_MS = 5_000;
const PARTS_END_MS = 8_000;

/** How long PostgreSQL may take for a statement before its connection counts as lost. The panel and the worklist have figures over all cases; learning reads every decision. */
const STATEMENT_MS = 5_000;
const PANEL_STATEMENT_MS = 30_000;
const LEARNING_STATEMENT_MS = 600_000;

/** Of the sandbox on one's own machine; anywhere else the queue is closed until PAYER_REVIEW_TOKEN is set. */
const SANDBOX_REVIEW_TOKEN = 'open-prior-auth-sandbox-reviewer';

/** The apps this system brings, as they are registered at the sandbox EHR. */
const PANEL = {
  clientId: 'open-prior-auth-panel',
  name: 'Prior authorization panel',
  scope: 'openid fhirUser launch launch/patient offline_access patient/*.rs patient/QuestionnaireResponse.cu patient/Task.cruds patient/ServiceRequest.u patient/DeviceRequest.u patient/MedicationRequest.u',
};
const WORKLIST = { clientId: 'open-prior-auth-worklist', name: 'Prior authorization worklist', scope: 'openid fhirUser' };

function sandboxClients(baseUrl: string) {
  const jwksUri = `${baseUrl}/.well-known/jwks.json`;
  return [
    { ...PANEL, jwksUri, redirectUris: [`${baseUrl}/panel/callback`] },
    { ...WORKLIST, jwksUri, redirectUris: [`${baseUrl}/work/callback`] },
  ];
}

/** Until all is ready, only /healthz and /readyz are answered; every other request waits, so that a browser opened too early shows the page and not an error. */
function answerWhileStarting(ready: Promise<RequestListener>): RequestListener {
  return (request, response) => {
    if (request.url === '/healthz' || request.url === '/readyz') {
      const alive = request.url === '/healthz';
      response.writeHead(alive ? 200 : 503, { 'content-type': 'application/json', 'retry-after': '1' });
      response.end(JSON.stringify(alive ? { status: 'alive' } : { status: 'not ready', missing: ['starting'] }));
      return;
    }
    ready.then(
      (app) => app(request, response),
      () => response.destroy(), // the start failed, and main.ts says why
    );
  };
}

function listen(http: Server, config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(config.port, config.host, () => {
      http.removeListener('error', reject);
      resolve();
    });
  });
}

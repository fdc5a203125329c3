import { randomUUID } from 'node:crypto';
import { type NextFunction, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { register, type Registry } from 'prom-client';
import { withoutSlashes } from '#fhir/base/reference.ts';
import type { DenialRiskModel } from '#models/serve/live-model.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { signingKey } from '#store/signing-keys.ts';
import { adminRouter } from './admin/admin-router.ts';
import { createAdminSession } from '#admin/admin-session.ts';
import { feedbackRouter } from './admin/feedback-page.ts';
import { metricsRouter } from './admin/metrics-router.ts';
import { type Admitted, createAdmission } from './admission.ts';
import { kindOfCard } from './card-id.ts';
import { cardKinds } from './card-kinds.ts';
import { createClientTokenCheck } from './client-trust/client-token.ts';
import { openRegisteredClients } from './client-trust/registered-clients.ts';
import { openSeenTokens } from './client-trust/seen-tokens.ts';
import type { TrustedCdsClient } from './client-trust/trusted-client.ts';
import { openTrustedClients } from './client-trust/trusted-clients.ts';
import { type Configuration, DEFAULTS, readConfiguration } from './configuration.ts';
import { createDelegation } from './delegation/delegation.ts';
import { createPayerServices } from './delegation/payer-services.ts';
import { type Deadline, openDeadline } from './deadline.ts';
import { discovery, prefetchQueries } from './discovery.ts';
import { wellFormedReader, withoutMisshapenChart } from './data-form.ts';
import { createEhrReader } from './ehr-reader.ts';
import { type ExchangeLog, openExchangeLog } from './exchange-log.ts';
import { readFeedback, storeFeedback } from './feedback.ts';
import { feedbackSummary } from './feedback-summary.ts';
import type { CrdVersion, HookCall } from './hook-call.ts';
import { answerHook, type AnswerParts, type HookResult } from './hooks/answer-hook.ts';
import { type AnsweredCall, crdMetricData } from './metric-data/crd-metric-data.ts';
import { openMetricLog } from './metric-data/metric-log.ts';
import { hookMetrics } from './metrics.ts';
import { notJson, parseIfJson, parseJson, readBody } from './read-body.ts';
import { readHookCall, requestedVersion } from './read-hook-call.ts';
import { openShownRisks } from './readiness/shown-risks.ts';
import { openRecord, type RecordSource } from './record.ts';
import { Refusal } from './refusal.ts';
import { type HookService, SERVICES } from './services.ts';
import { migrations } from './tables.ts';
import { ANSWER_WRITERS } from './versions/answer-writers.ts';

export interface CdsHooksOptions {
  readonly store: Store;
  /** Public address: clients' JWTs name endpoints under it as their audience. */
  readonly baseUrl: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly policies: PolicyLibrary;
  readonly payers: PayerDirectory;
  readonly model: Pick<DenialRiskModel, 'score'>;
  readonly trustedClients: readonly TrustedCdsClient[];
  /** JSON file of more clients, read again when it changes. */
  readonly clientsFile?: string | undefined;
  /** Opens /admin/cds-clients and the export of metrics to who has it. Without it neither exists. */
  readonly adminToken?: string | undefined;
  /** Calls without a JWT are answered when their fhirServer is this one: the sandbox. null: every call needs a JWT. */
  readonly openToFhirServer: string | null;
  /** Advertise the chart in prefetch. Default true; docs/decisions/hook-prefetch.md. */
  readonly prefetchChart?: boolean;
  /** Whole time of a call, milliseconds: what is not there by then is left out. Default 500. */
  readonly deadlineMs?: number;
  /** Calls at work at once that are done in full, and after which they are refused. Default 128 and 512. */
  readonly mostAtWork?: { readonly full: number; readonly most: number };
  /** How long calls, answers and feedback are kept. Default 90. */
  readonly retentionDays?: number;
  /** How long CRD metric rows are kept; they hold no patient data. Default 1095: three years. */
  readonly metricRetentionDays?: number;
  readonly registry?: Registry;
}

export interface CdsHooksPart {
  readonly name: string;
  readonly router: Router;
  /** Kept calls and answers, for disputes. */
  readonly exchanges: ExchangeLog;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const FLUSH_MS = 500;
/** A call holds its place while its body comes. */
const BODY_MS = 2_000;
/** How soon a client that was disabled on the admin page of another process is refused by this one. */
const CLIENTS_RELOAD_MS = 5_000;
const JSON_TYPE = 'application/json; charset=utf-8';

export async function createCdsHooks(options: CdsHooksOptions): Promise<CdsHooksPart> {
  const { store, log, now, audit, policies, payers, openToFhirServer } = options;
  const baseUrl = withoutSlashes(options.baseUrl);
  const retentionDays = options.retentionDays ?? 90;
  await migratePart(store, 'cds', migrations);
  const onStoreError = (error: unknown): void => log.error(fault(error), 'the store does not answer; what waits is written later');
  const seen = await openSeenTokens(store, now, onStoreError);
  const registered = openRegisteredClients(store, audit, now);
  const clients = await openTrustedClients({
    builtIn: options.trustedClients, file: options.clientsFile, registered, now,
    onFileFault: (error) => log.error({ file: error.message }, 'the clients file cannot be used; what it said before is in force'),
    onUnreadable: (row) => log.error(row, 'a registered client cannot be read by this version of the program; it is not answered'),
    onFileTaken: ({ clients: count, repaired }) => log.info({ clients: count }, repaired ? 'the clients file is repaired and in force' : 'the clients file was changed and is in force'),
  });
  const exchanges = openExchangeLog(store, now, retentionDays, onStoreError);
  const checkToken = createClientTokenCheck(clients, seen, now);
  const metrics = hookMetrics(options.registry ?? register);
  const ownPrefetch = prefetchQueries(policies, options.prefetchChart ?? true);
  const services = JSON.stringify(discovery(DEFAULTS, ownPrefetch));
  const deadlineMs = options.deadlineMs ?? 500;
  const admission = createAdmission({ full: 128, most: 512, lateMs: deadlineMs / 2, tooLateMs: deadlineMs * 0.8, ...options.mostAtWork });
  const metricLog = openMetricLog(store, now, options.metricRetentionDays ?? 1095);
  const key = await signingKey(store, 'cds-hooks', 'ES384');
  const jwks = JSON.stringify({ keys: [key.publicJwk] });
  const payerServices = createPayerServices({ serviceUrl: `${baseUrl}/cds-services`, key, now });
  const delegation = createDelegation(payerServices, ({ payerId, outcome, faults }) => {
    metrics.payerServices.inc({ payer: payerId, outcome });
    for (const what of faults) metrics.payerFaults.inc({ payer: payerId, what });
    if (outcome !== 'answered' || faults.length > 0) log.warn({ payer: payerId, outcome, faults }, "payer's own service did not answer as it should");
  });
  const open: TrustedCdsClient | undefined = openToFhirServer === null ? undefined : { iss: 'open', fhirServers: [withoutSlashes(openToFhirServer)] };
  const shownRisks = await openShownRisks(store, now);
  const kinds = cardKinds(policies);
  const kindNames = kinds.map(({ kind }) => kind);
  const parts: Omit<AnswerParts, 'client' | 'ownPrefetch' | 'deadline' | 'timeLeftMs'> = {
    policies, now, shownRisks,
    model: options.model,
    panelLaunchUrl: `${baseUrl}/panel/launch`,
    newId: randomUUID,
    onRisk(outcome, error) {
      metrics.risk.inc({ outcome });
      if (outcome === 'failed') log.warn(fault(error), 'denial risk not scored');
    },
    onAnswerFault({ part, rule, says }, cardUuid) {
      metrics.answerFaults.inc({ part, rule });
      log.error({ part, rule, says, card: cardUuid === undefined ? undefined : kindOfCard(cardUuid, kindNames) }, 'a part of an answer breaks a rule and is not sent');
    },
    onFault: (rules) => log.error({ rules }, 'a policy breaks the rules of coverage-information'),
  };

  const noToken = (): Refusal => {
    log.warn('CDS call refused: its Authorization header is missing or holds no Bearer token, and it is none of the sandbox');
    return unauthorized();
  };
  /** `client` undefined: a call without a JWT, where such are answered. @throws Refusal 401 */
  const authenticate = async (request: Request, path: string): Promise<{ readonly client: TrustedCdsClient | undefined; readonly notChecked: readonly string[] }> => {
    const verdict = await checkToken(request.headers.authorization, `${baseUrl}${path}`);
    if (verdict.kind === 'trusted') {
      metrics.tokens.inc({ replay: verdict.replay });
      return { client: verdict.client, notChecked: verdict.replay === 'unchecked' ? ['client-token-replay'] : [] };
    }
    if (verdict.kind === 'missing' && open) return { client: undefined, notChecked: [] };
    if (verdict.kind === 'missing') throw noToken();
    log.warn({ why: verdict.why, client: verdict.iss }, 'CDS client token refused');
    throw unauthorized();
  };

  const readerFor = (call: HookCall, client: TrustedCdsClient, deadline: Deadline['signal']) => {
    const { fhirServer, accessToken } = call;
    if (!fhirServer || !accessToken || !client.fhirServers.some((base) => withoutSlashes(base) === withoutSlashes(fhirServer))) return undefined;
    return createEhrReader({
      base: fhirServer,
      token: accessToken,
      deadline,
      onFailure: (why) => log.warn({ why }, 'record could not be fetched from the FHIR server'),
    });
  };

  const answerCall = async ({ hook, id }: HookService, request: Request, response: Response, asAdmitted: Exclude<Admitted, 'refused'>): Promise<void> => {
    const fromMs = now();
    const startedAt = performance.now();
    const { client: signed, notChecked } = await authenticate(request, `/cds-services/${id}`);
    const text = await readBody(request, BODY_MS);
    const admitted = await admission.turn(asAdmitted);
    if (admitted === 'refused') {
      metrics.admitted.inc({ how: admitted });
      throw busy();
    }
    const body = signed ? parseIfJson(text) : parseJson(text);
    const client = signed ?? openClient(body, open);
    if (!client) throw noToken();
    const kept = (status: number, answer: string, call?: HookCall): void =>
      exchanges.record({ at: new Date(fromMs).toISOString(), client: client.iss, hookInstance: call?.hookInstance ?? '', status, request: withoutToken(text, body), answer });
    // The answer itself takes a few milliseconds: what is waited for must be there before.
    const deadline = openDeadline(() => deadlineMs * 0.9 - (performance.now() - startedAt));
    let call: HookCall | undefined;
    let record: RecordSource | undefined;
    const measured = (outcome: AnsweredCall['outcome']): void => {
      if (call && record) metricLog.record(crdMetricData({ call, client: client.iss, fromMs, untilMs: now(), data: record.source(), outcome }));
    };
    try {
      if (body === undefined) throw notJson();
      call = readHookCall(hook, body);
      const inFull = admitted === 'full';
      const reader = inFull ? readerFor(call, client, deadline.signal) : undefined;
      const configuration = readConfiguration(call.configuration, DEFAULTS);
      const answerFrom = async (of: HookCall, from: typeof reader) => {
        const source = (record = openRecord(of, payers, from));
        const answered: HookResult = await answerHook(of, source, inFull ? configuration : withoutScore(configuration), { ...parts, client: client.iss, ownPrefetch: ownPrefetch(hook), deadline: deadline.signal, timeLeftMs: deadline.leftMs, ...(inFull ? { delegation } : {}) });
        return { ...answered, data: source.source() };
      };
      const result = await answerFrom(call, reader).catch((error: unknown) => {
        if (error instanceof Refusal || call === undefined) throw error;
        log.warn(fault(error), 'a call could not be answered as it came; its data is looked at');
        return answerFrom(withoutMisshapenChart(call), reader && wellFormedReader(reader));
      });
      const { answer, determined, sources, scores, data } = result;
      const left = inFull ? notChecked : [...notChecked, 'server-busy'];
      const json = JSON.stringify(left.length > 0 ? { ...answer, extension: { 'org.openpriorauth.not-checked': left } } : answer);
      send(response, 200, JSON_TYPE, json);
      metrics.data.inc({ source: data });
      for (const source of sources) metrics.answers.inc({ hook, source, outcome: data === 'incomplete' || !inFull ? 'partial' : 'complete' });
      for (const { determination: { applicable, requirement } } of determined) metrics.determinations.inc({ policy: applicable?.policy.id ?? 'none', pa_needed: requirement.paNeeded ?? 'none' });
      const answeredBy: Readonly<Record<string, string>> = sources.some((source) => source !== 'library') ? { answeredBy: sources.join(' ') } : {};
      audit.record({ action: 'hook-answered', who: call.userId ?? client.iss, what: [`Patient/${call.patientId}`, ...determined.map(({ focus }) => `${focus.resourceType}/${focus.id}`)], details: { service: id, version: call.version, client: client.iss, cards: answer.cards.length, ...answeredBy, ...scores } });
      kept(200, json, call);
      measured({ kind: 'answered', answer, determined });
    } catch (error) {
      const refusal = refusalFor(error, admitted, call?.version ?? requestedVersion(body));
      if (!(refusal instanceof Refusal)) kept(500, '', call);
      if (refusal instanceof Refusal) {
        audit.record({ action: 'hook-refused', who: call?.userId ?? client.iss, outcome: 'refused', details: { service: id, client: client.iss, status: refusal.status } });
        kept(refusal.status, JSON.stringify(refusal.outcome), call);
        measured({ kind: 'refused', status: refusal.status, issueCodes: (refusal.outcome.issue ?? []).map(({ code }) => code) });
      }
      throw refusal;
    } finally {
      deadline.end();
    }
  };

  const feedback = async ({ id }: HookService, request: Request, response: Response): Promise<void> => {
    const { client } = await authenticate(request, `/cds-services/${id}/feedback`);
    // Feedback does not name a FHIR server, so there is nothing by which the sandbox could be told apart: it needs a JWT.
    if (!client) throw noToken();
    const given = readFeedback(parseJson(await readBody(request, BODY_MS)));
    await storeFeedback(store, given, {
      client: client.iss, service: id, cardKinds: kindNames, nowMs: now(), retentionDays,
      onStoreError: (error) => log.error(fault(error), 'feedback could not be stored; the client is told to send it again'),
    });
    audit.record({ action: 'feedback-received', who: client.iss, details: { cards: given.length } });
    send(response, 200, JSON_TYPE, '{}');
  };

  const answering = (service: string, handle: (request: Request, response: Response) => Promise<void>) => (request: Request, response: Response): void => {
    const startedAt = performance.now();
    handle(request, response)
      .catch((error: unknown) => refuse(error, response, log))
      .finally(() => {
        metrics.calls.inc({ service, outcome: response.headersSent ? String(response.statusCode) : 'gone' });
        metrics.seconds.observe({ service }, (performance.now() - startedAt) / 1000);
      })
      .catch((error: unknown) => log.error(fault(error), 'answer could not be sent'));
  };

  const router = Router();
  if (options.adminToken !== undefined) {
    const session = createAdminSession(options.adminToken, baseUrl.startsWith('https:'), now, { path: '/admin', cookie: 'cds_admin' });
    router.use(adminRouter({ session, clients, registered, audit, log }));
    router.use(metricsRouter({ session, store, audit, log, now }));
    router.use(feedbackRouter({ session, retentionDays, summary: () => feedbackSummary(store, kinds), log }));
  }
  router.use('/cds-services', (request, response, next) => {
    // Nothing here goes by cookies, so any page may call; what it may get is decided by its JWT.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'Retry-After, WWW-Authenticate');
    if (request.method !== 'OPTIONS') return next();
    response.writeHead(204, { 'Access-Control-Allow-Methods': 'GET, POST, OPTIONS', 'Access-Control-Allow-Headers': 'Authorization, Content-Type', 'Access-Control-Max-Age': '600' }).end();
  });
  router.get('/cds-services/.well-known/jwks.json', (_request, response) => send(response, 200, JSON_TYPE, jwks));
  router.get('/cds-services', (_request, response) => send(response, 200, JSON_TYPE, services));
  for (const service of SERVICES) {
    router.post(`/cds-services/${service.id}`, answering(service.id, async (request, response) => {
      const admitted = admission.enter();
      metrics.admitted.inc({ how: admitted });
      if (admitted === 'refused') throw busy();
      try {
        await answerCall(service, request, response, admitted);
      } finally {
        admission.leave();
      }
    }));
    router.post(`/cds-services/${service.id}/feedback`, answering('feedback', (request, response) => feedback(service, request, response)));
  }
  router.all('/cds-services', (_request, response) => {
    response.setHeader('Allow', 'GET, OPTIONS');
    sendOutcome(response, new Refusal(405, 'not-supported', 'The list of CDS services can only be read: GET /cds-services.'));
  });
  router.all(SERVICES.flatMap(({ id }) => [`/cds-services/${id}`, `/cds-services/${id}/feedback`]), (_request, response) => {
    response.setHeader('Allow', 'POST, OPTIONS');
    sendOutcome(response, new Refusal(405, 'not-supported', 'A CDS service is called, and told of feedback, by POST.'));
  });
  router.use('/cds-services', (_request, response) => sendOutcome(response, new Refusal(404, 'not-found', 'There is no such CDS service. GET /cds-services lists them.')));
  // A broken escape in the path ends here.
  router.use('/cds-services', (error: unknown, _request: Request, response: Response, _next: NextFunction) => refuse(error instanceof URIError ? new Refusal(400, 'invalid', 'The address could not be read.') : error, response, log));

  const flush = async (): Promise<void> => {
    const results = await Promise.allSettled([seen.flush(), exchanges.flush(), metricLog.flush(), shownRisks.flush()]);
    for (const result of results) if (result.status === 'rejected') log.error(fault(result.reason), 'background write of CDS Hooks failed; it will be tried again');
  };
  const timers: NodeJS.Timeout[] = [];
  const every = (ms: number, work: () => Promise<void>): void => void timers.push(setInterval(() => void work(), ms).unref());
  return {
    name: 'cds-hooks',
    router,
    exchanges,
    async start() {
      every(FLUSH_MS, flush);
      every(CLIENTS_RELOAD_MS, () => clients.reload().catch(onStoreError).then(() => clients.warmKeys()));
      void clients.warmKeys();
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
      clients.stop();
      admission.stop();
      await flush();
      const lost = { calls: exchanges.waiting(), metrics: metricLog.waiting() };
      if (lost.calls + lost.metrics > 0) log.error(lost, 'calls and metrics are lost: the store did not take them before the end');
    },
  };
}

/** Undefined: it does not come from the sandbox. */
function openClient(body: unknown, open: TrustedCdsClient | undefined): TrustedCdsClient | undefined {
  const fhirServer = typeof body === 'object' && body !== null && 'fhirServer' in body ? body.fhirServer : undefined;
  return open && typeof fhirServer === 'string' && open.fhirServers.includes(withoutSlashes(fhirServer)) ? open : undefined;
}

function busy(): Refusal {
  return new Refusal(503, 'throttled', 'The service has more calls than it can answer in time. The order can be signed without this answer.');
}

/** A busy process leaves out what takes the most time. */
function withoutScore(configuration: Configuration): Configuration {
  return { ...configuration, wants: (topic) => topic !== 'denial-risk' && configuration.wants(topic) };
}

/** What is said instead of an answer, or the fault itself. */
function refusalFor(error: unknown, admitted: Admitted, version: CrdVersion): unknown {
  // What a busy process did not even try to fetch may well be had a moment later.
  if (error instanceof Refusal && error.status === 412 && admitted === 'partial') return busy();
  // The only thing that exhausts the stack is a value of the call, nested without end.
  return error instanceof RangeError && /call stack/i.test(error.message) ? new Refusal(ANSWER_WRITERS[version].statusNotConforming, 'structure', 'The call is nested too deep.') : error;
}

function unauthorized(): Refusal {
  return new Refusal(401, 'login', 'Unauthorized');
}

function refuse(error: unknown, response: Response, log: Logger): void {
  if (response.headersSent || response.destroyed) {
    log.warn('CDS Hooks call ended early');
    return;
  }
  if (error instanceof Refusal) {
    if ([408, 413, 415].includes(error.status)) response.setHeader('Connection', 'close');
    if (error.status === 503) response.setHeader('Retry-After', '1');
    if (error.status !== 401) return sendOutcome(response, error);
    // CDS Hooks: no word on why.
    response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
    return;
  }
  log.error(fault(error), 'CDS Hooks call failed');
  sendOutcome(response, new Refusal(500, 'exception', 'The call could not be answered. The order can be signed without this answer.'));
}

function sendOutcome(response: Response, refusal: Refusal): void {
  send(response, refusal.status, 'application/fhir+json; charset=utf-8', JSON.stringify(refusal.outcome));
}

function send(response: Response, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/** The call's text as it may be kept. Where a token stands in what is not JSON cannot be told. */
function withoutToken(text: string, body: unknown): string {
  if (body === undefined) return `[${text.length} characters that are not JSON]`;
  const given: { readonly fhirAuthorization?: { readonly access_token?: unknown } | null } = body ?? {};
  const token = given.fhirAuthorization?.access_token;
  if (typeof token !== 'string' || token === '') return text;
  if (text.includes(token)) return text.replaceAll(token, '[removed]');
  return JSON.stringify(body, (key, value: unknown) => (key === 'access_token' ? '[removed]' : value));
}

/** Where it happened, without the message: a library's message may quote the data it stumbled on. */
function fault(error: unknown): { readonly fault: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { fault: typeof error, at: [] };
  return { fault: 'code' in error ? `${error.name} ${String(error.code)}` : error.name, at: (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')).slice(0, 5).map((line) => line.trim()) };
}

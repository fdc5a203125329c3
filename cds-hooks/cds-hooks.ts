import { randomUUID } from 'node:crypto';
import { type NextFunction, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { register, type Registry } from 'prom-client';
import type { DenialRiskModel } from '#models/serve/denial-risk-model.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { createClientTokenCheck, type TrustedCdsClient } from './client-token.ts';
import { defaultsFor, readConfiguration } from './configuration.ts';
import { discovery, ORDER_SIGN_SERVICE } from './discovery.ts';
import { createEhrReader } from './ehr-reader.ts';
import { type ExchangeLog, openExchangeLog } from './exchange-log.ts';
import { readFeedback, storeFeedback } from './feedback.ts';
import { answerOrderSign, type OrderSignParts } from './hooks/order-sign.ts';
import { hookMetrics } from './metrics.ts';
import { misshapen } from './misshapen.ts';
import { type OrderSignCall, readOrderSignCall } from './order-sign-call.ts';
import { parseJson, readBody } from './read-body.ts';
import { openRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import { openSeenTokens } from './seen-tokens.ts';
import { migrations } from './tables.ts';

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
  /** Calls without a JWT are answered when their fhirServer is this one: the sandbox. null: every call needs a JWT. */
  readonly openToFhirServer: string | null;
  /** Advertise the chart in prefetch. Default true; docs/decisions/hook-prefetch.md. */
  readonly prefetchChart?: boolean;
  /** For all reads from the caller's FHIR server in one call. Default 3000. */
  readonly fetchDeadlineMs?: number;
  /** How long calls, answers and feedback are kept. Default 90. */
  readonly retentionDays?: number;
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
const JSON_TYPE = 'application/json; charset=utf-8';

export async function createCdsHooks(options: CdsHooksOptions): Promise<CdsHooksPart> {
  const { store, log, now, audit, policies, payers, openToFhirServer } = options;
  const baseUrl = withoutSlash(options.baseUrl);
  const retentionDays = options.retentionDays ?? 90;
  await migratePart(store, 'cds', migrations);
  const seen = await openSeenTokens(store, now);
  const exchanges = openExchangeLog(store, now, retentionDays);
  const checkToken = createClientTokenCheck(options.trustedClients, seen, now);
  const metrics = hookMetrics(options.registry ?? register);
  const defaults = defaultsFor(openToFhirServer !== null);
  const services = JSON.stringify(discovery(policies, defaults, options.prefetchChart ?? true));
  const open: TrustedCdsClient | undefined = openToFhirServer === null ? undefined : { iss: 'open', fhirServers: [withoutSlash(openToFhirServer)] };
  const parts: OrderSignParts = {
    policies, payers, now,
    model: options.model,
    panelLaunchUrl: `${baseUrl}/panel/launch`,
    newId: randomUUID,
    onRisk(outcome, error) {
      metrics.risk.inc({ outcome });
      if (outcome === 'failed') log.warn(fault(error), 'denial risk not scored');
    },
    onFault: (rules) => log.error({ rules }, 'a policy breaks the rules of coverage-information'),
  };

  /** @throws Refusal 401 */
  const authenticate = async (request: Request, path: string): Promise<TrustedCdsClient | undefined> => {
    const verdict = await checkToken(request.headers.authorization, `${baseUrl}${path}`);
    if (verdict.kind === 'trusted') return verdict.client;
    if (verdict.kind === 'missing' && open) return undefined;
    if (verdict.kind === 'refused') log.warn({ why: verdict.why }, 'CDS client token refused');
    throw unauthorized();
  };

  const readerFor = (call: OrderSignCall, client: TrustedCdsClient) => {
    const { fhirServer, accessToken } = call;
    if (!fhirServer || !accessToken || !client.fhirServers.some((base) => withoutSlash(base) === withoutSlash(fhirServer))) return undefined;
    return createEhrReader({
      base: fhirServer,
      token: accessToken,
      deadline: AbortSignal.timeout(options.fetchDeadlineMs ?? 3_000),
      onFailure: (why) => log.warn({ why }, 'record could not be fetched from the FHIR server'),
    });
  };

  const orderSign = async (request: Request, response: Response): Promise<void> => {
    const signed = await authenticate(request, `/cds-services/${ORDER_SIGN_SERVICE}`);
    const text = await readBody(request);
    const body = parseJson(text);
    const client = signed ?? openClient(body, open);
    const kept = (status: number, answer: string, call?: OrderSignCall): void =>
      exchanges.record({ at: new Date(now()).toISOString(), client: client.iss, hookInstance: call?.hookInstance ?? '', status, request: withoutToken(text, body), answer });
    let call: OrderSignCall | undefined;
    try {
      call = readOrderSignCall(body);
      const record = openRecord(call, payers, readerFor(call, client));
      const { answer, determinations, scores } = await answerOrderSign(call, record, readConfiguration(call.configuration, defaults), parts);
      const json = JSON.stringify(answer);
      send(response, 200, JSON_TYPE, json);
      metrics.data.inc({ source: record.source() });
      for (const { applicable, requirement } of determinations) metrics.determinations.inc({ policy: applicable?.policy.id ?? 'none', pa_needed: requirement.paNeeded ?? 'none' });
      audit.record({ action: 'hook-answered', who: call.userId, what: [`Patient/${call.patientId}`, ...call.draftOrders.map((order) => `${order.resourceType}/${order.id}`)], details: { service: ORDER_SIGN_SERVICE, client: client.iss, cards: answer.cards.length, ...scores } });
      kept(200, json, call);
    } catch (thrown) {
      const error = thrown instanceof Refusal ? thrown : ((call && misshapen(call)) ?? thrown);
      if (error instanceof Refusal) {
        audit.record({ action: 'hook-refused', who: call?.userId ?? client.iss, outcome: 'refused', details: { service: ORDER_SIGN_SERVICE, client: client.iss, status: error.status } });
        kept(error.status, JSON.stringify(error.outcome), call);
      }
      throw error;
    }
  };

  const feedback = async (request: Request, response: Response): Promise<void> => {
    const client = await authenticate(request, `/cds-services/${ORDER_SIGN_SERVICE}/feedback`);
    // Feedback does not name a FHIR server, so there is nothing by which the sandbox could be told apart: it needs a JWT.
    if (!client) throw unauthorized();
    const given = readFeedback(parseJson(await readBody(request)));
    await storeFeedback(store, given, { client: client.iss, service: ORDER_SIGN_SERVICE, nowMs: now(), retentionDays });
    audit.record({ action: 'feedback-received', who: client.iss, details: { cards: given.length } });
    send(response, 200, JSON_TYPE, '{}');
  };

  const answering = (service: string, handle: (request: Request, response: Response) => Promise<void>) => (request: Request, response: Response): void => {
    const startedAt = performance.now();
    handle(request, response)
      .catch((error: unknown) => refuse(error, response, log))
      .finally(() => {
        metrics.calls.inc({ service, outcome: String(response.statusCode) });
        metrics.seconds.observe({ service }, (performance.now() - startedAt) / 1000);
      })
      .catch((error: unknown) => log.error(fault(error), 'answer could not be sent'));
  };

  const router = Router();
  router.use('/cds-services', (request, response, next) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (request.method !== 'OPTIONS') return next();
    response.writeHead(204, { 'Access-Control-Allow-Methods': 'GET, POST, OPTIONS', 'Access-Control-Allow-Headers': 'Authorization, Content-Type', 'Access-Control-Max-Age': '600' }).end();
  });
  router.get('/cds-services', (_request, response) => send(response, 200, JSON_TYPE, services));
  router.post(`/cds-services/${ORDER_SIGN_SERVICE}`, answering(ORDER_SIGN_SERVICE, orderSign));
  router.post(`/cds-services/${ORDER_SIGN_SERVICE}/feedback`, answering('feedback', feedback));
  router.all('/cds-services', (_request, response) => {
    response.setHeader('Allow', 'GET, OPTIONS');
    sendOutcome(response, new Refusal(405, 'not-supported', 'The list of CDS services can only be read: GET /cds-services.'));
  });
  router.use('/cds-services', (_request, response) => sendOutcome(response, new Refusal(404, 'not-found', 'There is no such CDS service. GET /cds-services lists them.')));
  // A broken escape in the path ends here.
  router.use('/cds-services', (error: unknown, _request: Request, response: Response, _next: NextFunction) => refuse(error instanceof URIError ? new Refusal(400, 'invalid', 'The address could not be read.') : error, response, log));

  const flush = async (): Promise<void> => {
    const results = await Promise.allSettled([seen.flush(), exchanges.flush()]);
    for (const result of results) if (result.status === 'rejected') log.error(fault(result.reason), 'background write of CDS Hooks failed; it will be tried again');
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    name: 'cds-hooks',
    router,
    exchanges,
    async start() {
      timer = setInterval(() => void flush(), FLUSH_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}

/** @throws Refusal 401 */
function openClient(body: unknown, open: TrustedCdsClient | undefined): TrustedCdsClient {
  const fhirServer = typeof body === 'object' && body !== null && 'fhirServer' in body ? body.fhirServer : undefined;
  if (open && typeof fhirServer === 'string' && open.fhirServers.includes(withoutSlash(fhirServer))) return open;
  throw unauthorized();
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
    if (error.status === 413 || error.status === 415) response.setHeader('Connection', 'close');
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

/** The call's text as it may be kept. */
function withoutToken(text: string, body: unknown): string {
  const token = (body as { readonly fhirAuthorization?: { readonly access_token?: unknown } } | null)?.fhirAuthorization?.access_token;
  if (typeof token !== 'string' || token === '') return text;
  if (text.includes(token)) return text.replaceAll(token, '[removed]');
  return JSON.stringify(body, (key, value: unknown) => (key === 'access_token' ? '[removed]' : value));
}

/** Where it happened, without the message: a library's message may quote the data it stumbled on. */
function fault(error: unknown): { readonly fault: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { fault: typeof error, at: [] };
  return { fault: 'code' in error ? `${error.name} ${String(error.code)}` : error.name, at: (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')).slice(0, 5).map((line) => line.trim()) };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

import type { Organization } from '@medplum/fhirtypes';
import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router, urlencoded } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import { createAdminPages } from '#admin/admin-pages.ts';
import { createAdminSession } from '#admin/admin-session.ts';
import { html, sendPage } from '#admin/html.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { checkConnection } from '../connections/check-connection.ts';
import type { ConnectionReport } from '../connections/check-report.ts';
import { PAS_CLIENT } from '../connections/our-client.ts';
import type { PayerConnections } from '../connections/payer-connections.ts';
import type { KnownPayer } from '../connections/registered-payers.ts';
import { ROTATION_TIMES, rotateKeys } from '../connections/rotate-keys.ts';
import { sendError } from '../error-reply.ts';
import type { SubscriptionHealth } from '../pas/notifications-health.ts';
import { formOf, readFields, readPayerForm } from './payer-form.ts';
import { PAYERS_PATH, type PayersPage, payersPage, reportPage } from './payers-page.ts';
import { subscriptionsPage } from './subscriptions-page.ts';

export interface PayersAdminOptions {
  readonly adminToken: string;
  readonly connections: PayerConnections;
  readonly keys: KeyRing;
  readonly clinic: Organization;
  readonly store: Store;
  readonly baseUrl: string;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
  readonly subscriptionHealth?: () => Promise<readonly SubscriptionHealth[]>;
}

const TITLE = 'Payers';
const DONE_WORDS: ReadonlyMap<unknown, string> = new Map([
  ['added', 'The payer is registered. Test its connection.'], ['changed', 'The payer is changed. Test its connection.'], ['disabled', 'The payer is disabled.'], ['enabled', 'The payer is enabled.'],
  ['manual', 'The payer is on manual: nothing new is sent to it.'], ['electronic', 'The payer is on electronic.'], ['rotated', 'New keys are made and published.'],
]);
/** Of one address, in a quarter of an hour. */
const BEARER_TRIES = 10;

/** Page for the operator: plain forms, no script. Each change needs the session's cookie and the word of its form; commands send the token as Bearer and get JSON. */
export function payersAdminRouter({ adminToken, connections, keys, clinic, store, baseUrl, audit, log, now, subscriptionHealth = async () => [] }: PayersAdminOptions): Router {
  const session = createAdminSession(adminToken, baseUrl.startsWith('https:'), now, { path: PAYERS_PATH, cookie: 'payer_admin' });
  const { changing, reading, back, addSession } = createAdminPages({ path: PAYERS_PATH, title: TITLE, session, audit, log, others: [`${PAYERS_PATH}/notifications`] });
  const router = Router();
  const show = (response: Response, status: number, page: Pick<PayersPage, 'csrf' | 'form' | 'faults' | 'notice'>): void =>
    sendPage(response, status, TITLE, payersPage({ payers: connections.list(), keys: keys.list(), baseUrl, nowMs: now(), fileFault: connections.fileFault(), ...page }), page.faults ? `Not saved: ${TITLE}` : TITLE);
  /** Answers the commands, which send the token itself; every other request goes on to the page. */
  const forCommands = (handle: (request: Request, response: Response) => Promise<void>): RequestHandler => async (request, response, next) => {
    const bearer = session.isBearer(request);
    if (bearer === undefined) return next('route');
    if (!bearer) {
      audit.record({ action: 'admin-refused', who: 'admin', outcome: 'refused', details: { why: 'token' } });
      return sendError(response, 401, 'ADMIN_TOKEN_WRONG', 'That is not the admin token.', 'Set ADMIN_TOKEN to that of the running process.');
    }
    try {
      return await handle(request, response);
    } catch (error) {
      log.error({ fault: error instanceof Error ? error.name : typeof error }, 'admin command failed');
      return sendError(response, 503, 'STORE_UNREACHABLE', 'The registrations cannot be reached at the moment. Nothing was changed.', 'Try again in a minute.');
    }
  };
  const noSuchPayer = (response: Response): void => sendPage(response, 404, TITLE, html`<p>There is no such payer. <a href="${PAYERS_PATH}">Back to the list.</a></p>`);
  const switchTo = (disabled: boolean) =>
    changing(async (request, response) => {
      const id = String(request.params['id']);
      if (!connections.list().some((known) => known.payer.id === id && known.source === 'admin-page')) return noSuchPayer(response);
      await connections.setDisabled(id, disabled);
      back(response, disabled ? 'disabled' : 'enabled');
    });
  const setMode = (mode: 'electronic' | 'manual') =>
    changing(async (request, response) => {
      const payer = connections.byId(String(request.params['id']));
      if (!payer || payer.planOf !== undefined) return noSuchPayer(response);
      await connections.setMode(payer.id, mode);
      back(response, mode);
    });
  const test = async (id: string): Promise<ConnectionReport | undefined> => {
    const payer = connections.byId(id);
    if (!payer) return undefined;
    const report = await checkConnection(payer, { ...PAS_CLIENT, keys, baseUrl, clinic, now });
    audit.record({ action: 'payer-connection-tested', who: 'admin', details: { payerId: id, result: report.result } });
    return report;
  };

  const bearerTries = rateLimit({ windowMs: 15 * 60_000, limit: BEARER_TRIES, skipSuccessfulRequests: true, standardHeaders: 'draft-8', legacyHeaders: false });
  router.use(PAYERS_PATH, (request, response, next) => (session.isBearer(request) === undefined ? next() : bearerTries(request, response, next)), urlencoded({ extended: false, limit: '64kb' }));
  router.get(PAYERS_PATH, forCommands(async (_request, response) => {
    await connections.reload();
    response.json({ payers: connections.list().map(withoutSecret), fileFault: connections.fileFault() ?? null });
  }));
  router.get(`${PAYERS_PATH}/notifications`, forCommands(async (_request, response) => void response.json({ subscriptions: await subscriptionHealth() })));
  router.post(`${PAYERS_PATH}/keys/rotate`, forCommands(async (_request, response) => {
    await rotateKeys({ store, audit, keys }, ROTATION_TIMES);
    response.json({ keys: keys.published().map(({ kid, alg }) => ({ kid, alg })) });
  }));
  router.post(`${PAYERS_PATH}/:id/test`, forCommands(async (request, response) => {
    const report = await test(String(request.params['id']));
    if (!report) return sendError(response, 404, 'PAYER_NOT_CONFIGURED', 'There is no payer of this id.', 'npm run payer -- list names them.');
    response.json(report);
  }));

  router.get(PAYERS_PATH, reading(async (request, response, csrf) => {
    await connections.reload();
    await keys.reload();
    const done = DONE_WORDS.get(request.query['done']);
    const changed = connections.list().find(({ payer, source }) => source === 'admin-page' && payer.id === request.query['change']);
    show(response, 200, { csrf, ...(done ? { notice: done } : {}), ...(changed ? { form: formOf(changed.payer) } : {}) });
  }));
  router.get(`${PAYERS_PATH}/notifications`, reading(async (_request, response) => sendPage(response, 200, 'Notifications of payers', subscriptionsPage(await subscriptionHealth()))));
  addSession(router);
  router.post(PAYERS_PATH, changing(async (request, response, csrf) => {
    const form = readFields(request.body);
    const read = readPayerForm(form);
    if (read.kind === 'faults') return show(response, 422, { csrf, form, faults: read.faults });
    const saved = await connections.save(read.payer);
    if (saved.kind === 'clash') return show(response, 409, { csrf, form, faults: { [saved.field]: saved.field === 'id' ? 'is that of a payer of the file, to be changed there, or of one that this version of the program cannot read.' : `are partly those of the payer ${saved.with}.` } });
    back(response, saved.kind);
  }));
  router.post(`${PAYERS_PATH}/keys/rotate`, changing(async (_request, response) => {
    await rotateKeys({ store, audit, keys }, ROTATION_TIMES);
    back(response, 'rotated');
  }));
  router.post(`${PAYERS_PATH}/:id/test`, changing(async (request, response) => {
    const report = await test(String(request.params['id']));
    return report ? sendPage(response, 200, `Connection to ${report.payerName}`, reportPage(report)) : noSuchPayer(response);
  }));
  router.post(`${PAYERS_PATH}/:id/mode/manual`, setMode('manual'));
  router.post(`${PAYERS_PATH}/:id/mode/electronic`, setMode('electronic'));
  router.post(`${PAYERS_PATH}/:id/disable`, switchTo(true));
  router.post(`${PAYERS_PATH}/:id/enable`, switchTo(false));
  router.use(PAYERS_PATH, ((error: unknown, _request, response, next) => {
    const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
    if (response.headersSent || (status !== 400 && status !== 413 && status !== 415)) return next(error);
    sendPage(response, status, TITLE, html`<p role="alert">${status === 413 ? 'The form is too large.' : 'The form cannot be read.'} Nothing was changed. <a href="${PAYERS_PATH}">Back to the list.</a></p>`);
  }) satisfies ErrorRequestHandler);
  return router;
}

function withoutSecret({ payer, ...known }: KnownPayer): KnownPayer {
  return { ...known, payer: payer.authentication?.kind === 'header' ? { ...payer, authentication: { ...payer.authentication, value: '(not shown)' } } : payer };
}

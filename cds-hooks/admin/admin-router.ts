import { type Request, type Response, Router, urlencoded } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import type { RegisteredClients } from '../client-trust/registered-clients.ts';
import type { TrustedClients } from '../client-trust/trusted-clients.ts';
import { type AdminSession } from './admin-session.ts';
import { readClientForm, readFields } from './client-form.ts';
import { type ClientsPage, CLIENTS_PATH, clientsPage, signInPage } from './clients-page.ts';
import { html, sendPage } from './html.ts';

export interface AdminParts {
  readonly session: AdminSession;
  readonly clients: TrustedClients;
  readonly registered: RegisteredClients;
  readonly audit: AuditTrail;
  readonly log: Logger;
}

const TITLE = 'CDS Hooks clients';
const DONE_WORDS: ReadonlyMap<unknown, string> = new Map([['added', 'The client is registered.'], ['disabled', 'The client is disabled.'], ['enabled', 'The client is enabled.']]);
/** Of one address, in a quarter of an hour. */
const SIGN_IN_TRIES = 10;

/** Pages for the operator: plain forms, no script. Each change needs the session's cookie and the word of its form. */
export function adminRouter({ session, clients, registered, audit, log }: AdminParts): Router {
  const router = Router();
  const show = (response: Response, status: number, page: Omit<ClientsPage, 'clients' | 'fileFault'>): void =>
    sendPage(response, status, TITLE, clientsPage({ clients: clients.list(), fileFault: clients.fileFault(), ...page }));
  const answering = (handle: (request: Request, response: Response) => Promise<void> | void) => (request: Request, response: Response): void => {
    Promise.resolve()
      .then(() => handle(request, response))
      .catch((error: unknown) => {
        log.error({ fault: error instanceof Error ? error.name : typeof error }, 'admin page failed');
        if (!response.headersSent) sendPage(response, 503, TITLE, html`<p role="alert">The registrations cannot be reached at the moment. Nothing was changed. Try again in a minute.</p>`);
      });
  };
  const changing = (handle: (request: Request, response: Response, csrf: string) => Promise<void> | void) =>
    answering((request, response) => {
      const known = session.of(request);
      if (!known) return sendPage(response, 401, TITLE, signInPage(false));
      const { csrf } = (request.body ?? {}) as { readonly csrf?: unknown };
      if (session.isCsrf(csrf, known)) return handle(request, response, known.csrf);
      audit.record({ action: 'admin-refused', who: 'admin', outcome: 'refused', details: { why: 'csrf' } });
      return sendPage(response, 403, TITLE, html`<p role="alert">The form is too old, or did not come from this page. <a href="${CLIENTS_PATH}">Open the page again.</a></p>`);
    });
  const back = (response: Response, done: string): void => {
    response.writeHead(303, { Location: `${CLIENTS_PATH}?done=${done}` }).end();
  };
  const switchTo = (disabled: boolean) =>
    changing(async (request, response) => {
      const id = String(request.params['id']);
      if (!clients.list().some((known) => known.id === id)) return sendPage(response, 404, TITLE, html`<p>There is no such client. <a href="${CLIENTS_PATH}">Back to the list.</a></p>`);
      await registered.setDisabled(id, disabled);
      await clients.reload();
      back(response, disabled ? 'disabled' : 'enabled');
    });

  router.use(CLIENTS_PATH, urlencoded({ extended: false, limit: '64kb' }));
  router.get(CLIENTS_PATH, answering(async (request, response) => {
    const known = session.of(request);
    if (!known) return sendPage(response, 200, TITLE, signInPage(false));
    await clients.reload();
    const done = DONE_WORDS.get(request.query['done']);
    show(response, 200, { csrf: known.csrf, ...(done ? { notice: done } : {}) });
  }));
  router.post(`${CLIENTS_PATH}/sign-in`, rateLimit({ windowMs: 15 * 60_000, limit: SIGN_IN_TRIES, skipSuccessfulRequests: true, requestWasSuccessful: (_request, response) => response.statusCode === 303, standardHeaders: 'draft-8', legacyHeaders: false }), answering((request, response) => {
    const { token } = (request.body ?? {}) as { readonly token?: unknown };
    const right = typeof token === 'string' && session.knows(token);
    audit.record({ action: right ? 'admin-signed-in' : 'admin-refused', who: 'admin', ...(right ? {} : { outcome: 'refused' as const, details: { why: 'token' } }) });
    if (!right) return sendPage(response, 401, TITLE, signInPage(true));
    session.begin(response);
    response.writeHead(303, { Location: CLIENTS_PATH }).end();
  }));
  router.post(`${CLIENTS_PATH}/sign-out`, changing((_request, response) => {
    session.end(response);
    response.writeHead(303, { Location: CLIENTS_PATH }).end();
  }));
  router.post(CLIENTS_PATH, changing(async (request, response, csrf) => {
    const form = readFields(request.body);
    const read = readClientForm(form);
    if (read.kind === 'faults') return show(response, 422, { csrf, form, faults: read.faults });
    const taken = clients.list().some(({ client }) => client.iss === read.client.iss && client.tenant === read.client.tenant);
    if (taken || !(await registered.add(read.client))) return show(response, 409, { csrf, form, faults: { iss: 'is registered already, with this tenant.' } });
    await clients.reload();
    back(response, 'added');
  }));
  router.post(`${CLIENTS_PATH}/:id/disable`, switchTo(true));
  router.post(`${CLIENTS_PATH}/:id/enable`, switchTo(false));
  return router;
}

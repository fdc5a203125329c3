import { type Response, Router, urlencoded } from 'express';
import type { Logger } from 'pino';
import { createAdminPages } from '#admin/admin-pages.ts';
import type { AdminSession } from '#admin/admin-session.ts';
import { html, sendPage } from '#admin/html.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { RegisteredClients } from '../client-trust/registered-clients.ts';
import type { KnownClient, TrustedClients } from '../client-trust/trusted-clients.ts';
import { formOf, readClientForm, readFields } from './client-form.ts';
import { type ClientsPage, CLIENTS_PATH, clientsPage, SOURCE_WORDS } from './clients-page.ts';
import { FEEDBACK_PATH } from './paths.ts';

export interface AdminParts {
  readonly session: AdminSession;
  readonly clients: TrustedClients;
  readonly registered: RegisteredClients;
  readonly audit: AuditTrail;
  readonly log: Logger;
}

const TITLE = 'CDS Hooks clients';
const DONE_WORDS: ReadonlyMap<unknown, string> = new Map([['added', 'The client is registered.'], ['corrected', 'The client is registered, in place of the one that was disabled.'], ['disabled', 'The client is disabled.'], ['enabled', 'The client is enabled.']]);
/** Page for the operator: whose signed calls are answered. */
export function adminRouter({ session, clients, registered, audit, log }: AdminParts): Router {
  const { changing, reading, back, addSession } = createAdminPages({ path: CLIENTS_PATH, title: TITLE, session, audit, log, others: [FEEDBACK_PATH] });
  const router = Router();
  const show = (response: Response, status: number, page: Omit<ClientsPage, 'clients' | 'fileFault'>): void =>
    sendPage(response, status, TITLE, clientsPage({ clients: clients.list(), fileFault: clients.fileFault(), ...page }), page.faults ? `Not added: ${TITLE}` : TITLE);
  const switchTo = (disabled: boolean) =>
    changing(async (request, response) => {
      const id = String(request.params['id']);
      if (!clients.list().some((known) => known.id === id)) return sendPage(response, 404, TITLE, html`<p>There is no such client. <a href="${CLIENTS_PATH}">Back to the list.</a></p>`);
      await registered.setDisabled(id, disabled);
      await clients.reload();
      back(response, disabled ? 'disabled' : 'enabled');
    });

  router.use(CLIENTS_PATH, urlencoded({ extended: false, limit: '64kb' }));
  router.get(CLIENTS_PATH, reading(async (request, response, csrf) => {
    await clients.reload();
    const done = DONE_WORDS.get(request.query['done']);
    const corrected = clients.list().find(({ client, id }) => client.disabled && id !== undefined && id === request.query['correct']);
    show(response, 200, { csrf, ...(done ? { notice: done } : {}), ...(corrected ? { form: formOf(corrected.client) } : {}) });
  }));
  addSession(router);
  router.post(CLIENTS_PATH, changing(async (request, response, csrf) => {
    const form = readFields(request.body);
    const read = readClientForm(form);
    if (read.kind === 'faults') return show(response, 422, { csrf, form, faults: read.faults });
    await clients.reload();
    const before = clients.list().find(({ client }) => client.iss === read.client.iss && client.tenant === read.client.tenant);
    if ((before && !isReplaceable(before)) || !(await registered.add(read.client))) return show(response, 409, { csrf, form, faults: { iss: takenWords(read.client.tenant, before) } });
    await clients.reload();
    back(response, before ? 'corrected' : 'added');
  }));
  router.post(`${CLIENTS_PATH}/:id/disable`, switchTo(true));
  router.post(`${CLIENTS_PATH}/:id/enable`, switchTo(false));
  return router;
}

/** What was registered with a mistake is disabled, then registered anew. */
function isReplaceable({ client, source }: KnownClient): boolean {
  return source === 'admin-page' && client.disabled === true;
}

/** Without `before` another process was quicker. */
function takenWords(tenant: string | undefined, before: KnownClient | undefined): string {
  const source = before?.source ?? 'admin-page';
  return `is registered already${tenant === undefined ? '' : ', with this tenant'}, in ${SOURCE_WORDS[source]}. ${source === 'admin-page' ? 'To correct it, disable it first.' : source === 'file' ? 'Change it there.' : 'It cannot be changed.'}`;
}

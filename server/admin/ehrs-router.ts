import { type Request, type RequestHandler, type Response, Router, urlencoded } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import type { RegisteredEhrs } from '../smart/registered-ehrs.ts';
import { withoutTrailingSlash } from '../smart/ehr-registration.ts';
import { createAdminSession } from './admin-session.ts';
import { readEhrForm, readFields } from './ehr-form.ts';
import { EHRS_PATH, type EhrsPage, ehrsPage, signInPage } from './ehrs-page.ts';
import { html, sendPage } from './html.ts';

export interface EhrsAdminOptions {
  readonly adminToken: string;
  readonly ehrs: RegisteredEhrs;
  readonly baseUrl: string;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
}

const TITLE = 'EHRs';
const DONE_WORDS: ReadonlyMap<unknown, string> = new Map([['added', 'The EHR is registered.'], ['disabled', 'The EHR is disabled.'], ['enabled', 'The EHR is enabled.']]);
/** Of one address, in a quarter of an hour. */
const SIGN_IN_TRIES = 10;

/** Page for the operator: plain forms, no script. Each change needs the session's cookie and the word of its form. */
export function ehrsAdminRouter({ adminToken, ehrs, baseUrl, audit, log, now }: EhrsAdminOptions): Router {
  const session = createAdminSession(adminToken, baseUrl.startsWith('https:'), now, { path: EHRS_PATH, cookie: 'ehr_admin' });
  const router = Router();
  const show = (response: Response, status: number, page: Omit<EhrsPage, 'ehrs' | 'fileFault' | 'baseUrl'>): void =>
    sendPage(response, status, TITLE, ehrsPage({ ehrs: ehrs.list(), baseUrl, fileFault: ehrs.fileFault(), ...page }));
  const answering = (handle: (request: Request, response: Response) => Promise<void> | void): RequestHandler => async (request, response) => {
    try {
      await handle(request, response);
    } catch (error) {
      log.error({ fault: error instanceof Error ? error.name : typeof error }, 'admin page failed');
      if (!response.headersSent) sendPage(response, 503, TITLE, html`<p role="alert">The registrations cannot be reached at the moment. Nothing was changed. Try again in a minute.</p>`);
    }
  };
  const changing = (handle: (request: Request, response: Response, csrf: string) => Promise<void> | void) =>
    answering((request, response) => {
      const known = session.of(request);
      if (!known) return sendPage(response, 401, TITLE, signInPage(false));
      const { csrf } = (request.body ?? {}) as { readonly csrf?: unknown };
      if (session.isCsrf(csrf, known)) return handle(request, response, known.csrf);
      audit.record({ action: 'admin-refused', who: 'admin', outcome: 'refused', details: { why: 'csrf' } });
      return sendPage(response, 403, TITLE, html`<p role="alert">The form is too old, or did not come from this page. <a href="${EHRS_PATH}">Open the page again.</a></p>`);
    });
  const back = (response: Response, done?: string): void => {
    response.writeHead(303, { Location: done === undefined ? EHRS_PATH : `${EHRS_PATH}?done=${done}` }).end();
  };
  const switchTo = (disabled: boolean) =>
    changing(async (request, response) => {
      const id = String(request.params['id']);
      if (!ehrs.list().some((known) => known.id === id)) return sendPage(response, 404, TITLE, html`<p>There is no such EHR. <a href="${EHRS_PATH}">Back to the list.</a></p>`);
      await ehrs.setDisabled(id, disabled);
      back(response, disabled ? 'disabled' : 'enabled');
    });

  router.use(EHRS_PATH, urlencoded({ extended: false, limit: '64kb' }));
  router.get(EHRS_PATH, answering(async (request, response) => {
    const known = session.of(request);
    if (!known) return sendPage(response, 200, TITLE, signInPage(false));
    await ehrs.reload();
    const done = DONE_WORDS.get(request.query['done']);
    show(response, 200, { csrf: known.csrf, ...(done ? { notice: done } : {}) });
  }));
  router.post(`${EHRS_PATH}/sign-in`, rateLimit({ windowMs: 15 * 60_000, limit: SIGN_IN_TRIES, skipSuccessfulRequests: true, requestWasSuccessful: (_request, response) => response.statusCode === 303, standardHeaders: 'draft-8', legacyHeaders: false }), answering((request, response) => {
    const { token } = (request.body ?? {}) as { readonly token?: unknown };
    const right = typeof token === 'string' && session.knows(token);
    audit.record({ action: right ? 'admin-signed-in' : 'admin-refused', who: 'admin', ...(right ? {} : { outcome: 'refused' as const, details: { why: 'token' } }) });
    if (!right) return sendPage(response, 401, TITLE, signInPage(true));
    session.begin(response);
    back(response);
  }));
  router.post(`${EHRS_PATH}/sign-out`, changing((_request, response) => {
    session.end(response);
    back(response);
  }));
  router.post(EHRS_PATH, changing(async (request, response, csrf) => {
    const form = readFields(request.body);
    const read = readEhrForm(form);
    if (read.kind === 'faults') return show(response, 422, { csrf, form, faults: read.faults });
    const taken = ehrs.list().some(({ ehr }) => withoutTrailingSlash(ehr.fhirBase) === withoutTrailingSlash(read.ehr.fhirBase));
    if (taken || !(await ehrs.add(read.ehr))) return show(response, 409, { csrf, form, faults: { fhirBase: 'is registered already.' } });
    back(response, 'added');
  }));
  router.post(`${EHRS_PATH}/:id/disable`, switchTo(true));
  router.post(`${EHRS_PATH}/:id/enable`, switchTo(false));
  return router;
}

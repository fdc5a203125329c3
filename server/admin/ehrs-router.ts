import { withoutSlashes } from '#fhir/base/reference.ts';
import { type Response, Router, urlencoded } from 'express';
import type { Logger } from 'pino';
import { createAdminPages } from '#admin/admin-pages.ts';
import { createAdminSession } from '#admin/admin-session.ts';
import { html, sendPage } from '#admin/html.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { RegisteredEhrs } from '../smart/registered-ehrs.ts';
import { readEhrForm, readFields } from './ehr-form.ts';
import { EHRS_PATH, type EhrsPage, ehrsPage } from './ehrs-page.ts';

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
/** Page for the operator: which EHRs may launch the panel. */
export function ehrsAdminRouter({ adminToken, ehrs, baseUrl, audit, log, now }: EhrsAdminOptions): Router {
  const session = createAdminSession(adminToken, baseUrl.startsWith('https:'), now, { path: EHRS_PATH, cookie: 'ehr_admin' });
  const { changing, reading, back, addSession } = createAdminPages({ path: EHRS_PATH, title: TITLE, session, audit, log });
  const router = Router();
  const show = (response: Response, status: number, page: Omit<EhrsPage, 'ehrs' | 'fileFault' | 'baseUrl'>): void =>
    sendPage(response, status, TITLE, ehrsPage({ ehrs: ehrs.list(), baseUrl, fileFault: ehrs.fileFault(), ...page }), page.faults ? `Not added: ${TITLE}` : TITLE);
  const switchTo = (disabled: boolean) =>
    changing(async (request, response) => {
      const id = String(request.params['id']);
      if (!ehrs.list().some((known) => known.id === id)) return sendPage(response, 404, TITLE, html`<p>There is no such EHR. <a href="${EHRS_PATH}">Back to the list.</a></p>`);
      await ehrs.setDisabled(id, disabled);
      back(response, disabled ? 'disabled' : 'enabled');
    });

  router.use(EHRS_PATH, urlencoded({ extended: false, limit: '64kb' }));
  router.get(EHRS_PATH, reading(async (request, response, csrf) => {
    await ehrs.reload();
    const done = DONE_WORDS.get(request.query['done']);
    show(response, 200, { csrf, ...(done ? { notice: done } : {}) });
  }));
  addSession(router);
  router.post(EHRS_PATH, changing(async (request, response, csrf) => {
    const form = readFields(request.body);
    const read = readEhrForm(form);
    if (read.kind === 'faults') return show(response, 422, { csrf, form, faults: read.faults });
    const taken = ehrs.list().some(({ ehr }) => withoutSlashes(ehr.fhirBase) === withoutSlashes(read.ehr.fhirBase));
    if (taken || !(await ehrs.add(read.ehr))) return show(response, 409, { csrf, form, faults: { fhirBase: 'is registered already.' } });
    back(response, 'added');
  }));
  router.post(`${EHRS_PATH}/:id/disable`, switchTo(true));
  router.post(`${EHRS_PATH}/:id/enable`, switchTo(false));
  return router;
}

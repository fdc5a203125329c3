import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { type LaunchableEhr, type LaunchChoices, PANEL_LAUNCH_API, type PanelLaunch } from '#prior-auth/panel-launch-api.ts';
import { openCase } from '../ehr/open-case.ts';
import { readLaunch } from '../ehr/read-launch.ts';
import { answerErrors, sendError } from '../error-reply.ts';
import { resumePanel } from '../panel-api/panel-session.ts';
import { ehrName } from './ehr-registration.ts';
import { readLaunchChoices } from './launch-choices.ts';
import { followUp, type PanelLaunchParts } from './panel-launch.ts';
import { expired } from './sessions.ts';

/** What the panel asks before it has a case: PANEL_LAUNCH_API. */
export function launchRouter(launching: PanelLaunchParts): Router {
  const { parts, ehrs, payers, openSession } = launching;
  const { sessions } = parts;
  const router = Router();
  const api = Router();
  const json = express.json({ limit: '10kb' });
  const demandJson: RequestHandler = (request, response, next) => {
    if (request.is('application/json')) next();
    else sendError(response, 415, 'REQUEST_INVALID', 'Content-Type must be application/json.');
  };
  api.use((_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  const below = (path: string): string => path.replace('/panel/api', '');

  api.get(below(PANEL_LAUNCH_API.listEhrs.path), (_request, response: Response<{ ehrs: readonly LaunchableEhr[] }>) => {
    const enabled = ehrs.list().map(({ ehr }) => ehr).filter((ehr) => ehr.disabled !== true);
    response.json({ ehrs: enabled.map((ehr) => ({ name: ehrName(ehr), startUrl: `/panel/standalone?${new URLSearchParams({ iss: ehr.fhirBase }).toString()}` })) });
  });
  api.post(below(PANEL_LAUNCH_API.claim.path), rateLimit({ windowMs: 60_000, limit: 300, standardHeaders: 'draft-8', legacyHeaders: false }), demandJson, json, async (request, response) => {
    const claimed = await sessions.claim(parse(PANEL_LAUNCH_API.claim.request, request.body).ticket);
    if (!claimed) throw expired();
    response.json(claimed);
  });
  api.get(below(PANEL_LAUNCH_API.readLaunch.path), async (request, response: Response<PanelLaunch>) => {
    const { caseId, launch } = await resumePanel(sessions, request);
    response.json({ kind: caseId === null ? 'choose' : 'case', style: launch.style, notGranted: launch.notGranted, intent: launch.intent ?? null });
  });
  api.get(below(PANEL_LAUNCH_API.readChoices.path), async (request, response: Response<LaunchChoices>) => {
    const session = await resumePanel(sessions, request);
    response.json(await readLaunchChoices(openSession(session), session));
  });
  api.post(below(PANEL_LAUNCH_API.choose.path), demandJson, json, async (request: Request, response) => {
    const session = await resumePanel(sessions, request);
    const { reference } = parse(PANEL_LAUNCH_API.choose.request, request.body);
    if (session.patientId === null) throw expired();
    if (session.caseId !== null) throw new PriorAuthError('CASE_STEP_NOT_ALLOWED', 'This panel is about one order already.', { nextStep: 'Open the panel again from the chart for another order.' });
    const opening = await readLaunch(openSession(session), session.ehrBase, { patient: session.patientId, references: [reference], canonicals: [], identifiers: [], needPatientBanner: session.needPatientBanner }, { payers, now: parts.now });
    const opened = await openCase(parts, opening, session.user.reference);
    await sessions.setCase(session.id, opened.id);
    parts.audit.record({ action: 'panel-launched', who: session.user.reference, what: [`Patient/${session.patientId}`, opening.service.order], caseId: opened.id });
    followUp(launching, session, opened);
    response.json({});
  });

  router.use('/panel/api', api);
  router.use('/panel/api', answerErrors(parts.log));
  return router;
}

function parse<T>(schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } }, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new PriorAuthError('REQUEST_INVALID', 'The body of the request is not valid.', { nextStep: 'Reload the panel.' });
}

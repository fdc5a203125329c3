import express, { type Request, Router } from 'express';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { HandOver } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import type { WorklistCase, WorklistPage, WorklistRow, WorklistSession } from '#prior-auth/worklist-api.ts';
import type { PanelParts } from '../panel-api/panel-parts.ts';
import { answerErrors, sendError } from '../error-reply.ts';
import { cookieOptions, readCookie } from '../smart/cookies.ts';
import type { Session } from '../smart/sessions.ts';
import { caseClock, decisionOf, type TimeZoneOf } from '../store/case-clock.ts';
import { readWorklist, worklistQuery } from '../store/worklist.ts';
import { tellTimeline } from './timeline.ts';
import { WORK_COOKIE } from './worklist-sign-in.ts';

type WorklistParts = Pick<PanelParts, 'store' | 'cases' | 'sessions' | 'audit' | 'log' | 'timeZoneOf'>;

/** The staff's worklist. A member of staff sees the cases of the EHR at which they signed in, and no others. */
export function worklistRouter({ store, cases, sessions, audit, log, timeZoneOf }: WorklistParts, baseUrl: string): Router {
  const api = Router();
  api.use((_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  const resume = async (request: Request): Promise<Session> => {
    const [id, secret] = (readCookie(request, WORK_COOKIE) ?? '').split('.');
    return sessions.resume('work', id, secret).catch((error: unknown) => {
      if (error instanceof PriorAuthError && error.code === 'SESSION_EXPIRED') {
        throw new PriorAuthError('SESSION_EXPIRED', 'You are not signed in.', { cause: error, nextStep: 'Sign in at /work/login.' });
      }
      throw error;
    });
  };

  api.get('/session', async (request, response) => {
    const { user } = await resume(request);
    response.json({ user } satisfies WorklistSession);
  });

  api.get('/cases', async (request, response) => {
    const session = await resume(request);
    const query = worklistQuery.safeParse(Object.fromEntries(Object.entries(request.query).filter(([, value]) => value !== '')));
    if (!query.success) {
      const [issue] = query.error.issues;
      throw new PriorAuthError('REQUEST_INVALID', `${issue?.path.join('.')}: ${issue?.message}`, { nextStep: 'Load the list from its beginning.' });
    }
    const { cases: found, next, counts, handedOver, handOvers } = await readWorklist(store, session.ehrBase, query.data);
    audit.record({ action: 'worklist-viewed', who: session.user.reference, what: found.map(({ patient }) => `Patient/${patient.id}`) });
    response.json({ rows: found.map((each) => toRow(each, timeZoneOf, handOvers.get(each.id))), next, counts, handedOver } satisfies WorklistPage);
  });

  api.get('/cases/:id', async (request, response) => {
    const session = await resume(request);
    const found = await cases.read(request.params.id);
    if (found.ehrBase !== session.ehrBase) throw new PriorAuthError('CASE_NOT_FOUND', `There is no case ${found.id}.`, { nextStep: 'Go back to the list of cases.' });
    audit.record({ action: 'case-viewed', who: session.user.reference, what: [`Patient/${found.patient.id}`], caseId: found.id });
    const decision = decisionOf(found);
    const view: WorklistCase = {
      case: found,
      clock: caseClock(found, timeZoneOf),
      decision: decision ? sayDecision(decision) : null,
      timeline: tellTimeline(await audit.ofCase(found.id)),
    };
    response.json(view);
  });

  api.post('/session/close', express.json({ limit: '1kb' }), async (request, response) => {
    if (!request.is('application/json')) return sendError(response, 415, 'REQUEST_INVALID', 'Content-Type must be application/json.');
    const session = await resume(request);
    await sessions.close(session.id);
    response.clearCookie(WORK_COOKIE, cookieOptions(baseUrl, '/work', 0)).json({});
  });

  api.use((_request, response) => sendError(response, 404, 'REQUEST_INVALID', 'There is no such address in the worklist’s API.'));
  api.use(answerErrors(log));
  const router = Router();
  router.use('/work/api', api);
  return router;
}

function toRow(found: PriorAuthCase, timeZoneOf: TimeZoneOf, handOver: HandOver | undefined): WorklistRow {
  const decision = decisionOf(found);
  return {
    caseId: found.id,
    patientName: found.patient.name,
    service: found.service.display,
    serviceCode: found.service.codings[0]?.code ?? null,
    payerName: found.payer.name,
    state: found.state.kind,
    decision: decision ? sayDecision(decision) : null,
    clock: caseClock(found, timeZoneOf),
    updatedAt: found.updatedAt,
    ...(handOver ? { handedOver: { by: handOver.by.name, to: handOver.to.name, at: handOver.at, ...(handOver.takenBy ? { takenBy: handOver.takenBy.name } : {}) } } : {}),
  };
}

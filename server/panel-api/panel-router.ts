import express, { type Request, type Response, Router } from 'express';
import { PANEL_API, type PanelMessage } from '#prior-auth/panel-api.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { OpenSessionEhr } from '../ehr/session-ehr.ts';
import { answerErrors, sendError } from '../error-reply.ts';
import { cookieOptions } from '../smart/cookies.ts';
import { expired } from '../smart/sessions.ts';
import { answerAsk } from './answer-ask.ts';
import { openAskForm } from './open-ask-form.ts';
import { cancelRequest, changeRequest, checkNow, holdRequest, recordDecision, recordUse, releaseRequest, renewAuthorization, requestAgain, resendRequest, switchBack, switchToManual, updateManual, withdrawRequest } from './case-steps.ts';
import { chooseSubmission } from './choose-submission.ts';
import { closeSession } from './close-session.ts';
import { writePacketPdf } from '../packet/packet-pdf.ts';
import { completeForm } from './complete-form.ts';
import { listFurtherOrders } from './further-orders.ts';
import { cancelHandOver, handOver, listColleagues, readHandOver, takeOver } from './hand-over-messages.ts';
import { listForms } from './list-forms.ts';
import { nextQuestion } from './next-question.ts';
import type { PanelCall, PanelHandler, PanelParts } from './panel-parts.ts';
import { panelCookie, resumePanel } from './panel-session.ts';
import { populateForm } from './populate-form.ts';
import { previewSubmission } from './preview-submission.ts';
import { readCase } from './read-case.ts';
import { makePacket, readPacket } from './read-packet.ts';
import { readResponseBundle } from './read-response-bundle.ts';
import { type ProgressBoard, readProgress } from './read-progress.ts';
import { readSession } from './read-session.ts';
import { readSource } from './read-source.ts';
import { saveForm } from './save-form.ts';
import { searchReferences } from './search-references.ts';
import { searchOptions } from './search-options.ts';
import { submit } from './submit.ts';

/** The panel's API, one route per row of PANEL_API. */
export function panelRouter(parts: PanelParts, openEhr: OpenSessionEhr, baseUrl: string): Router {
  const progress: ProgressBoard = new Map();
  const handlers: { readonly [M in PanelMessage]: PanelHandler<M> } = {
    readSession: readSession(),
    readCase: readCase(parts),
    listForms: listForms(parts),
    populateForm: populateForm(parts, progress),
    readProgress: readProgress(progress),
    saveForm: saveForm(parts),
    completeForm: completeForm(parts),
    nextQuestion: nextQuestion(parts),
    readResponseBundle: readResponseBundle(parts),
    searchOptions: searchOptions(parts),
    readSource: readSource(parts),
    searchReferences: searchReferences(parts),
    previewSubmission: previewSubmission(parts),
    listFurtherOrders: listFurtherOrders(parts),
    chooseSubmission: chooseSubmission(parts),
    submit: submit(parts),
    holdRequest: holdRequest(parts),
    releaseRequest: releaseRequest(parts),
    resendRequest: resendRequest(parts),
    withdrawRequest: withdrawRequest(parts),
    checkNow: checkNow(parts),
    switchToManual: switchToManual(parts),
    updateManual: updateManual(parts),
    switchBack: switchBack(parts),
    recordDecision: recordDecision(parts),
    requestAgain: requestAgain(parts),
    renewAuthorization: renewAuthorization(parts),
    changeRequest: changeRequest(parts),
    cancelRequest: cancelRequest(parts),
    answerAsk: answerAsk(parts),
    openAskForm: openAskForm(parts),
    recordUse: recordUse(parts),
    listColleagues: listColleagues(),
    readHandOver: readHandOver(parts),
    handOver: handOver(parts),
    takeOver: takeOver(parts),
    cancelHandOver: cancelHandOver(parts),
    readPacket: readPacket(parts),
    closeSession: closeSession(parts),
  };
  const router = Router();
  const api = Router();

  const resume = async (request: Request): Promise<PanelCall> => {
    const session = await resumePanel(parts.sessions, request);
    if (session.patientId === null) throw expired();
    if (session.caseId === null) throw new PriorAuthError('CASE_NOT_FOUND', 'No order was chosen yet.', { nextStep: 'Choose the order that this is about.' });
    return { session, caseId: session.caseId, patientId: session.patientId, ehr: openEhr(session) };
  };

  const answer = <M extends PanelMessage>(message: M) => {
    const handler: PanelHandler<M> = handlers[message];
    const { method, path, request: schema } = PANEL_API[message];
    const parseBody = express.json({ limit: 'files' in schema.shape ? '12mb' : 'response' in schema.shape ? '2mb' : '1mb' });
    const calls = new WeakMap<Request, PanelCall>();
    const authenticate = async (request: Request, response: Response, next: () => void) => {
      response.set('cache-control', 'no-store');
      calls.set(request, await resume(request));
      if (method !== 'GET' && !request.is('application/json')) {
        sendError(response, 415, 'REQUEST_INVALID', 'Content-Type must be application/json.');
        return;
      }
      next();
    };
    const handle = async (request: Request, response: Response) => {
      const call = calls.get(request);
      if (!call) throw expired();
      const parsed = schema.safeParse(method === 'GET' ? request.query : (request.body ?? {}));
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw new PriorAuthError('REQUEST_INVALID', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`, { nextStep: 'Reload the panel.' });
      }
      // The row of PANEL_API that parsed it is the row the handler is typed by; TypeScript cannot follow that through the generic.
      const reply = await handler(parsed.data as Parameters<PanelHandler<M>>[0], call);
      if (message === 'closeSession') response.clearCookie(panelCookie(call.session.id), cookieOptions(baseUrl, '/panel', 0));
      response.json(reply);
    };
    const verb = method === 'GET' ? 'get' : method === 'PUT' ? 'put' : 'post';
    api[verb](path, authenticate, parseBody, handle);
  };
  for (const message of Object.keys(PANEL_API) as PanelMessage[]) answer(message);

  api.get('/packet.pdf', async (request, response) => {
    response.set('cache-control', 'no-store');
    const packet = await makePacket(parts, await resume(request), 'pdf');
    response.type('application/pdf').set('content-disposition', `attachment; filename="prior-authorization-${packet.caseNumber}.pdf"`).send(await writePacketPdf(packet));
  });

  api.use((_request, response) => sendError(response, 404, 'REQUEST_INVALID', 'There is no such address in the panel’s API.'));
  api.use(answerErrors(parts.log));
  router.use('/panel/api', api);
  return router;
}

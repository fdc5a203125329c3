import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod/mini';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { newAppealResult, newLabelOverride } from '#prior-auth/learning/labels-api.ts';
import { newNote, newView, type CaseNote, type SavedView, pauseOfLine, type StepResult, usedUnits, type WorklistPage, type WorklistPeople, worklistQuery, worklistSearch, type WorklistSession, worklistSteps } from '#prior-auth/worklist-api.ts';
import { enteredDecision } from '#prior-auth/payer-decision/entered-decision.ts';
import { answerErrors, sendError } from '../error-reply.ts';
import { createLabels } from '../learning/labels.ts';
import { toLabelViews } from '../learning/label-views.ts';
import type { PanelParts } from '../panel-api/panel-parts.ts';
import { recordDecision } from '../pas/case-actions/record-decision.ts';
import { recordUse } from '../pas/case-actions/record-use.ts';
import { cookieOptions, readCookie } from '../smart/cookies.ts';
import type { Session } from '../smart/sessions.ts';
import type { People } from '../store/people.ts';
import { createWorklistCounts } from '../store/worklist-counts.ts';
import { countWorklist, readWorklist } from '../store/worklist.ts';
import { createCaseNotes } from './case-notes.ts';
import { CSV_HEAD, csvLine } from './export-csv.ts';
import { readOutages } from './payer-outages.ts';
import { createSavedViews } from './saved-views.ts';
import { viewWorklistCase } from './view-worklist-case.ts';
import { createWorklistChanges } from './worklist-changes.ts';
import { WORK_COOKIE } from './worklist-sign-in.ts';
import { readOwn, takeSteps } from './worklist-steps.ts';
import { toRow } from './worklist-view.ts';

export interface WorklistParts extends Pick<PanelParts, 'store' | 'cases' | 'forms' | 'handOvers' | 'sender' | 'sessions' | 'audit' | 'log' | 'now' | 'timeZoneOf'> {
  readonly people: People;
  readonly payerName: (payerId: string) => string;
}

export interface WorklistServer {
  readonly router: Router;
  /** Lets the readers go who wait for changes. */
  stop(): void;
}

/** Rows of one reading of the export; each is an entry of the audit trail with the patients in it. */
const EXPORTED_AT_ONCE = 500;

/** The staff's worklist. A member of staff sees the cases of the EHR at which they signed in, and no others. */
export function createWorklistServer(parts: WorklistParts, baseUrl: string): WorklistServer {
  const { store, sessions, audit, log, now, payerName } = parts;
  const counts = createWorklistCounts(store, now, payerName);
  const notes = createCaseNotes(store, audit, now);
  const labels = createLabels({ store, audit, now });
  const views = createSavedViews(store, now);
  const changes = createWorklistChanges(store, log);
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
  const scopeOf = ({ ehrBase }: Session) => ({ ehrBase, nowMs: now() });

  api.get('/session', async (request, response) => {
    const { user } = await resume(request);
    response.json({ user } satisfies WorklistSession);
  });

  const sendPage = async (session: Session, asked: unknown, response: Response): Promise<void> => {
    const { after, ...query } = read(worklistSearch, asked);
    const scope = scopeOf(session);
    const [slice, found, counted, outages] = await Promise.all([
      readWorklist(store, scope, query, after),
      countWorklist(store, scope, query),
      counts(session.ehrBase),
      readOutages(parts),
    ]);
    audit.record({ action: 'worklist-viewed', who: session.user.reference, what: slice.cases.map(({ case: { patient } }) => `Patient/${patient.id}`) });
    response.json({ rows: slice.cases.map((each) => toRow(each, parts)), next: slice.next, found, counts: counted, outages } satisfies WorklistPage);
  };
  api.get('/cases', async (request, response) => {
    const session = await resume(request);
    if (request.query['q'] !== undefined) throw new PriorAuthError('REQUEST_INVALID', 'q: words are searched by POST /work/api/cases/search, so that no name stands in an address.', { nextStep: 'Send the words in a body.' });
    await sendPage(session, Object.fromEntries(Object.entries(request.query).filter(([, value]) => value !== '')), response);
  });
  api.post('/cases/search', demandJson, express.json({ limit: '8kb' }), async (request, response) => sendPage(await resume(request), request.body, response));

  api.post('/cases/export', demandJson, express.json({ limit: '8kb' }), async (request, response) => {
    const session = await resume(request);
    const query = read(worklistQuery, request.body);
    const { sort, q, ...filters } = query;
    const scope = scopeOf(session);
    let after: string | undefined;
    let begun = false;
    do {
      const slice = await readWorklist(store, scope, query, after, EXPORTED_AT_ONCE);
      // Who took which patients’ lines along is written down before they leave.
      await store.transaction((trx) => audit.recordWithin(trx, {
        action: 'worklist-exported', who: session.user.reference, what: slice.cases.map(({ case: { patient } }) => `Patient/${patient.id}`),
        details: { rows: slice.cases.length, sort, searched: q !== undefined, filters: Object.keys(filters).join(' ') },
      }));
      if (!begun) response.type('text/csv; charset=utf-8').set('content-disposition', 'attachment; filename="worklist.csv"').write(CSV_HEAD);
      begun = true;
      const goesOn = response.write(slice.cases.map((each) => csvLine(toRow(each, parts))).join(''));
      if (response.destroyed) return;
      if (!goesOn) await new Promise<void>((done) => response.once('drain', done).once('close', done));
      after = slice.next ?? undefined;
    } while (after !== undefined);
    response.end();
  });

  api.get('/events', async (request, response) => {
    const { ehrBase } = await resume(request);
    if (!changes.follow(ehrBase, response)) sendError(response, 503, 'REQUEST_INVALID', 'Too many readers wait for changes.', 'Ask for the list every few seconds.');
  });

  api.get('/people', async (request, response) => {
    const { ehrBase } = await resume(request);
    response.json({ people: await parts.people.all(ehrBase) } satisfies WorklistPeople);
  });

  api.get('/cases/:id', async (request, response) => {
    const session = await resume(request);
    const found = await readOwn(parts, session, request.params.id);
    audit.record({ action: 'case-viewed', who: session.user.reference, what: [`Patient/${found.patient.id}`], caseId: found.id });
    response.json(await viewWorklistCase({ ...parts, notes }, found));
  });

  api.post('/cases/:id/notes', demandJson, express.json({ limit: '32kb' }), async (request: Request<{ id: string }>, response) => {
    const session = await resume(request);
    const note = read(newNote, request.body);
    const { id } = await readOwn(parts, session, request.params.id);
    const added: CaseNote = await notes.add(id, session.user, note);
    changes.look();
    response.status(201).json(added);
  });

  api.post('/cases/:id/decision', demandJson, express.json({ limit: '64kb' }), async (request: Request<{ id: string }>, response) => {
    const { ehrBase, user } = await resume(request);
    const decision = read(enteredDecision, request.body);
    const { id } = await readOwn(parts, { ehrBase }, request.params.id);
    await recordDecision(parts, { caseId: id, by: user, expectedVersion: null }, decision);
    changes.look();
    response.json({});
  });

  api.post('/cases/:id/use', demandJson, express.json({ limit: '8kb' }), async (request: Request<{ id: string }>, response) => {
    const { ehrBase, user } = await resume(request);
    const use = read(usedUnits, request.body);
    const { id } = await readOwn(parts, { ehrBase }, request.params.id);
    const { note, ...units } = use;
    await recordUse(parts, { caseId: id, by: user, expectedVersion: null }, { ...units, ...(note ? { note } : {}) });
    response.json({});
  });

  api.get('/cases/:id/labels', async (request, response) => {
    const session = await resume(request);
    const { id } = await readOwn(parts, session, request.params.id);
    audit.record({ action: 'labels-viewed', who: session.user.reference, caseId: id });
    const found = await labels.of(id);
    response.json(toLabelViews(found, await parts.people.names(session.ehrBase, found.map(({ recordedBy }) => recordedBy))));
  });
  api.post('/cases/:id/appeal-result', demandJson, express.json({ limit: '16kb' }), async (request: Request<{ id: string }>, response) => {
    const { ehrBase, user } = await resume(request);
    const { sequence, ...result } = read(newAppealResult, request.body);
    const { id } = await readOwn(parts, { ehrBase }, request.params.id);
    await labels.recordAppeal({ caseId: id, itemSequence: sequence, by: user.reference, ...result });
    response.status(201).json({});
  });
  api.post('/cases/:id/label-override', demandJson, express.json({ limit: '16kb' }), async (request: Request<{ id: string }>, response) => {
    const { ehrBase, user } = await resume(request);
    const { sequence, ...override } = read(newLabelOverride, request.body);
    const { id } = await readOwn(parts, { ehrBase }, request.params.id);
    await labels.override({ caseId: id, itemSequence: sequence, by: user.reference, ...override });
    response.status(201).json({});
  });

  const knownPayer = (payerId: string): string => {
    if (payerName(payerId) === payerId) throw new PriorAuthError('PAYER_NOT_CONFIGURED', 'There is no such payer.', { nextStep: 'Load the page again.' });
    return payerId;
  };
  api.post('/payers/:id/pause', demandJson, express.json({ limit: '8kb' }), async (request: Request<{ id: string }>, response) => {
    const { user } = await resume(request);
    const { note } = read(pauseOfLine, request.body);
    await parts.sender.pauseLine(knownPayer(request.params.id), user, note);
    response.json({});
  });
  api.post('/payers/:id/resume', demandJson, express.json({ limit: '1kb' }), async (request: Request<{ id: string }>, response) => {
    const { user } = await resume(request);
    await parts.sender.resumeLine(knownPayer(request.params.id), user);
    response.json({});
  });

  api.post('/steps', demandJson, express.json({ limit: '128kb' }), async (request, response) => {
    const session = await resume(request);
    const { steps } = read(worklistSteps, request.body);
    const results = await takeSteps(parts, session, steps);
    changes.look();
    response.json({ results } satisfies { readonly results: readonly StepResult[] });
  });

  api.get('/views', async (request, response) => {
    const { ehrBase, user } = await resume(request);
    response.json({ views: await views.list(ehrBase, user) } satisfies { readonly views: readonly SavedView[] });
  });
  api.post('/views', demandJson, express.json({ limit: '8kb' }), async (request, response) => {
    const { ehrBase, user } = await resume(request);
    response.status(201).json(await views.save(ehrBase, user, read(newView, request.body)));
  });
  api.post('/views/:id/remove', demandJson, express.json({ limit: '1kb' }), async (request: Request<{ id: string }>, response) => {
    const { ehrBase, user } = await resume(request);
    const { id } = request.params;
    if (/^[0-9a-f-]{36}$/i.test(id) && (await views.remove(ehrBase, user, id))) return void response.json({});
    sendError(response, 404, 'REQUEST_INVALID', 'You have no such view.', 'Load the page again.');
  });

  api.post('/session/close', demandJson, express.json({ limit: '1kb' }), async (request, response) => {
    const session = await resume(request);
    await sessions.close(session.id);
    response.clearCookie(WORK_COOKIE, cookieOptions(baseUrl, '/work', 0)).json({});
  });

  api.use((_request, response) => sendError(response, 404, 'REQUEST_INVALID', 'There is no such address in the worklist’s API.'));
  api.use(answerErrors(log));
  const router = Router();
  router.use('/work/api', api);
  return { router, stop: () => changes.stop() };
}

const demandJson: RequestHandler = (request, response, next) => {
  if (request.is('application/json')) return next();
  sendError(response, 415, 'REQUEST_INVALID', 'Content-Type must be application/json.');
};

function read<S extends z.ZodMiniType>(schema: S, given: unknown): z.infer<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  // The path is of our own names; what was sent is not said again.
  throw new PriorAuthError('REQUEST_INVALID', `${issue?.path.join('.') || 'request'}: ${issue?.code === 'unrecognized_keys' ? 'unknown parts' : 'not what is expected there'}.`, { nextStep: 'Load the page again.' });
}

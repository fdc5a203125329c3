import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { AuditTrail } from '#store/audit.ts';
import { isStorable } from '#store/storable-text.ts';
import { fullAccess } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { isFhirId } from '../fhir/structure.ts';
import { acceptance, acceptSuggestion } from '../hooks/accept-suggestion.ts';
import type { CdsClient } from '../hooks/cds-service.ts';
import { selectOrder } from '../hooks/select-order.ts';
import { signOrder, type SignOrderOptions } from '../hooks/sign-order.ts';
import { createLaunch } from '../smart/launch-context.ts';
import { CATALOG } from './catalog.ts';
import { readChart, summarize } from './chart.ts';
import { activeCoverages, buildDraft, draftOrder, newOrder, orderReference, readOrder } from './order.ts';
import { findUser, listPatients, listUsers, type User } from './people.ts';
import { UiRefusal } from './refusal.ts';
import type { UiSessions } from './session.ts';

export interface UiRoutesOptions extends SignOrderOptions {
  readonly repository: FhirRepository;
  readonly sessions: UiSessions;
  readonly audit: AuditTrail;
  readonly cds: CdsClient;
  readonly log: Logger;
  readonly panelLaunchUrl: string;
  readonly now: () => number;
}

const login = z.object({ user: z.string() });
const orderOnly = z.object({ order: orderReference });
const feedback = z.object({
  service: z.string().regex(/^[\w.-]{1,100}$/),
  cardUuid: z.string().min(1).max(100),
  outcome: z.enum(['accepted', 'overridden']),
  acceptedSuggestions: z.array(z.string().max(100)).max(50).optional(),
  overrideReason: z.union([z.string().max(2000), z.looseObject({ code: z.string(), system: z.string().optional(), display: z.string().optional() })]).optional(),
});

/** `/ehr/ui`: the JSON API behind the sandbox EHR's screens. */
export function uiRoutes(options: UiRoutesOptions): Router {
  const { repository, sessions, audit, now } = options;
  const router = Router();
  router.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    // Demanding JSON keeps other sites' forms out: a browser asks first before it sends JSON across origins.
    if (request.method === 'GET' || request.is('application/json')) next();
    else next(new UiRefusal(415, 'JSON_REQUIRED', 'Content-Type must be application/json.'));
  });
  router.use(express.json({ limit: '1mb' }));

  router.get('/users', async (_request, response) => {
    const users = await listUsers(repository);
    response.json({ users: users.map(({ reference, name, role }) => ({ id: reference, name, role })) });
  });
  router.post('/login', async (request, response) => {
    const user = await findUser(repository, parse(login, request.body).user);
    if (!user) throw new UiRefusal(422, 'USER_UNKNOWN', 'There is no such user.', 'Choose one from the list.');
    await sessions.open(response, user.reference);
    audit.record({ action: 'ehr-login', who: user.reference });
    response.json({ user });
  });
  router.post('/logout', async (request, response) => {
    await sessions.close(request, response);
    response.json({});
  });

  const requireUser: RequestHandler = async (request, response, next) => {
    const reference = await sessions.userOf(request);
    const user = reference && (await findUser(repository, reference));
    if (!user) throw new UiRefusal(401, 'NOT_SIGNED_IN', 'Nobody is signed in.', 'Load the page again and sign in.');
    response.locals['user'] = user;
    next();
  };
  router.use(requireUser);
  /** CDS Hooks feedback. False when the service did not take it. */
  const tell = async (service: string, said: object): Promise<boolean> => {
    const reply = await options.cds.feedback(service, { ...said, outcomeTimestamp: new Date(now()).toISOString() }).catch((error: unknown) => {
      options.log.warn({ err: { name: error instanceof Error ? error.name : 'unknown' } }, 'feedback did not reach the service');
      return undefined;
    });
    return reply !== undefined && reply.status < 300;
  };
  router.get('/session', (_request, response) => void response.json({ user: userOf(response) }));
  router.get('/patients', async (request, response) => {
    const { q } = request.query;
    if (typeof q === 'string' && !isStorable(q)) throw new UiRefusal(422, 'INPUT_INVALID', 'The input is not valid: q.', 'Search by other letters.');
    const patients = await listPatients(repository, typeof q === 'string' ? q.slice(0, 100) : '');
    audit.record({ action: 'ehr-search', who: userOf(response).reference, what: patients.map((one) => `Patient/${one.id}`).slice(0, 100) });
    response.json({ patients: await summarize(repository, patients) });
  });
  router.get('/patients/:id/chart', async (request, response) => {
    const id = patientId(request);
    const chart = await readChart(repository, id);
    audit.record({ action: 'ehr-read', who: userOf(response).reference, what: [`Patient/${id}`], details: { chart: true } });
    response.json(chart);
  });
  router.get('/catalog', (_request, response) => void response.json({ items: CATALOG }));
  router.post('/patients/:id/orders', async (request, response) => {
    const id = patientId(request);
    const { reference } = userOf(response);
    const order = await draftOrder(repository, reference, fullAccess(reference), id, parse(newOrder, request.body));
    audit.record({ action: 'ehr-create', who: reference, what: [order, `Patient/${id}`] });
    response.status(201).json({ order });
  });
  router.post('/patients/:id/orders/select', async (request, response) => {
    const id = patientId(request);
    const { reference } = userOf(response);
    const order = await buildDraft(repository, reference, fullAccess(reference), id, parse(newOrder, request.body));
    response.json(await selectOrder(options, reference, order, id));
  });
  router.post('/patients/:id/suggestions/accept', async (request, response) => {
    const id = patientId(request);
    const input = parse(acceptance, request.body);
    const { service, ...accepted } = await acceptSuggestion(options, userOf(response).reference, id, input);
    await tell(service, { card: input.cardUuid, outcome: 'accepted', acceptedSuggestions: [{ id: input.suggestionUuid }] });
    response.json(accepted);
  });
  router.post('/orders/sign', async (request, response) => {
    response.json(await signOrder(options, userOf(response).reference, parse(orderOnly, request.body).order));
  });
  router.post('/orders/launch', async (request, response) => {
    const { order: reference } = parse(orderOnly, request.body);
    const { order, patientId: patient } = await readOrder(repository, reference);
    const named = readCoverageInformation(order).find((one) => one.coverage)?.coverage ?? order.insurance?.[0]?.reference;
    const coverage = named ?? (await activeCoverages(repository, patient)).map((one) => `Coverage/${one.id}`)[0];
    const launch = await createLaunch(
      repository.db,
      {
        patient,
        encounter: /^Encounter\/(.+)$/.exec(order.encounter?.reference ?? '')?.[1],
        fhirContext: [{ reference }, ...(coverage ? [{ reference: coverage }] : [])],
        user: userOf(response).reference,
      },
      now(),
    );
    response.json({ launchUrl: `${options.panelLaunchUrl}?${new URLSearchParams({ iss: repository.fhirBase, launch }).toString()}` });
  });
  router.post('/feedback', async (request, response) => {
    const { service, cardUuid, outcome, acceptedSuggestions = [], overrideReason } = parse(feedback, request.body);
    const taken = await tell(service, {
      card: cardUuid,
      outcome,
      ...(outcome === 'accepted' ? { acceptedSuggestions: acceptedSuggestions.map((id) => ({ id })) } : {}),
      ...(outcome === 'overridden' && overrideReason !== undefined ? { overrideReason: typeof overrideReason === 'string' ? { userComment: overrideReason } : { reason: overrideReason } } : {}),
    });
    if (!taken) throw new UiRefusal(502, 'FEEDBACK_NOT_TAKEN', 'The service did not take the feedback.', 'Nothing is lost for the patient; try again later.');
    response.json({});
  });
  router.use(() => {
    throw new UiRefusal(404, 'NOT_FOUND', 'There is nothing at this address.');
  });
  router.use(uiErrors(options.log));
  return router;
}

const userOf = (response: Response): User => response.locals['user'] as User;

function patientId(request: Request): string {
  const id = String(request.params['id']);
  if (!isFhirId(id)) throw new UiRefusal(404, 'PATIENT_NOT_FOUND', 'There is no such patient.');
  return id;
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues.map((issue) => issue.path.join('.') || 'body').join(', ');
  throw new UiRefusal(422, 'INPUT_INVALID', `The input is not valid: ${at}.`);
}

function uiErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const refusal = error instanceof UiRefusal ? error : bodyRefusal(error);
    if (!refusal) log.error({ err: error }, 'sandbox EHR API fault');
    const { status, code, message, nextStep } = refusal ?? new UiRefusal(500, 'FAULT', 'The sandbox EHR failed.', 'Try again; the fault was logged.');
    response.status(status).json({ error: { code, message, ...(nextStep ? { nextStep } : {}) } });
  };
}

function bodyRefusal(error: unknown): UiRefusal | undefined {
  const { status, type } = error as { readonly status?: unknown; readonly type?: unknown };
  if (status === 413) return new UiRefusal(413, 'BODY_TOO_LARGE', 'The body is too large.');
  if (status === 415) return new UiRefusal(415, 'JSON_REQUIRED', 'The encoding of the body is not supported.');
  if (type === 'entity.parse.failed') return new UiRefusal(400, 'JSON_INVALID', 'The body is not valid JSON.');
  return status === 400 ? new UiRefusal(400, 'INPUT_INVALID', 'The request could not be read.', 'Check its address and its body.') : undefined;
}

import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { Provider } from 'oidc-provider';
import type { AuditTrail } from '#store/audit.ts';
import { scopeCovered } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { search } from '../fhir/search.ts';
import { parseSearch } from '../fhir/search-query.ts';
import { isFhirId } from '../fhir/structure.ts';
import type { EhrDatabase } from '../tables.ts';
import { findUser, listPatients, listUsers, nameText, SCREEN_ACCESS } from '../ui/people.ts';
import type { UiSessions } from '../ui/session.ts';
import { CONTEXT_SCOPES } from './authorization-server.ts';
import type { ClientRegister } from './client-register.ts';
import { type LaunchContext, peekLaunch, saveGrantContext, takeLaunch } from './launch-context.ts';
import { choicePage, errorPage, PAGE_SECURITY } from './pages.ts';

export interface SignInOptions {
  readonly provider: Provider;
  readonly db: EhrDatabase;
  readonly repository: FhirRepository;
  readonly sessions: UiSessions;
  readonly clients: ClientRegister;
  readonly audit: AuditTrail;
  readonly now: () => number;
}

/** The user's part of an authorization: who is it, which patient; then consent, given at once because the hospital registered the app. */
export function signInRoutes(options: SignInOptions): Router {
  const { provider, db, repository, sessions, now } = options;
  const router = Router();

  router.get('/ehr/oauth/interaction/:uid', async (request, response) => {
    const { params, uid } = await provider.interactionDetails(request, response);
    const refuse = (error: string, error_description: string) => provider.interactionFinished(request, response, { error, error_description }, { mergeWithLastSubmission: false });
    const launchId = params['launch'];
    const launch = launchId === undefined ? undefined : await peekLaunch(db, launchId, now());
    if (launchId !== undefined && !launch) return refuse('invalid_request', 'the launch is unknown, expired or was used before');
    const user = await sessions.userOf(request);
    const justSignedIn = 'signed-in' in request.query || 'patient' in request.query;
    const askAgain = (params['prompt'] ?? '').split(' ').includes('login') && !justSignedIn;
    if (user === undefined || askAgain) return showSignIn(response, uid);
    if (launch && launch.user !== user) return refuse('access_denied', 'the launch was made for another user');
    const scopes = (params['scope'] ?? '').split(' ');
    const picked = request.query['patient'];
    if (!launch && scopes.includes('launch/patient') && typeof picked !== 'string') return showPatients(response, uid);
    const patient = typeof picked === 'string' && !launch ? await knownPatient(picked) : undefined;
    const encounter = patient !== undefined && scopes.includes('launch/encounter') ? await lastEncounter(patient) : undefined;
    const context: LaunchContext | undefined =
      launchId === undefined ? { patient, encounter, fhirContext: [], user } : await takeLaunch(db, launchId, now());
    if (!context) return refuse('invalid_request', 'the launch is unknown, expired or was used before');
    return grant(request, response, params, context);
  });

  router.post('/ehr/login', express.urlencoded({ extended: false, limit: '10kb' }), async (request, response) => {
    const { user, interaction } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const found = typeof user === 'string' ? await findUser(repository, user) : undefined;
    if (!found) {
      page(response, 400, errorPage('invalid_request', 'There is no such user.'));
      return;
    }
    await sessions.open(response, found.reference);
    options.audit.record({ action: 'ehr-login', who: found.reference });
    const known = typeof interaction === 'string' && /^[\w-]{1,64}$/.test(interaction);
    response.redirect(303, known ? `/ehr/oauth/interaction/${interaction}?signed-in` : '/');
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const { status, name } = error as { readonly status?: unknown; readonly name?: unknown };
    if (name === 'SessionNotFound') page(response, 400, errorPage('invalid_request', 'This sign-in has ended. Start it again from the app.'));
    else if (typeof status === 'number' && status < 500) page(response, status, errorPage('invalid_request', 'The form could not be read.'));
    else next(error);
  });
  return router;

  async function showSignIn(response: Response, uid: string): Promise<void> {
    const users = await listUsers(repository);
    const choices = users.map(({ reference, name, role }) => ({ value: reference, label: name, hint: role }));
    page(response, 200, choicePage({ title: 'Sign in', question: 'Who are you?', action: '/ehr/login', method: 'post', field: 'user', choices, hidden: { interaction: uid }, button: 'Sign in' }));
  }

  async function showPatients(response: Response, uid: string): Promise<void> {
    const patients = await listPatients(repository, '');
    const choices = patients.map((patient) => ({ value: patient.id, label: nameText(patient.name), hint: patient.birthDate ?? '' }));
    page(response, 200, choicePage({ title: 'Choose a patient', question: 'Whose record may the app open?', action: `/ehr/oauth/interaction/${uid}`, method: 'get', field: 'patient', choices, button: 'Continue' }));
  }

  async function knownPatient(id: string): Promise<string | undefined> {
    return isFhirId(id) ? (await repository.find('Patient', id, SCREEN_ACCESS))?.id : undefined;
  }

  async function lastEncounter(patient: string): Promise<string | undefined> {
    const { matches } = await search(repository, parseSearch('Encounter', [['patient', `Patient/${patient}`], ['_sort', '-date'], ['_count', '1']], false), SCREEN_ACCESS);
    return matches[0]?.id;
  }

  async function grant(request: Request, response: Response, params: Readonly<Record<string, string | undefined>>, context: LaunchContext): Promise<void> {
    const clientId = params['client_id'] ?? '';
    const registered = (await options.clients.find(clientId))?.scope.split(' ') ?? [];
    const requested = (params['scope'] ?? '').split(' ').filter((scope) => scopeCovered(scope, registered));
    const isContext = (scope: string): boolean => (CONTEXT_SCOPES as readonly string[]).includes(scope);
    const given = new provider.Grant({ accountId: context.user, clientId });
    given.addOIDCScope(requested.filter(isContext).join(' '));
    given.addResourceScope(repository.fhirBase, requested.filter((scope) => !isContext(scope)).join(' '));
    const grantId = await given.save();
    await saveGrantContext(db, grantId, context);
    options.audit.record({
      action: 'ehr-login', who: context.user, details: { client: clientId },
      what: [...(context.patient ? [`Patient/${context.patient}`] : []), ...context.fhirContext.map((one) => one.reference)],
    });
    await provider.interactionFinished(request, response, { login: { accountId: context.user, remember: false }, consent: { grantId } }, { mergeWithLastSubmission: false });
  }
}

function page(response: Response, status: number, html: string): void {
  response.status(status).set({ 'Content-Security-Policy': PAGE_SECURITY, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).type('html').send(html);
}

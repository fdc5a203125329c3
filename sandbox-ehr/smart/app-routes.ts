import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { AuditTrail } from '#store/audit.ts';
import { isStorable } from '#store/storable-text.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { isFhirId } from '../fhir/structure.ts';
import type { EhrDatabase } from '../tables.ts';
import { listPatients, nameText, SCREEN_ACCESS } from '../ui/people.ts';
import type { UiSessions } from '../ui/session.ts';
import { appsPage, LAUNCH_FIELDS, REGISTER_FIELDS, type AppsPage } from './apps-page.ts';
import type { ClientRegister } from './client-register.ts';
import { createLaunch } from './launch-context.ts';
import { PAGE_SECURITY } from './pages.ts';

export interface AppRoutesOptions {
  readonly db: EhrDatabase;
  readonly repository: FhirRepository;
  readonly sessions: UiSessions;
  readonly clients: ClientRegister;
  readonly audit: AuditTrail;
  readonly now: () => number;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const text = z.string().max(2000).refine(isStorable, 'holds characters that cannot be kept').transform((value) => value.trim());
const address = text.refine((value) => {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))) && url.hash === '' && url.username === '';
}, 'must be an https address; http is for this machine only');
const lines = text.transform((value) => value.split(/\s+/).filter(Boolean));
const APP_SCOPE = /^(openid|fhirUser|launch|launch\/patient|launch\/encounter|offline_access|online_access|(patient|user)\/\S+)$/;

const registration = z.object({
  name: text.refine((value) => value !== '', 'is missing'),
  redirectUris: lines.pipe(z.array(address).min(1, 'needs at least one').max(10)),
  authentication: z.enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']),
  jwksUri: z.union([z.literal('').transform(() => undefined), address]).optional(),
  scope: lines.pipe(z.array(z.string().regex(APP_SCOPE, 'may hold openid, fhirUser, launch, offline_access and scopes of patient and user')).min(1, 'is missing')),
  fhirContextForm: z.enum(['object', 'string']),
  needPatientBanner: z.literal('yes').optional(),
  style: z.literal('yes').optional(),
}).refine((app) => (app.authentication === 'private_key_jwt') === (app.jwksUri !== undefined), { message: 'must be there for private_key_jwt, and for nothing else', path: ['jwksUri'] });

const launching = z.object({
  launchUrl: address,
  patient: text.refine(isFhirId, 'is missing'),
  encounter: text.refine((value) => value === '' || isFhirId(value), 'must be an id'),
  fhirContext: lines.pipe(z.array(z.string().regex(/^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/, 'must be references such as DeviceRequest/123')).max(20)),
  intent: text,
});

/** `/ehr/apps`: where a developer registers an app at the sandbox and launches any app from it. Signed-in users only; the session's cookie does not come with other sites' forms. */
export function appRoutes({ db, repository, sessions, clients, audit, now }: AppRoutesOptions): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '20kb' });
  const show = async (response: Response, status: number, more: Partial<AppsPage> = {}): Promise<void> => {
    const patients = (await listPatients(repository, '')).map(({ id, name, birthDate }) => ({ id, label: `${nameText(name)}, ${birthDate ?? ''}` }));
    const apps = (await clients.list()).filter(({ redirectUris }) => redirectUris.length > 0);
    response.status(status).set({ 'Content-Security-Policy': PAGE_SECURITY, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).type('html').send(appsPage({ fhirBase: repository.fhirBase, patients, apps, ...more }));
  };
  const signedIn = (handle: (request: Request, response: Response, user: string) => Promise<void>) => async (request: Request, response: Response) => {
    const user = await sessions.userOf(request);
    if (user === undefined) response.redirect(303, '/');
    else await handle(request, response, user);
  };

  router.get('/ehr/apps', signedIn((_request, response) => show(response, 200)));
  router.post('/ehr/apps', form, signedIn(async (request, response, user) => {
    const fields = fieldsOf(request, REGISTER_FIELDS);
    const parsed = registration.safeParse(fields);
    if (!parsed.success) return show(response, 422, { register: fields, faults: faultsOf(parsed.error) });
    const { authentication, scope, needPatientBanner, style, ...app } = parsed.data;
    const client = await clients.add({
      ...app,
      scope: scope.join(' '),
      withSecret: authentication.startsWith('client_secret'),
      secretBy: authentication === 'client_secret_post' ? 'client_secret_post' : undefined,
      needPatientBanner: needPatientBanner === 'yes',
      style: style === 'yes',
    });
    audit.record({ action: 'ehr-create', who: user, details: { app: client.clientId } });
    return show(response, 201, { added: client });
  }));
  router.post('/ehr/apps/launch', form, signedIn(async (request, response, user) => {
    const fields = fieldsOf(request, LAUNCH_FIELDS);
    const parsed = launching.safeParse(fields);
    if (!parsed.success) return show(response, 422, { launch: fields, faults: faultsOf(parsed.error) });
    const { launchUrl, patient, encounter, fhirContext, intent } = parsed.data;
    if (!(await repository.find('Patient', patient, SCREEN_ACCESS))) return show(response, 422, { launch: fields, faults: { patient: 'is not in this record' } });
    const launch = await createLaunch(db, { patient, encounter: encounter || undefined, fhirContext: fhirContext.map((reference) => ({ reference })), intent: intent || undefined, user }, now());
    const url = new URL(launchUrl);
    url.searchParams.set('iss', repository.fhirBase);
    url.searchParams.set('launch', launch);
    response.redirect(303, url.href);
  }));
  router.use('/ehr/apps', async (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const { status } = error as { readonly status?: unknown };
    if (typeof status !== 'number' || status >= 500) throw error;
    await show(response, status, { faults: { form: 'could not be read' } });
  });
  return router;
}

function fieldsOf(request: Request, names: readonly string[]): Readonly<Record<string, string>> {
  const body = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.flatMap((name) => (typeof body[name] === 'string' ? [[name, body[name]]] : [])));
}

function faultsOf(error: z.ZodError): Readonly<Record<string, string>> {
  return Object.fromEntries(error.issues.toReversed().map(({ path, message }) => [String(path[0] ?? 'form'), message.startsWith('Invalid input') ? 'is missing' : message]));
}

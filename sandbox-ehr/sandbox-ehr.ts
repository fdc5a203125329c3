import { Router } from 'express';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { signingKey } from '#store/signing-keys.ts';
import { FhirRefusal } from './errors.ts';
import { fullAccess } from './fhir/access.ts';
import { FhirRepository } from './fhir/repository.ts';
import { fhirRoutes } from './fhir/routes.ts';
import { CdsClient } from './hooks/cds-service.ts';
import { loaderClient, writeLoaderKey } from './loader-client.ts';
import { seedOnce } from './seed/seed.ts';
import { appRoutes } from './smart/app-routes.ts';
import { accessTokens } from './smart/access-token.ts';
import { createAuthorizationServer } from './smart/authorization-server.ts';
import type { SmartClient } from './smart/client.ts';
import { openClientRegister } from './smart/client-register.ts';
import { brandBundle, smartConfiguration, STYLE, STYLE_PATH } from './smart/discovery.ts';
import { oauthRoutes } from './smart/oauth-routes.ts';
import { deleteExpired } from './smart/record-adapter.ts';
import { signInRoutes } from './smart/sign-in.ts';
import { openTables } from './tables.ts';
import { findUser } from './ui/people.ts';
import { uiRoutes } from './ui/routes.ts';
import { uiSessions } from './ui/session.ts';

export interface SandboxEhrOptions {
  readonly store: Store;
  /** Public address without a trailing slash. */
  readonly baseUrl: string;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly audit: AuditTrail;
  /** Where the CDS services are: `${cdsBaseUrl}/cds-services`. */
  readonly cdsBaseUrl: string;
  readonly panelLaunchUrl: string;
  readonly clients: readonly SmartClient[];
  /** Where the loader's key is left for `npm run ehr:load`; without it only a stopped system can be loaded. */
  readonly dataDir?: string | undefined;
}

export interface SandboxEhr {
  readonly name: string;
  readonly router: Router;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const CLEANING_INTERVAL_MS = 10 * 60_000;

/** The sandbox EHR: FHIR API, SMART authorization server, the screens' API, and the CDS Hooks client. */
export async function createSandboxEhr(options: SandboxEhrOptions): Promise<SandboxEhr> {
  const { store, baseUrl, log, now, audit } = options;
  const ehrUrl = `${baseUrl}/ehr`;
  const fhirBase = `${ehrUrl}/fhir`;
  const issuer = `${ehrUrl}/oauth`;

  const db = await openTables(store);
  const repository = new FhirRepository(store, db, fhirBase, now);
  await seedOnce(repository);
  const tokenKey = await signingKey(store, 'sandbox-ehr', 'ES384');
  const idTokenKey = await signingKey(store, 'sandbox-ehr', 'RS256');
  const hookKey = await signingKey(store, 'sandbox-ehr-hooks', 'ES384');
  const loaderKey = await signingKey(store, 'sandbox-ehr-loader', 'ES384');
  if (options.dataDir !== undefined && options.dataDir !== 'memory') writeLoaderKey(options.dataDir, loaderKey);

  const clients = openClientRegister(db, [...options.clients, loaderClient(loaderKey)], now);
  const tokens = await accessTokens(db, tokenKey, issuer, fhirBase, now);
  const sessions = uiSessions(db, now, baseUrl.startsWith('https:'));
  const provider = createAuthorizationServer({ db, issuer, fhirBase, clients, tokens, styleUrl: `${ehrUrl}${STYLE_PATH}`, keys: [tokenKey, idTokenKey], userName: async (reference) => (await findUser(repository, reference))?.name, now, log });
  const cds = new CdsClient({ cdsBaseUrl: options.cdsBaseUrl, ehrUrl, key: hookKey, now });

  const authenticate: Parameters<typeof fhirRoutes>[0]['authenticate'] = async (request) => {
    const bearer = /^Bearer ([\w\-.~+/]+=*)$/i.exec(request.get('authorization') ?? '')?.[1];
    if (bearer) return tokens.verify(bearer);
    const user = await sessions.userOf(request);
    if (user === undefined) throw new FhirRefusal(401, 'login', 'An access token is needed.');
    return fullAccess(user);
  };

  const brands = brandBundle(ehrUrl, new Date(now()).toISOString());
  const router = Router();
  router.get('/ehr/.well-known/jwks.json', (_request, response) => {
    response.set('Cache-Control', 'public, max-age=300').json({ keys: [hookKey.publicJwk] });
  });
  router.get('/ehr/fhir/.well-known/smart-configuration', (_request, response) => {
    response.set({ 'Access-Control-Allow-Origin': '*', 'Content-Type': 'application/json' }).send(JSON.stringify(smartConfiguration(issuer, ehrUrl, options.clients)));
  });
  router.use(['/ehr/brands', `/ehr${STYLE_PATH}`], (_request, response, next) => {
    response.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=3600' });
    next();
  });
  router.get('/ehr/brands', (_request, response) => void response.type('application/fhir+json').send(JSON.stringify(brands)));
  router.get(`/ehr${STYLE_PATH}`, (_request, response) => void response.json(STYLE));
  router.use(appRoutes({ db, repository, sessions, clients, audit, now }));
  router.use(signInRoutes({ provider, db, repository, sessions, clients, audit, now }));
  router.use('/ehr/oauth', oauthRoutes(provider, baseUrl));
  router.use('/ehr/ui', uiRoutes({ repository, sessions, audit, cds, log, tokens, panelLaunchUrl: options.panelLaunchUrl, now }));
  router.use('/ehr/fhir', fhirRoutes({ repository, audit, log, issuer, authenticate }));

  let cleaning: NodeJS.Timeout | undefined;
  const clean = () => deleteExpired(db, now()).catch((error: unknown) => log.warn({ err: error }, 'expired sign-in records stay for now'));
  return {
    name: 'sandbox-ehr',
    router,
    async start() {
      await clean();
      cleaning = setInterval(() => void clean(), CLEANING_INTERVAL_MS);
      cleaning.unref();
    },
    async stop() {
      clearInterval(cleaning);
    },
  };
}

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { createSandboxEhr, type SandboxEhrOptions } from '#sandbox-ehr/sandbox-ehr.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openTestStore } from './test-store.ts';

export const TEST_APP = 'test-app';
export const TEST_BACKEND = 'test-backend';
const APP_SCOPE = 'openid fhirUser launch launch/patient offline_access patient/*.rs patient/QuestionnaireResponse.cu patient/DeviceRequest.u';

export type RunningSandboxEhr = Awaited<ReturnType<typeof runSandboxEhr>>;

/** The sandbox EHR on a port of its own, with one app and one backend service registered that sign with `clientKey`. */
export async function runSandboxEhr(overrides: Partial<SandboxEhrOptions> = {}, prepare: (app: express.Express) => void = () => undefined) {
  const store = overrides.store ?? (await openTestStore());
  const app = express();
  prepare(app);
  const server = createServer(app);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const baseUrl = `http://localhost:${(server.address() as AddressInfo).port}`;
  const now = overrides.now ?? Date.now;
  const audit = await openAuditTrail(store, now, () => undefined);
  const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES384', use: 'sig' }] };
  const redirectUri = `${baseUrl}/app/callback`;
  app.get('/app/jwks.json', (_request, response) => void response.json(jwks));
  const ehr = await createSandboxEhr({
    store, baseUrl, audit, now,
    log: pino({ level: 'silent' }),
    cdsBaseUrl: baseUrl,
    panelLaunchUrl: `${baseUrl}/panel/launch`,
    clients: [
      { clientId: TEST_APP, name: 'Test app', jwksUri: `${baseUrl}/app/jwks.json`, redirectUris: [redirectUri], scope: APP_SCOPE },
      { clientId: TEST_BACKEND, name: 'Test backend', jwks, redirectUris: [], scope: 'system/*.cruds system/Patient.rs' },
    ],
    ...overrides,
  });
  app.use(ehr.router);
  await ehr.start();
  const tokenUrl = `${baseUrl}/ehr/oauth/token`;
  const fhirBase = `${baseUrl}/ehr/fhir`;

  const assertion = async (clientId: string, changes: { readonly key?: CryptoKey; readonly audience?: string; readonly expiresAt?: number } = {}): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES384', kid: 'test', typ: 'JWT' })
      .setIssuer(clientId).setSubject(clientId).setAudience(changes.audience ?? tokenUrl).setJti(randomUUID())
      .setIssuedAt().setExpirationTime(changes.expiresAt ?? Math.floor(Date.now() / 1000) + 120)
      .sign(changes.key ?? privateKey);

  const postToken = async (fields: Readonly<Record<string, string>>, clientId: string, given?: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> => {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: given ?? (await assertion(clientId)), ...fields }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  const login = async (user = 'Practitioner/dr-priya-nair'): Promise<string> => {
    const response = await fetch(`${baseUrl}/ehr/ui/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user }) });
    return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  };

  /** Follows redirects as a browser does, keeping cookies, until an address outside the authorization server. */
  const browse = async (url: string, cookies: Map<string, string>): Promise<{ readonly status: number; readonly url: URL; readonly text: string }> => {
    let at = new URL(url);
    for (let hop = 0; hop < 10; hop += 1) {
      if (at.pathname === '/app/callback') return { status: 200, url: at, text: '' };
      const response = await fetch(at, { redirect: 'manual', headers: { accept: 'text/html', cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') } });
      for (const line of response.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      const location = response.headers.get('location');
      if (!location) return { status: response.status, url: at, text: await response.text() };
      at = new URL(location, at);
    }
    throw new Error('too many redirects');
  };

  const cookieJar = (cookie: string): Map<string, string> => new Map([[cookie.slice(0, cookie.indexOf('=')), cookie.slice(cookie.indexOf('=') + 1)]]);

  const authorizeUrl = (changes: Readonly<Record<string, string | undefined>> = {}) => {
    const verifier = randomBytes(32).toString('base64url');
    const fields: Record<string, string | undefined> = {
      response_type: 'code', client_id: TEST_APP, redirect_uri: redirectUri, scope: 'openid fhirUser launch patient/*.rs offline_access', state: 'test-state-0123456789',
      aud: fhirBase, code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...changes,
    };
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) parameters.set(name, value);
    return { url: `${baseUrl}/ehr/oauth/authorize?${parameters.toString()}`, verifier };
  };

  return {
    store, audit, baseUrl, fhirBase, redirectUri, assertion, postToken, login, browse, cookieJar, authorizeUrl,
    async systemToken(scope = 'system/*.cruds'): Promise<string> {
      const { body } = await postToken({ grant_type: 'client_credentials', scope }, TEST_BACKEND);
      return String(body['access_token']);
    },
    async stop() {
      await ehr.stop();
      await audit.stop();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await store.close();
    },
  };
}

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importJWK, type JWK, SignJWT } from 'jose';
import { readConfig } from '#start/config.ts';
import { type Running, startOpenPriorAuth } from '#start/open-prior-auth.ts';
import { openStore } from '#store/database.ts';
import { signingKey } from '#store/signing-keys.ts';
import type { FormView } from '#prior-auth/panel-api.ts';
import type { PasTables } from '#server/pas/submission-table.ts';
import { type Answer, type BadRequest, type Sender, sendRaw } from './bad-request.ts';
import { freePort } from '../../tools/free-port.ts';

type Headers = Readonly<Record<string, string>>;

/** The whole system, with one of everybody signed in and one case open. */
export interface RunningSystem {
  readonly base: string;
  readonly running: Running;
  readonly headersOf: Readonly<Record<Sender, Headers>>;
  readonly order: string;
  readonly caseId: string;
  readonly form: FormView;
  /** The keys of `server`, `sandbox-ehr` and `sandbox-ehr-hooks`. */
  readonly keys: Readonly<Record<'server' | 'ehr' | 'hooks', JWK>>;
  readonly send: (row: Pick<BadRequest, 'method' | 'path' | 'from' | 'type' | 'headers' | 'body'>) => Promise<Answer>;
  readonly json: <T>(row: Pick<BadRequest, 'method' | 'path' | 'from' | 'type' | 'headers' | 'body'>) => Promise<T>;
  /** The callbacks by which panel and worklist were opened, with the cookies of then. */
  readonly usedCallbacks: readonly { readonly path: string; readonly cookie: string }[];
  /** An authorization of the panel as far as the redirect to its callback. */
  readonly authorize: () => Promise<{ readonly code: string; readonly verifier: string }>;
}

export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub?: string;
  readonly exp?: number;
  readonly header?: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function signedJwt(key: JWK, { iss, aud, sub, exp, header, more }: Claims): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...more }).setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: key.kid ?? '', ...header })
    .setIssuer(iss).setAudience(aud).setSubject(sub ?? iss).setJti(randomUUID()).setIssuedAt(now - 1).setExpirationTime(exp ?? now + 120)
    .sign(await importJWK(key, 'ES384'));
}

/** The JWT with which the sandbox EHR calls a CDS service, valid unless changed. */
export function hookToken(key: JWK, base: string, path: string, changes: Partial<Claims> = {}): Promise<string> {
  return signedJwt(key, { iss: `${base}/ehr`, aud: `${base}${path}`, ...changes, header: { jku: `${base}/ehr/.well-known/jwks.json`, ...changes.header } });
}

/** RFC 7523 client authentication, as form fields. */
export async function assertionFields(key: JWK, clientId: string, tokenUrl: string, changes: Partial<Claims> = {}): Promise<Record<string, string>> {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signedJwt(key, { iss: clientId, aud: tokenUrl, ...changes }),
  };
}

export const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
/** Of the operator of the running system. */
export const ADMIN_TOKEN = 'an-admin-token-for-bad-input';
export const FORM = 'application/x-www-form-urlencoded';

/** Starts once to have tables and keys made, reads the keys, gives the payer a secret, and starts again on the same data. */
export async function startSystem(dataDir: string): Promise<RunningSystem> {
  const config = readConfig({ PORT: String(await freePort()), DATA_DIR: dataDir, LOG_LEVEL: 'error', REVIEW_DELAY_MS: '300', ADMIN_TOKEN });
  const first = await startOpenPriorAuth(config);
  await first.stop();
  const store = await openStore({ dataDir });
  const keys = {
    server: (await signingKey(store, 'server', 'ES384')).privateJwk,
    ehr: (await signingKey(store, 'sandbox-ehr', 'ES384')).privateJwk,
    hooks: (await signingKey(store, 'sandbox-ehr-hooks', 'ES384')).privateJwk,
  };
  const secret = randomUUID();
  const at = new Date().toISOString();
  await store.db.withTables<PasTables>().insertInto('pas.subscription')
    .values({
      id: randomUUID(), payer_id: 'cascade-medicare', organization_identifier: 'x', organizations: '["x"]', status: 'active', secret, secret_at: at, subscription_id: 'x', changed_at: at,
      // Nobody asks the payer about it: there is none behind it.
      next_at: '2999-01-01T00:00:00Z',
    })
    .execute();
  await store.close();
  const running = await startOpenPriorAuth(config);
  return signEverybodyIn(running, keys, secret, dataDir);
}

async function signEverybodyIn(running: Running, keys: RunningSystem['keys'], secret: string, dataDir: string): Promise<RunningSystem> {
  const base = running.baseUrl;
  const headersOf: Record<Sender, Headers> = { nobody: {}, clinician: {}, loader: {}, panel: {}, staff: {}, backend: {}, payer: { authorization: `Bearer ${secret}` }, hook: {} };
  const send: RunningSystem['send'] = async ({ method, path, from = 'nobody', type, headers = {}, body }) => {
    const content = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const contentType = type ?? (content === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? undefined : 'application/json');
    const identity = from === 'hook' ? { authorization: `Bearer ${await hookToken(keys.hooks, base, path)}` } : headersOf[from];
    return sendRaw(base, { method, path, body: content, headers: { ...identity, ...(contentType ? { 'content-type': contentType } : {}), ...headers } });
  };
  const json: RunningSystem['json'] = async (row) => {
    const answer = await send(row);
    if (answer.status >= 300) throw new Error(`${row.method} ${row.path} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    return JSON.parse(answer.text);
  };
  const jar = new Map<string, string>();
  const keep = ({ headers }: Answer) => {
    for (const line of [headers['set-cookie'] ?? []].flat()) jar.set(line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).split(';')[0] ?? '');
  };
  const cookies = (only: (name: string) => boolean = () => true) => [...jar].filter(([name]) => only(name)).map(([name, value]) => `${name}=${value}`).join('; ');
  const usedCallbacks: { path: string; cookie: string }[] = [];
  /** Follows redirects until one leads to an address that `ends` names; gives that address. */
  const follow = async (address: string, ends: (url: URL) => boolean): Promise<URL> => {
    let url = new URL(address, base);
    for (let hops = 0; hops < 15 && !ends(url); hops += 1) {
      if (url.pathname.endsWith('/callback')) usedCallbacks.push({ path: url.pathname + url.search, cookie: cookies() });
      const answer = await sendRaw(base, { method: 'GET', path: url.pathname + url.search, headers: { accept: 'text/html', cookie: cookies() } });
      keep(answer);
      const next = answer.headers['location'];
      if (typeof next !== 'string') throw new Error(`${url.pathname} answered ${answer.status}`);
      url = new URL(next, url);
    }
    return url;
  };

  const { users } = await json<{ users: { id: string }[] }>({ method: 'GET', path: '/ehr/ui/users' });
  keep(await send({ method: 'POST', path: '/ehr/ui/login', body: { user: users[0]?.id } }));
  headersOf.clinician = { cookie: cookies((name) => name === 'ehr_session') };
  const { items } = await json<{ items: { id: string; code: { code: string } }[] }>({ method: 'GET', path: '/ehr/ui/catalog', from: 'clinician' });
  const catalogId = items.find(({ code }) => code.code === 'E1390')?.id;
  const { order } = await json<{ order: string }>({ method: 'POST', path: '/ehr/ui/patients/pat-oxygen/orders', from: 'clinician', body: { catalogId } });
  await json({ method: 'POST', path: '/ehr/ui/orders/sign', from: 'clinician', body: { order } });
  const launchUrl = async () => (await json<{ launchUrl: string }>({ method: 'POST', path: '/ehr/ui/orders/launch', from: 'clinician', body: { order } })).launchUrl;
  const session = (await follow(await launchUrl(), ({ pathname }) => pathname === '/panel/')).searchParams.get('s') ?? '';
  headersOf.panel = { 'x-panel-session': session, cookie: cookies((name) => name.startsWith('panel_')) };
  await follow('/work/login', ({ pathname }) => pathname === '/work/');
  headersOf.staff = { cookie: cookies((name) => name === 'work_session') };

  const tokenOf = async (path: string, fields: Record<string, string>) => {
    const { access_token } = await json<{ access_token: string }>({ method: 'POST', path, type: FORM, body: form(fields) });
    return { authorization: `Bearer ${access_token}` };
  };
  const loaderKey: JWK = JSON.parse(readFileSync(join(dataDir, 'ehr-loader-key.json'), 'utf8'));
  headersOf.loader = await tokenOf('/ehr/oauth/token', { grant_type: 'client_credentials', scope: 'system/*.cruds', ...(await assertionFields(loaderKey, 'sandbox-ehr-loader', `${base}/ehr/oauth/token`)) });
  headersOf.backend = await tokenOf('/payer/oauth/token', { grant_type: 'client_credentials', scope: 'system/Claim.c system/Questionnaire.rs system/Subscription.crud', ...(await assertionFields(keys.server, 'open-prior-auth-server', `${base}/payer/oauth/token`)) });

  const { caseId } = await json<{ caseId: string }>({ method: 'GET', path: '/panel/api/session', from: 'panel' });
  const { forms } = await json<{ forms: FormView[] }>({ method: 'GET', path: '/panel/api/questionnaires', from: 'panel' });
  if (!forms[0]) throw new Error('the case has no form');

  const authorize = async () => {
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      response_type: 'code', client_id: 'open-prior-auth-panel', redirect_uri: `${base}/panel/callback`, scope: 'openid fhirUser launch patient/*.rs', state: randomUUID(), aud: `${base}/ehr/fhir`,
      launch: new URL(await launchUrl()).searchParams.get('launch') ?? '', code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
    });
    const end = await follow(`/ehr/oauth/authorize?${query.toString()}`, ({ pathname }) => pathname === '/panel/callback');
    return { code: end.searchParams.get('code') ?? '', verifier };
  };
  return { base, running, headersOf, order, caseId, form: forms[0], keys, send, json, usedCallbacks, authorize };
}

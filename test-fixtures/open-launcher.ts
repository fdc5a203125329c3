import { createHash, randomBytes, sign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * An EHR written from the text of SMART App Launch alone, with nothing of this project in it, not even a library: only node:http and node:crypto.
 * It is unlike the sandbox wherever the text leaves a choice: a path with a tenant, relative addresses in its discovery document, SMART v1 scopes,
 * fhirContext as strings, opaque tokens, client secrets, `bearer` in lower case, the context's patient in the answer only, keys found by OpenID Connect discovery.
 */

export interface OpenLauncher {
  /** FHIR base, to be registered as iss. */
  readonly iss: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** What an authorization server must refuse, in order of arrival: the rules of the text that a request broke. */
  readonly broken: string[];
  /** Scopes of each authorization request. */
  readonly asked: string[];
  /** Address that opens `launchUrl` for the context, as a launcher's button does. */
  launch(launchUrl: string, context: LauncherContext): string;
  close(): Promise<void>;
}

export interface LauncherContext {
  readonly patient: string;
  readonly fhirContext?: readonly string[];
  readonly encounter?: string;
  readonly smart_style_url?: string;
  readonly need_patient_banner?: boolean;
}

interface Issued {
  readonly context: LauncherContext;
  readonly scope: string;
  readonly nonce: string | null;
  readonly challenge: string;
  readonly redirect: string;
}

const BASE = '/t/clinic-7/r4';

export async function startOpenLauncher(redirectUri: string, records: readonly { readonly resourceType: string; readonly id?: string }[], clientKind: 'secret-basic' | 'secret-post' | 'public' = 'secret-basic'): Promise<OpenLauncher> {
  const clientId = 'panel at launcher';
  const clientSecret = `s:${randomBytes(12).toString('hex')}+/%`;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const launches = new Map<string, LauncherContext>();
  const codes = new Map<string, Issued>();
  const refreshes = new Map<string, Issued>();
  const tokens = new Map<string, LauncherContext>();
  const broken: string[] = [];
  const asked: string[] = [];
  const written: { readonly resourceType: string; readonly id?: string }[] = [...records];

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const iss = `${origin}${BASE}`;
  const require = (held: boolean, rule: string): boolean => (held || broken.push(rule), held);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const body = await textOf(request);
    const json = (status: number, value: unknown, type = 'application/json') => response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', pragma: 'no-cache' }).end(JSON.stringify(value));
    if (url.pathname === `${BASE}/.well-known/smart-configuration`) {
      return void json(200, {
        authorization_endpoint: '../sign-in/authorize', token_endpoint: '../sign-in/token', issuer: `${origin}/t/clinic-7`,
        grant_types_supported: ['authorization_code'], code_challenge_methods_supported: ['S256'],
        capabilities: ['launch-ehr', 'permission-v1', 'client-confidential-symmetric', 'sso-openid-connect', 'context-ehr-patient'],
      });
    }
    if (url.pathname === '/t/clinic-7/.well-known/openid-configuration') return void json(200, { issuer: `${origin}/t/clinic-7`, jwks_uri: `${origin}/t/clinic-7/keys` });
    if (url.pathname === '/t/clinic-7/keys') return void json(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'launcher', use: 'sig', alg: 'ES384' }] });
    if (url.pathname === '/t/clinic-7/sign-in/authorize') return authorize(url.searchParams, response);
    if (url.pathname === '/t/clinic-7/sign-in/token' && request.method === 'POST') return token(request, new URLSearchParams(body), json);
    if (url.pathname.startsWith(`${BASE}/`)) return fhir(request, url, body, json);
    json(404, {});
  }

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const get = (name: string) => query.get(name) ?? '';
    const context = launches.get(get('launch'));
    launches.delete(get('launch'));
    const held = [
      require(get('response_type') === 'code', 'response_type=code'),
      require(get('client_id') === clientId, 'client_id'),
      require(get('redirect_uri') === redirectUri, 'redirect_uri as registered'),
      require(get('aud') === iss, 'aud is the FHIR base'),
      require(get('state').length >= 22, 'state of 122 bits or more'),
      require(get('code_challenge_method') === 'S256' && get('code_challenge').length === 43, 'PKCE with S256'),
      require(context !== undefined, 'launch as given, once'),
      require(get('scope').split(' ').every((scope) => !/\.[cruds]+$/.test(scope)), 'v1 scopes only'),
      require(new Set(query.keys()).size === [...query.keys()].length, 'each parameter once'),
    ];
    asked.push(get('scope'));
    if (!context || held.includes(false)) return void response.writeHead(400).end(`refused: ${broken.join(', ')}`);
    const code = randomBytes(16).toString('hex');
    codes.set(code, { context, scope: get('scope'), nonce: query.get('nonce'), challenge: get('code_challenge'), redirect: get('redirect_uri') });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', get('state'));
    response.writeHead(302, { location: back.href }).end();
  }

  function token(request: IncomingMessage, form: URLSearchParams, json: (status: number, value: unknown) => unknown): void {
    const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString().split(':').map((half) => decodeURIComponent(half.replace(/\+/g, ' ')));
    const [id, secret] = clientKind === 'secret-basic' ? basic : [form.get('client_id'), form.get('client_secret')];
    if (!require(id === clientId && (clientKind === 'public' ? secret === null : secret === clientSecret), 'client authentication')) return void json(401, { error: 'invalid_client' });
    require(clientKind === 'secret-basic' ? !form.has('client_id') : request.headers.authorization === undefined, 'one way of authentication, not two');
    const store = form.get('grant_type') === 'refresh_token' ? refreshes : codes;
    const key = form.get(store === codes ? 'code' : 'refresh_token') ?? '';
    const issued = store.get(key);
    store.delete(key);
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!issued || (store === codes && !(require(challenge === issued.challenge, 'code_verifier') && require(form.get('redirect_uri') === issued.redirect, 'the same redirect_uri')))) return void json(400, { error: 'invalid_grant' });
    const access = randomBytes(20).toString('hex');
    const refresh = randomBytes(20).toString('hex');
    tokens.set(access, issued.context);
    refreshes.set(refresh, issued);
    const seconds = Math.floor(Date.now() / 1000);
    const claims = { iss: `${origin}/t/clinic-7`, aud: [clientId], sub: 'u1', iat: seconds, exp: seconds + 300, fhirUser: 'Practitioner/clinician-1', ...(issued.nonce === null ? {} : { nonce: issued.nonce }) };
    json(200, { access_token: access, token_type: 'bearer', expires_in: '3600', scope: issued.scope, refresh_token: refresh, id_token: signed(claims, privateKey), ...issued.context });
  }

  function fhir(request: IncomingMessage, url: URL, body: string, json: (status: number, value: unknown, type?: string) => unknown): void {
    const context = tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
    const type = 'application/fhir+json';
    if (!context) return void json(401, { resourceType: 'OperationOutcome' }, type);
    const [resourceType, id] = url.pathname.slice(BASE.length + 1).split('/');
    if (request.method === 'POST' || request.method === 'PUT') {
      const kept = { ...(JSON.parse(body) as { resourceType: string }), id: id ?? randomBytes(6).toString('hex') };
      written.push(kept);
      return void json(201, kept, type);
    }
    if (id !== undefined) {
      const found = written.findLast((each) => each.resourceType === resourceType && each.id === id);
      return void json(found ? 200 : 404, found ?? { resourceType: 'OperationOutcome' }, type);
    }
    const matches = written.filter((each) => each.resourceType === resourceType && JSON.stringify(each).includes(`"Patient/${context.patient}"`));
    json(200, { resourceType: 'Bundle', type: 'searchset', entry: matches.map((resource) => ({ resource, search: { mode: 'match' } })) }, type);
  }

  return {
    iss, clientId, clientSecret, broken, asked,
    launch(launchUrl, context) {
      const id = randomBytes(8).toString('hex');
      launches.set(id, context);
      return `${launchUrl}?launch=${id}&iss=${encodeURIComponent(iss)}`;
    },
    close: () => new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}

function signed(claims: object, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES384', typ: 'JWT', kid: 'launcher' })}.${part(claims)}`;
  return `${text}.${sign('sha384', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

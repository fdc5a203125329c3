import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSandboxEhr, runSandboxEhr } from '#test-fixtures/running-sandbox-ehr.ts';

/* The sandbox as an open SMART launcher: a developer registers an app on its page and launches it; each option of the launch in real HTTP. */

const SCOPE = 'openid fhirUser launch launch/patient launch/encounter offline_access online_access patient/*.rs patient/*.read patient/QuestionnaireResponse.cu user/Practitioner.rs';
let ehr: RunningSandboxEhr;
let cookie: string;
beforeAll(async () => {
  ehr = await runSandboxEhr();
  cookie = await ehr.login();
});
afterAll(() => ehr.stop());

type Fields = Readonly<Record<string, string>>;
interface App {
  readonly id: string;
  readonly secret: string | undefined;
  readonly by: string;
}

const post = (path: string, fields: Fields, as = cookie) => fetch(`${ehr.baseUrl}${path}`, { method: 'POST', redirect: 'manual', headers: { cookie: as }, body: new URLSearchParams(fields) });
const registration = (more: Fields = {}): Fields => ({ name: 'My <app>', redirectUris: ehr.redirectUri, authentication: 'none', jwksUri: '', scope: SCOPE, fhirContextForm: 'object', needPatientBanner: 'yes', style: 'yes', ...more });

async function register(more: Fields = {}): Promise<App> {
  const answer = await post('/ehr/apps', registration(more));
  const html = await answer.text();
  expect([answer.status, html]).toEqual([201, expect.stringContaining('My &#60;app&#62; is registered')]);
  return { id: /Client id: <code>([^<]+)/.exec(html)?.[1] ?? '', secret: /only now: <code>([^<]+)/.exec(html)?.[1], by: more['authentication'] ?? 'none' };
}

const withClient = ({ id, secret = '', by }: App, fields: Fields): RequestInit =>
  by === 'client_secret_basic'
    ? { method: 'POST', headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }, body: new URLSearchParams(fields) }
    : { method: 'POST', body: new URLSearchParams({ ...fields, client_id: id, ...(by === 'client_secret_post' ? { client_secret: secret } : {}) }) };
const oauth = async (app: App, path: string, fields: Fields) => {
  const response = await fetch(`${ehr.baseUrl}/ehr/oauth/${path}`, withClient(app, fields));
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as Record<string, unknown> };
};

async function tokensFor(app: App, scope: string, how: { readonly launch?: Fields; readonly patient?: string } = {}) {
  let launch: string | undefined;
  if (how.launch) {
    const answer = await post('/ehr/apps/launch', { launchUrl: 'https://app.example/start?kept=1', patient: 'pat-oxygen', encounter: '', fhirContext: '', intent: '', ...how.launch });
    const url = new URL(answer.headers.get('location') ?? 'none:');
    if (answer.status !== 303) throw new Error(`not launched: ${await answer.text()}`);
    launch = url.searchParams.get('launch') ?? '';
  }
  const { url: start, verifier } = ehr.authorizeUrl({ client_id: app.id, scope, launch });
  const jar = ehr.cookieJar(cookie);
  const asked = await ehr.browse(start, jar);
  const { url } = how.patient ? await ehr.browse(`${asked.url.href}?patient=${how.patient}`, jar) : asked;
  expect(url.searchParams.get('error_description')).toBeNull();
  return oauth(app, 'token', { grant_type: 'authorization_code', code: url.searchParams.get('code') ?? '', code_verifier: verifier, redirect_uri: ehr.redirectUri });
}

const read = async (token: unknown, path: string) => {
  const response = await fetch(`${ehr.fhirBase}/${path}`, { headers: { authorization: `Bearer ${String(token)}` } });
  return { status: response.status, body: (await response.json()) as { entry?: { resource: { id: string; code: { coding: { code: string }[] } } }[] } };
};

describe('kinds of clients', () => {
  it.each(['none', 'client_secret_basic', 'client_secret_post'])('%s gets tokens, and no one else with its id', async (authentication) => {
    const app = await register({ authentication });
    expect(app.secret !== undefined).toBe(authentication !== 'none');
    const { status, body, headers } = await tokensFor(app, 'launch openid fhirUser patient/*.rs', { launch: {} });
    expect([status, headers.get('cache-control'), body['token_type'], body['patient']]).toEqual([200, 'no-store', 'Bearer', 'pat-oxygen']);
    await jwtVerify(String(body['id_token']), createRemoteJWKSet(new URL(`${ehr.baseUrl}/ehr/oauth/jwks`)), { audience: app.id, issuer: `${ehr.baseUrl}/ehr/oauth` });
    const stranger = await oauth({ ...app, secret: 'wrong' }, 'token', { grant_type: 'refresh_token', refresh_token: 'x' });
    expect(stranger.status).toBe(authentication === 'none' ? 400 : 401);
  });
});

describe('launch context', () => {
  const launch = { fhirContext: 'DeviceRequest/any Coverage/cov-oxygen', encounter: 'enc-1', intent: 'reconcile' };
  it.each([
    ['object', [{ reference: 'DeviceRequest/any' }, { reference: 'Coverage/cov-oxygen' }]],
    ['string', ['DeviceRequest/any', 'Coverage/cov-oxygen']],
  ])('fhirContext as %s, encounter, intent, banner, style', async (fhirContextForm, fhirContext) => {
    const { body } = await tokensFor(await register({ fhirContextForm }), 'launch openid patient/*.rs', { launch });
    expect(body).toMatchObject({ patient: 'pat-oxygen', encounter: 'enc-1', intent: 'reconcile', need_patient_banner: true, fhirContext });
    const style = await fetch(String(body['smart_style_url']));
    expect([style.headers.get('access-control-allow-origin'), await style.json()]).toEqual(['*', expect.objectContaining({ color_text: '#17212b' })]);
  });
  it('no banner and no style where the app is registered so', async () => {
    const { needPatientBanner: _banner, style: _style, ...without } = registration();
    const html = await (await post('/ehr/apps', without)).text();
    const { body } = await tokensFor({ id: /Client id: <code>([^<]+)/.exec(html)?.[1] ?? '', secret: undefined, by: 'none' }, 'launch openid', { launch: {} });
    expect([body['need_patient_banner'], body['smart_style_url']]).toEqual([false, undefined]);
  });
  it('standalone: the person picks the patient; and the app gets that patient’s last encounter', async () => {
    const { body } = await tokensFor(await register(), 'launch/patient launch/encounter openid patient/*.rs', { patient: 'pat-mobility' });
    expect([body['patient'], body['encounter']]).toEqual(['pat-mobility', 'enc-mobility-1']);
  });
});

describe('scopes, enforced on the FHIR API', () => {
  it.each<[string, string, [string, number][]]>([
    ['v1 read', 'patient/*.read', [['Patient/pat-oxygen', 200], ['Observation?patient=pat-oxygen', 200], ['Patient/pat-mobility', 404]]],
    ['v2 read without search', 'patient/Patient.r', [['Patient/pat-oxygen', 200], ['Patient?_id=pat-oxygen', 403], ['Observation?patient=pat-oxygen', 403]]],
    ['a type of the user’s', 'user/Practitioner.rs', [['Practitioner/dr-priya-nair', 200], ['Patient/pat-oxygen', 403]]],
  ])('%s', async (_name, scope, reads) => {
    const { body } = await tokensFor(await register(), `launch openid ${scope}`, { launch: {} });
    for (const [path, status] of reads) expect([path, (await read(body['access_token'], path)).status]).toEqual([path, status]);
  });
  it('granular: only what the search of the scope finds, in searches and in reads', async () => {
    const app = await register();
    const all = await read((await tokensFor(app, 'launch openid patient/Observation.rs', { launch: {} })).body['access_token'], 'Observation');
    const codes = [...new Set((all.body.entry ?? []).map(({ resource }) => resource.code.coding[0]?.code ?? ''))];
    expect(codes.length).toBeGreaterThan(1);
    const [wanted = '', other = ''] = codes;
    const { body } = await tokensFor(app, `launch openid patient/Observation.rs?code=http://loinc.org|${wanted}`, { launch: {} });
    expect(String(body['scope'])).toContain(`patient/Observation.rs?code=http://loinc.org|${wanted}`);
    const found = await read(body['access_token'], 'Observation');
    expect(new Set((found.body.entry ?? []).map(({ resource }) => resource.code.coding[0]?.code))).toEqual(new Set([wanted]));
    const idOf = (code: string) => all.body.entry?.find(({ resource }) => resource.code.coding[0]?.code === code)?.resource.id ?? '';
    expect((await read(body['access_token'], `Observation/${idOf(wanted)}`)).status).toBe(200);
    expect((await read(body['access_token'], `Observation/${idOf(other)}`)).status).toBe(404);
  });
  it.each(['patient/Observation.rs?nonsense=1', 'patient/*.rs?category=laboratory', 'patient/Observation.cruds', 'system/Patient.rs'])('%s is not granted', async (scope) => {
    const { body } = await tokensFor(await register(), `launch openid patient/Patient.r ${scope}`, { launch: {} });
    expect(String(body['scope']).split(' ')).not.toContain(scope);
  });
});

describe('after the launch', () => {
  it.each(['online_access', 'offline_access'])('%s: a refresh token that works once', async (access) => {
    const app = await register({ authentication: 'client_secret_basic' });
    const first = await tokensFor(app, `launch openid patient/*.rs ${access}`, { launch: {} });
    const refresh = { grant_type: 'refresh_token', refresh_token: String(first.body['refresh_token']) };
    expect((await oauth(app, 'token', refresh)).body).toMatchObject({ patient: 'pat-oxygen', token_type: 'Bearer' });
    expect(await oauth(app, 'token', refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
  it('without either: none', async () => {
    expect((await tokensFor(await register(), 'launch openid patient/*.rs', { launch: {} })).body['refresh_token']).toBeUndefined();
  });
  it('introspection tells scope, client and context; revocation ends the token', async () => {
    const app = await register({ authentication: 'client_secret_post' });
    const { body } = await tokensFor(app, 'launch openid fhirUser patient/*.rs', { launch: { intent: 'look' } });
    const token = String(body['access_token']);
    expect((await oauth(app, 'introspect', { token })).body).toMatchObject({ active: true, client_id: app.id, patient: 'pat-oxygen', intent: 'look', scope: 'patient/*.rs', iss: `${ehr.baseUrl}/ehr/oauth`, fhirUser: `${ehr.fhirBase}/Practitioner/dr-priya-nair`, exp: expect.any(Number) as number });
    expect((await oauth(app, 'introspect', { token: 'nothing' })).body).toEqual({ active: false });
    expect((await oauth({ ...app, secret: 'wrong' }, 'introspect', { token })).status).toBe(401);
    const stranger = await register({ authentication: 'client_secret_post' });
    await oauth(stranger, 'revoke', { token });
    expect((await read(token, 'Patient/pat-oxygen')).status).toBe(200);
    expect((await oauth(app, 'revoke', { token })).status).toBe(200);
    expect((await read(token, 'Patient/pat-oxygen')).status).toBe(401);
    expect((await oauth(app, 'introspect', { token })).body).toEqual({ active: false });
  });
});

describe('what browsers and programs find', () => {
  it('discovery has every field, whatever is accepted, and from any origin', async () => {
    const response = await fetch(`${ehr.fhirBase}/.well-known/smart-configuration`, { headers: { accept: 'text/html', origin: 'https://app.example' } });
    expect([response.headers.get('content-type'), response.headers.get('access-control-allow-origin')]).toEqual([expect.stringMatching(/^application\/json/), '*']);
    const found = (await response.json()) as Record<string, unknown>;
    for (const field of ['issuer', 'jwks_uri', 'authorization_endpoint', 'token_endpoint', 'introspection_endpoint', 'revocation_endpoint', 'management_endpoint', 'grant_types_supported', 'scopes_supported', 'response_types_supported', 'token_endpoint_auth_methods_supported', 'token_endpoint_auth_signing_alg_values_supported', 'code_challenge_methods_supported', 'capabilities', 'user_access_brand_bundle', 'user_access_brand_identifier', 'associated_endpoints']) expect(found).toHaveProperty(field);
    expect(found['code_challenge_methods_supported']).toEqual(['S256']);
    const brands = (await (await fetch(String(found['user_access_brand_bundle']))).json()) as { entry: { resource: { resourceType: string; identifier?: unknown[] } }[] };
    expect(brands.entry.filter(({ resource }) => JSON.stringify(resource.identifier?.[0]) === JSON.stringify(found['user_access_brand_identifier']))).toHaveLength(1);
  });
  it('CORS at the token endpoint: the app’s own origin only', async () => {
    const app = await register();
    const ask = (origin: string) => fetch(`${ehr.baseUrl}/ehr/oauth/token`, { ...withClient(app, { grant_type: 'authorization_code', code: 'x' }), headers: { origin } });
    expect((await ask(ehr.baseUrl)).headers.get('access-control-allow-origin')).toBe(ehr.baseUrl);
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('the launch URL keeps its own parameters and gets iss and launch', async () => {
  const answer = await post('/ehr/apps/launch', { launchUrl: 'https://app.example/start?kept=1', patient: 'pat-oxygen', encounter: '', fhirContext: '', intent: '' });
  const url = new URL(answer.headers.get('location') ?? 'none:');
  expect([url.origin, ...url.searchParams.keys(), url.searchParams.get('iss')]).toEqual(['https://app.example', 'kept', 'iss', 'launch', ehr.fhirBase]);
});

describe('bad input to the page', () => {
  it.each<[string, string, Fields, string]>([
    ['no name', '/ehr/apps', { name: ' ' }, 'Name'],
    ['a redirect to http', '/ehr/apps', { redirectUris: 'http://app.example/cb' }, 'Redirect URIs'],
    ['scopes of systems', '/ehr/apps', { scope: 'system/*.cruds' }, 'Scopes'],
    ['a key address for a public app', '/ehr/apps', { jwksUri: 'https://app.example/jwks' }, 'Address of its keys'],
    ['a launch URL with script', '/ehr/apps/launch', { launchUrl: 'javascript:alert(1)', patient: 'pat-oxygen' }, 'Launch URL'],
    ['a patient who is not there', '/ehr/apps/launch', { launchUrl: 'https://app.example/', patient: 'nobody', encounter: '', fhirContext: '', intent: '' }, 'Patient'],
    ['fhirContext that is none', '/ehr/apps/launch', { launchUrl: 'https://app.example/', patient: 'pat-oxygen', encounter: '', fhirContext: '"><script>', intent: '' }, 'fhirContext'],
  ])('%s', async (_name, path, fields, label) => {
    const answer = await post(path, path === '/ehr/apps' ? registration(fields) : fields);
    const html = await answer.text();
    expect([answer.status, html]).toEqual([422, expect.stringContaining(`<strong role="alert">${label}`)]);
    expect(html).not.toContain('<script');
  });
  it('nothing without signing in, and no body too large', async () => {
    expect((await post('/ehr/apps', registration(), '')).headers.get('location')).toBe('/');
    expect((await fetch(`${ehr.baseUrl}/ehr/apps`, { redirect: 'manual' })).status).toBe(303);
    expect((await post('/ehr/apps', { name: 'x'.repeat(30_000) })).status).toBe(413);
  });
});

import { generateKeyPair, jwtVerify, createRemoteJWKSet, decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSandboxEhr, runSandboxEhr, TEST_APP, TEST_BACKEND } from '#test-fixtures/running-sandbox-ehr.ts';

let ehr: RunningSandboxEhr;
let cookie: string;
beforeAll(async () => {
  ehr = await runSandboxEhr();
  cookie = await ehr.login();
});
afterAll(() => ehr.stop());

const asUser = (path: string, body: object) =>
  fetch(`${ehr.baseUrl}${path}`, { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: JSON.stringify(body) }).then((response) => response.json() as Promise<Record<string, string>>);

async function newLaunch(): Promise<{ launch: string; order: string }> {
  const { order = '' } = await asUser('/ehr/ui/patients/pat-oxygen/orders', { catalogId: 'e1390' });
  const { launchUrl = '' } = await asUser('/ehr/ui/orders/launch', { order });
  return { launch: new URL(launchUrl).searchParams.get('launch') ?? '', order };
}

/** Authorizes in the browser of the signed-in clinician. */
async function authorize(changes: Readonly<Record<string, string | undefined>> = {}, jar = ehr.cookieJar(cookie)) {
  const { url, verifier } = ehr.authorizeUrl(changes);
  return { ...(await ehr.browse(url, jar)), verifier };
}

async function codeFor(changes: Readonly<Record<string, string | undefined>> = {}) {
  const { launch, order } = await newLaunch();
  const { url, verifier } = await authorize({ launch, ...changes });
  return { code: url.searchParams.get('code') ?? '', verifier, order, returned: url };
}

const exchange = (code: string, verifier: string, changes: Readonly<Record<string, string>> = {}, assertion?: string) =>
  ehr.postToken({ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: ehr.redirectUri, ...changes }, TEST_APP, assertion);

describe('EHR launch', () => {
  it('gives code, token, launch context, id token and a working access token', async () => {
    const { code, verifier, order, returned } = await codeFor();
    expect(returned.searchParams.get('state')).toBe('test-state-0123456789');
    const { status, body } = await exchange(code, verifier);
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', patient: 'pat-oxygen', need_patient_banner: true, fhirContext: [{ reference: order }, { reference: 'Coverage/cov-oxygen' }] });
    expect(String(body['scope']).split(' ').sort()).toEqual(['fhirUser', 'launch', 'offline_access', 'openid', 'patient/*.rs']);
    const { payload } = await jwtVerify(String(body['id_token']), createRemoteJWKSet(new URL(`${ehr.baseUrl}/ehr/oauth/jwks`)), { issuer: `${ehr.baseUrl}/ehr/oauth`, audience: TEST_APP, algorithms: ['RS256'] });
    expect(payload).toMatchObject({ fhirUser: `${ehr.fhirBase}/Practitioner/dr-priya-nair`, name: 'Dr. Priya Nair' });
    const read = await fetch(`${ehr.fhirBase}/Patient/pat-oxygen`, { headers: { authorization: `Bearer ${String(body['access_token'])}` } });
    expect(read.status).toBe(200);
    expect(decodeJwt(String(body['access_token']))).toMatchObject({ aud: ehr.fhirBase, patient: 'pat-oxygen' });
  });

  it('refreshes, rotating the refresh token and keeping the patient', async () => {
    const { code, verifier } = await codeFor();
    const first = await exchange(code, verifier);
    const refresh = String(first.body['refresh_token']);
    const second = await ehr.postToken({ grant_type: 'refresh_token', refresh_token: refresh }, TEST_APP);
    expect(second.body).toMatchObject({ patient: 'pat-oxygen' });
    expect(second.body['refresh_token']).not.toBe(refresh);
    const replayed = await ehr.postToken({ grant_type: 'refresh_token', refresh_token: refresh }, TEST_APP);
    expect(replayed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('grants a narrower scope than registered', async () => {
    const { code, verifier } = await codeFor({ scope: 'openid launch patient/Patient.r' });
    const { body } = await exchange(code, verifier);
    expect(body['refresh_token']).toBeUndefined();
    const headers = { authorization: `Bearer ${String(body['access_token'])}` };
    expect((await fetch(`${ehr.fhirBase}/Patient/pat-oxygen`, { headers })).status).toBe(200);
    expect((await fetch(`${ehr.fhirBase}/Observation?patient=pat-oxygen`, { headers })).status).toBe(403);
  });

  it('keeps the scopes to the registered ones', async () => {
    const { code, verifier } = await codeFor({ scope: 'openid launch patient/*.rs patient/*.cruds system/*.cruds' });
    const { body } = await exchange(code, verifier);
    expect(String(body['scope']).split(' ')).not.toContain('system/*.cruds');
    expect(String(body['scope']).split(' ')).not.toContain('patient/*.cruds');
  });
});

describe('refusals at the authorization endpoint', () => {
  const cases: readonly (readonly [string, Record<string, string | undefined>, string])[] = [
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['wrong aud', { aud: 'https://other.example/fhir' }, 'invalid_request'],
    ['no aud', { aud: undefined }, 'invalid_request'],
    ['unknown launch', { launch: 'not-a-launch' }, 'invalid_request'],
    ['implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ];
  it.each(cases)('%s', async (_name, changes, error) => {
    const { url } = await authorize(changes);
    expect(url.pathname).toBe('/app/callback');
    expect(url.searchParams.get('error') ?? new URLSearchParams(url.hash.slice(1)).get('error')).toBe(error);
  });

  it.each([
    ['wrong redirect_uri', { redirect_uri: 'https://evil.example/callback' }],
    ['unknown client', { client_id: 'nobody' }],
  ])('%s is shown, never redirected', async (_name, changes) => {
    const { url, status, text } = await authorize(changes);
    expect(url.pathname).toBe('/ehr/oauth/authorize');
    expect(status).toBe(400);
    expect(text).not.toContain('at ');
  });

  it('a launch works once', async () => {
    const { launch } = await newLaunch();
    expect((await authorize({ launch })).url.searchParams.get('code')).toBeTruthy();
    expect((await authorize({ launch })).url.searchParams.get('error')).toBe('invalid_request');
  });

  it("another user's launch is refused", async () => {
    const { launch } = await newLaunch();
    const { url } = await authorize({ launch }, ehr.cookieJar(await ehr.login('Practitioner/dr-victor-lindgren')));
    expect(url.searchParams.get('error')).toBe('access_denied');
  });
});

describe('refusals at the token endpoint', () => {
  it('wrong code verifier', async () => {
    const { code } = await codeFor();
    expect(await exchange(code, 'a'.repeat(43))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
  it('replayed code', async () => {
    const { code, verifier } = await codeFor();
    expect((await exchange(code, verifier)).status).toBe(200);
    expect(await exchange(code, verifier)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
  it('the same code at the same moment: one token', async () => {
    const { code, verifier } = await codeFor();
    const answers = await Promise.all([exchange(code, verifier), exchange(code, verifier)]);
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 400]);
  });
  it('wrong redirect_uri', async () => {
    const { code, verifier } = await codeFor();
    expect(await exchange(code, verifier, { redirect_uri: `${ehr.baseUrl}/elsewhere` })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
  it('unknown code', async () => {
    expect(await exchange('nothing', 'a'.repeat(43))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
  it('expired, forged, misdirected and replayed assertions', async () => {
    const grant = { grant_type: 'client_credentials', scope: 'system/Patient.rs' };
    const { privateKey } = await generateKeyPair('ES384');
    const used = await ehr.assertion(TEST_BACKEND);
    expect((await ehr.postToken(grant, TEST_BACKEND, used)).status).toBe(200);
    const bad = [
      used,
      await ehr.assertion(TEST_BACKEND, { expiresAt: Math.floor(Date.now() / 1000) - 120 }),
      await ehr.assertion(TEST_BACKEND, { key: privateKey }),
      await ehr.assertion(TEST_BACKEND, { audience: 'https://other.example/token' }),
    ];
    for (const assertion of bad) expect(await ehr.postToken(grant, TEST_BACKEND, assertion)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await ehr.postToken(grant, TEST_BACKEND, 'not.a.jwt')).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
  it('a backend service gets only its scopes', async () => {
    const { body } = await ehr.postToken({ grant_type: 'client_credentials', scope: 'system/Patient.r user/*.cruds' }, TEST_BACKEND);
    expect(body['scope']).toBe('system/Patient.r');
  });
});

describe('sign-in', () => {
  it('lists users when nobody is signed in and continues after POST /ehr/login', async () => {
    const { launch } = await newLaunch();
    const jar = new Map<string, string>();
    const page = await authorize({ launch }, jar);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Dr. Priya Nair');
    expect(page.text).not.toContain('<script');
    const interaction = /name="interaction" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const signedIn = await fetch(`${ehr.baseUrl}/ehr/login`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ user: 'Practitioner/dr-priya-nair', interaction }) });
    const [session = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';');
    for (const [name, value] of ehr.cookieJar(session)) jar.set(name, value);
    const { url } = await ehr.browse(new URL(signedIn.headers.get('location') ?? '', ehr.baseUrl).href, jar);
    expect(url.searchParams.get('code')).toBeTruthy();
  });

  it('standalone launch asks for the patient', async () => {
    const jar = ehr.cookieJar(cookie);
    const { url: start, verifier } = ehr.authorizeUrl({ scope: 'openid launch/patient patient/*.rs' });
    const page = await ehr.browse(start, jar);
    expect(page.text).toContain('Rosa Elena Delgado');
    const { url } = await ehr.browse(`${page.url.href}?patient=pat-mobility`, jar);
    const { body } = await exchange(url.searchParams.get('code') ?? '', verifier);
    expect(body['patient']).toBe('pat-mobility');
  });

  it('asks again who it is when the app wants it (prompt=login), then lets the answer through', async () => {
    const jar = ehr.cookieJar(cookie);
    const { url: start } = ehr.authorizeUrl({ scope: 'openid fhirUser', prompt: 'login' });
    const asked = await ehr.browse(start, jar);
    expect(asked.text).toContain('Who are you?');
    const { url } = await ehr.browse(`${asked.url.href}?signed-in`, jar);
    expect(url.searchParams.get('code')).toBeTruthy();
  });

  it('refuses an unknown user and a stale interaction', async () => {
    expect((await fetch(`${ehr.baseUrl}/ehr/login`, { method: 'POST', body: new URLSearchParams({ user: 'Practitioner/nobody' }) })).status).toBe(400);
    const stale = await fetch(`${ehr.baseUrl}/ehr/oauth/interaction/unknown`);
    expect(stale.status).toBe(400);
    expect(await stale.text()).toContain('This sign-in has ended');
    expect((await fetch(`${ehr.baseUrl}/ehr/login`, { method: 'POST', body: new URLSearchParams({ user: 'x'.repeat(20_000) }) })).status).toBe(413);
  });
});

describe('bad requests to the token endpoint', () => {
  it.each<[string, RequestInit, number]>([
    ['no body', { method: 'POST' }, 400],
    ['JSON', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }, 400],
    ['unknown grant type', { method: 'POST', body: new URLSearchParams({ grant_type: 'password', client_id: TEST_APP }) }, 401],
    ['no client authentication', { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', client_id: TEST_APP, code: 'x' }) }, 401],
    ['GET', { method: 'GET' }, 404],
  ])('%s', async (_name, init, status) => {
    const response = await fetch(`${ehr.baseUrl}/ehr/oauth/token`, init);
    const body = (await response.json()) as Record<string, unknown>;
    expect([response.status, typeof body['error']]).toEqual([status, 'string']);
    expect(JSON.stringify(body)).not.toMatch(/node_modules/);
  });
});

it('behind https every address and cookie says so', async () => {
  const https = await runSandboxEhr({ baseUrl: 'https://pa.example' });
  const openid = (await (await fetch(`${https.baseUrl}/ehr/oauth/.well-known/openid-configuration`, { headers: { 'x-forwarded-host': 'evil.example' } })).json()) as Record<string, unknown>;
  expect(openid).toMatchObject({ issuer: 'https://pa.example/ehr/oauth', token_endpoint: 'https://pa.example/ehr/oauth/token' });
  const { url } = https.authorizeUrl({ aud: 'https://pa.example/ehr/fhir' });
  const started = await fetch(url, { redirect: 'manual' });
  expect(started.headers.getSetCookie().filter((one) => one.startsWith('_interaction'))).not.toEqual([]);
  for (const one of started.headers.getSetCookie()) expect(one.toLowerCase()).toContain('secure');
  const login = await fetch(`${https.baseUrl}/ehr/ui/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"user":"Practitioner/dr-priya-nair"}' });
  expect(login.headers.get('set-cookie')).toContain('Secure');
  await https.stop();
});

it('discovery names the endpoints', async () => {
  const smart = (await (await fetch(`${ehr.fhirBase}/.well-known/smart-configuration`)).json()) as Record<string, unknown>;
  expect(smart).toMatchObject({ issuer: `${ehr.baseUrl}/ehr/oauth`, token_endpoint: `${ehr.baseUrl}/ehr/oauth/token`, code_challenge_methods_supported: ['S256'] });
  const openid = (await (await fetch(`${ehr.baseUrl}/ehr/oauth/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
  expect(openid).toMatchObject({ issuer: smart['issuer'], jwks_uri: smart['jwks_uri'], authorization_endpoint: smart['authorization_endpoint'] });
  expect(Object.keys(((await (await fetch(String(smart['jwks_uri']))).json()) as { keys: object[] }).keys[0] ?? {})).not.toContain('d');
  expect((await fetch(`${ehr.baseUrl}/ehr/oauth/nothing-here`)).status).toBe(404);
});

import { createSecretKey, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { openPayerBench, type PayerBench } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { grantScopes, holdsScope } from './scopes.ts';

let store: Store;
let bench: PayerBench;

beforeAll(async () => {
  store = await openTestStore();
  bench = await openPayerBench({ db: store.db, started: false });
});
afterAll(async () => {
  await bench.close();
  await store.close();
});

const seconds = () => Math.floor(Date.now() / 1000);

describe('the token endpoint', () => {
  it.each(['clinic', 'other'] as const)('grants five minutes to %s (ES384, RS384)', async (name) => {
    const reply = await bench.askToken(bench.tokenForm(await bench.assertion(bench.clients[name])));
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(await reply.json()).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'system/Claim.c system/Questionnaire.rs system/Subscription.crud' });
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['expired', () => bench.assertion(bench.clients.clinic, { exp: seconds() - 60 }), /expired/],
    ['living too long', () => bench.assertion(bench.clients.clinic, { exp: seconds() + 600 }), /five minutes/],
    ['without exp', () => bench.assertion(bench.clients.clinic, { exp: undefined }), /exp/],
    ['without jti', () => bench.assertion(bench.clients.clinic, { jti: undefined }), /jti/],
    ['for another audience', () => bench.assertion(bench.clients.clinic, { aud: `${bench.baseUrl}/payer/oauth/token/` }), /aud/],
    ['with another subject', () => bench.assertion(bench.clients.clinic, { sub: 'other' }), /sub/],
    ['of an unknown client', () => bench.assertion(bench.clients.clinic, { iss: 'nobody', sub: 'nobody' }), /not registered/],
    ['pointing to another key set', () => bench.assertion(bench.clients.clinic, {}, { jku: 'https://attacker.example/jwks.json' }), /key set/],
    ['with an unknown key', () => bench.assertion(bench.clients.clinic, {}, { kid: 'unknown' }), /kid/],
    ['signed by another client', () => bench.assertion({ ...bench.clients.other, alg: 'RS384' }, { iss: 'clinic', sub: 'clinic' }), /kid|signature/],
    ['signed by a stranger under our kid', async () => bench.assertion({ ...bench.clients.clinic, privateKey: (await generateKeyPair('ES384')).privateKey }), /signature/],
    ['of alg none', async () => new UnsecuredJWT({ iss: 'clinic', sub: 'clinic', jti: randomUUID(), aud: `${bench.baseUrl}/payer/oauth/token` }).setExpirationTime('4m').encode(), /kid|not a JWT|verified|ES384/],
    [
      'signed with a shared secret',
      () => new SignJWT({ iss: 'clinic', sub: 'clinic', jti: randomUUID(), aud: `${bench.baseUrl}/payer/oauth/token` }).setExpirationTime('4m').setProtectedHeader({ alg: 'HS384', kid: bench.clients.clinic.kid }).sign(createSecretKey(Buffer.alloc(48, 1))),
      /ES384/,
    ],
    ['that is no JWT', async () => 'abc.def', /not a JWT/],
  ])('refuses an assertion %s', async (_name, assertion, description) => {
    const reply = await bench.askToken(bench.tokenForm(await assertion()));
    const body = (await reply.json()) as { error: string; error_description: string };
    expect([reply.status, body.error]).toEqual([401, 'invalid_client']);
    expect(body.error_description).toMatch(description);
  });

  it('refuses an assertion that was used before, twice at once too', async () => {
    const assertion = await bench.assertion(bench.clients.clinic);
    const statuses = await Promise.all([1, 2, 3].map(async () => (await bench.askToken(bench.tokenForm(assertion))).status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
  });

  it('fetches the key set again when a client has a new key', async () => {
    const fresh = await generateKeyPair('ES384', { extractable: true });
    const kid = randomUUID();
    await new Promise((done) => setTimeout(done, 1_100));
    bench.clients.clinic.keys.push({ ...(await exportJWK(fresh.publicKey)), kid, alg: 'ES384', use: 'sig' });
    const reply = await bench.askToken(bench.tokenForm(await bench.assertion({ ...bench.clients.clinic, privateKey: fresh.privateKey, kid })));
    expect(reply.status).toBe(200);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['no grant type', { scope: 'system/Claim.c' }, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'authorization_code' }, 400, 'unsupported_grant_type'],
    ['no assertion', { grant_type: 'client_credentials' }, 401, 'invalid_client'],
    ['another assertion type', { grant_type: 'client_credentials', client_assertion_type: 'x', client_assertion: 'y' }, 401, 'invalid_client'],
  ])('answers %s', async (_name, form, status, error) => {
    const reply = await bench.askToken(form);
    expect([reply.status, ((await reply.json()) as { error: string }).error]).toEqual([status, error]);
  });

  it.each(['', 'system/Patient.rs', 'patient/Claim.c', 'nonsense'])('grants nothing for the scope "%s"', async (scope) => {
    const reply = await bench.askToken(bench.tokenForm(await bench.assertion(bench.clients.clinic), scope));
    expect([reply.status, ((await reply.json()) as { error: string }).error]).toEqual([400, 'invalid_scope']);
  });

  it('answers another content type with 415', async () => {
    const reply = await fetch(`${bench.baseUrl}/payer/oauth/token`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
    expect([reply.status, ((await reply.json()) as { error: string }).error]).toEqual([415, 'invalid_request']);
  });
});

describe('access tokens', () => {
  it.each([
    ['none', undefined, 401],
    ['an unknown one', 'Bearer abc', 401],
    ['another scheme', 'Basic abc', 401],
  ])('%s', async (_name, authorization, status) => {
    const reply = await fetch(`${bench.baseUrl}/payer/fhir/Claim/$submit`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/fhir+json', ...(authorization ? { Authorization: authorization } : {}) } });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await reply.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
  });

  it('a token without the scope is forbidden, and an old one is refused', async () => {
    const token = await bench.token(bench.clients.clinic, 'system/Subscription.r');
    const send = () => fetch(`${bench.baseUrl}/payer/fhir/Claim/$submit`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${token}` } });
    expect((await send()).status).toBe(403);
    bench.clock.aheadMs = 301_000;
    expect((await send()).status).toBe(401);
    bench.clock.aheadMs = 0;
  });
});

describe('scopes', () => {
  it.each([
    ['system/Claim.c', 'system/Claim.c'],
    ['system/Claim.cruds', 'system/Claim.c'],
    ['system/Subscription.read system/Subscription.write', 'system/Subscription.crud'],
    ['system/*.rs', 'system/Questionnaire.rs system/Library.rs system/ValueSet.rs system/Subscription.r'],
    ['system/Claim.sc', ''],
  ])('%s grants "%s"', (asked, granted) => expect(grantScopes(asked)).toBe(granted));

  it('must hold every letter', () => {
    expect(holdsScope('system/Subscription.cr', 'system/Subscription.c')).toBe(true);
    expect(holdsScope('system/Subscription.r', 'system/Subscription.c')).toBe(false);
  });
});

it('discovery names the token endpoint, the scopes and the algorithms', async () => {
  expect(await (await fetch(`${bench.baseUrl}/payer/fhir/.well-known/smart-configuration`)).json()).toMatchObject({
    token_endpoint: `${bench.baseUrl}/payer/oauth/token`,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
    scopes_supported: expect.arrayContaining(['system/Claim.c', 'system/Subscription.crud']),
  });
});

import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { type ClientTokenCheck, createClientTokenCheck } from './client-token.ts';
import { openSeenTokens } from './seen-tokens.ts';
import { migrations } from '../tables.ts';
import { createKeySource } from './key-source.ts';
import type { TrustedCdsClient } from './trusted-client.ts';
import { openTrustedClients } from './trusted-clients.ts';

const AUDIENCE = 'http://localhost:3000/cds-services/order-sign-crd';
const ISSUER = 'https://ehr.example';
const NOW = Date.parse('2026-11-22T10:00:00Z');
const SECONDS = NOW / 1000;

let store: Store;
let server: Server;
let jku: string;
let check: ClientTokenCheck;
let served = 0;
const keys = await generateKeyPair('ES384', { extractable: true });
const others = await generateKeyPair('ES384', { extractable: true });
let count = 0;

beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  await migratePart(store, 'cds', migrations);
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES384', use: 'sig' }] });
  server = createServer((_request, response) => {
    served += 1;
    response.setHeader('content-type', 'application/json').end(jwks);
  });
  await new Promise<void>((ready) => server.listen(0, ready));
  jku = `http://localhost:${(server.address() as AddressInfo).port}/jwks.json`;
  check = await checkFor([{ iss: ISSUER, jku, fhirServers: [] }]);
});
afterAll(async () => {
  server.close();
  await store.close();
});

const fail = (error: unknown): never => {
  throw error;
};
/** Not what is tested here: the store answers, however busy the machine. */
const BUSY_MACHINE_MS = 10_000;
const seenTokens = (at: () => number = () => NOW) => openSeenTokens(store, at, fail, BUSY_MACHINE_MS);
async function checkFor(clients: readonly TrustedCdsClient[], seen?: Awaited<ReturnType<typeof seenTokens>>): Promise<ClientTokenCheck> {
  const trusted = await openTrustedClients({ builtIn: clients, file: undefined, registered: { list: async () => [] }, now: () => NOW, onFileFault: fail });
  return createClientTokenCheck(trusted, seen ?? (await seenTokens()), () => NOW);
}

interface TokenChange {
  readonly claims?: JWTPayload;
  readonly header?: Record<string, unknown>;
  readonly key?: CryptoKey;
}

function token({ claims = {}, header = {}, key = keys.privateKey }: TokenChange = {}): Promise<string> {
  count += 1;
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: SECONDS + 300, iat: SECONDS, jti: `jti-${count}`, ...claims })
    .setProtectedHeader({ alg: 'ES384', kid: 'k1', typ: 'JWT', jku, ...header })
    .sign(key);
}

const bearer = async (change?: TokenChange): Promise<string> => `Bearer ${await token(change)}`;
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a client token', () => {
  it('that is right is trusted, with or without jku, audience as text or list', async () => {
    expect(await check(await bearer(), AUDIENCE)).toMatchObject({ kind: 'trusted', client: { iss: ISSUER } });
    expect(await check(await bearer({ header: { jku: undefined } }), AUDIENCE)).toMatchObject({ kind: 'trusted' });
    expect(await check(await bearer({ claims: { aud: ['https://else.example', AUDIENCE] } }), AUDIENCE)).toMatchObject({ kind: 'trusted' });
    expect(served).toBe(1);
  });
  it('that was issued up to an hour ago is trusted, with half a minute for clocks that differ', async () => {
    for (const iat of [SECONDS - 3_600, SECONDS - 3_620, SECONDS + 20]) expect(await check(await bearer({ claims: { iat } }), AUDIENCE)).toMatchObject({ kind: 'trusted' });
  });
  it.each<[string, TokenChange]>([
    ['expired', { claims: { exp: SECONDS - 60, iat: SECONDS - 400 } }],
    ['valid for too long', { claims: { exp: SECONDS + 3_600 } }],
    ['issued in the future', { claims: { iat: SECONDS + 120 } }],
    ['issued a year ago', { claims: { iat: SECONDS - 365 * 86_400 } }],
    ['issued more than an hour ago', { claims: { iat: SECONDS - 3_700 } }],
    ['that expires before it was issued', { claims: { exp: SECONDS + 10, iat: SECONDS + 20 } }],
    ['with an iat that is no number', { claims: { iat: 'now' as never } }],
    ['with a list as tenant', { claims: { tenant: ['a'] } }],
    ['with a number as tenant', { claims: { tenant: 5 } }],
    ['with null as tenant', { claims: { tenant: null } }],
    ['with a list as issuer', { claims: { iss: [ISSUER] as never } }],
    ['without exp', { claims: { exp: undefined as never } }],
    ['without iat', { claims: { iat: undefined as never } }],
    ['without jti', { claims: { jti: undefined as never } }],
    ['with an empty jti', { claims: { jti: '' } }],
    ['with a jti longer than any index', { claims: { jti: 'x'.repeat(5_000) } }],
    ['with a jti that no database stores', { claims: { jti: 'a\u0000b' } }],
    ['with half a character in its jti', { claims: { jti: 'a\ud800b' } }],
    ['without kid', { header: { kid: undefined } }],
    ['for the base URL', { claims: { aud: 'http://localhost:3000' } }],
    ['for feedback', { claims: { aud: `${AUDIENCE}/feedback` } }],
    ['of an unknown issuer', { claims: { iss: 'https://mallory.example' } }],
    ['with a jku that is not registered', { header: { jku: 'http://localhost:1/jwks.json' } }],
    ['signed by another key', { key: others.privateKey }],
    ['with an unknown kid', { header: { kid: 'k2' } }],
    ['of another type', { header: { typ: 'at+jwt' } }],
  ])('%s is refused', async (_name, change) => {
    expect(await check(await bearer(change), AUDIENCE)).toMatchObject({ kind: 'refused' });
  });
  it('without signature (alg none) is refused', async () => {
    const [, payload] = (await token()).split('.');
    expect(await check(`Bearer ${base64url({ alg: 'none', typ: 'JWT', kid: 'k1' })}.${payload}.`, AUDIENCE)).toMatchObject({ kind: 'refused' });
    expect(await check(`Bearer ${base64url({ alg: 'none', typ: 'JWT', kid: 'k1' })}.${payload}.AA`, AUDIENCE)).toMatchObject({ kind: 'refused' });
  });
  it('signed with HS256 by the public key is refused', async () => {
    const [, payload] = (await token()).split('.');
    const unsigned = `${base64url({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${payload}`;
    const signature = createHmac('sha256', await exportSPKI(keys.publicKey)).update(unsigned).digest('base64url');
    expect(await check(`Bearer ${unsigned}.${signature}`, AUDIENCE)).toMatchObject({ kind: 'refused' });
  });
  it.each(['Bearer', 'Bearer x', 'Basic abc', 'Bearer a.b.c', ''])('%j is refused', async (authorization) => {
    expect(await check(authorization, AUDIENCE)).toMatchObject({ kind: 'refused' });
  });
  it('for the same address with a slash at its end is trusted', async () => {
    expect(await check(await bearer({ claims: { aud: `${AUDIENCE}/` } }), AUDIENCE)).toMatchObject({ kind: 'trusted' });
  });
  it('that was used before is refused: in the same process, in another one on the same store, and after a restart', async () => {
    const clients = [{ iss: ISSUER, jku, fhirServers: [] }];
    const [one, another] = [await checkFor(clients), await checkFor(clients)];
    const used = await bearer();
    expect(await one(used, AUDIENCE)).toMatchObject({ kind: 'trusted', replay: 'checked' });
    for (const process of [one, another, await checkFor(clients)]) expect(await process(used, AUDIENCE)).toEqual({ kind: 'refused', why: 'jti seen before', iss: ISSUER });
  });
  it('that comes to many processes at once is trusted by one of them', async () => {
    const processes = await Promise.all(Array.from({ length: 8 }, () => checkFor([{ iss: ISSUER, jku, fhirServers: [] }])));
    const used = await bearer();
    const verdicts = await Promise.all(processes.map((process) => process(used, AUDIENCE)));
    expect(verdicts.filter((verdict) => verdict.kind === 'trusted')).toHaveLength(1);
  });
  it('of a tenant meets the registration of that tenant, else the one of the issuer, and no other', async () => {
    const ofTenants = await checkFor([{ iss: ISSUER, jku, tenant: 'north', fhirServers: ['https://north.example/fhir'] }, { iss: ISSUER, jku, fhirServers: [] }]);
    expect(await ofTenants(await bearer({ claims: { tenant: 'north' } }), AUDIENCE)).toMatchObject({ kind: 'trusted', client: { tenant: 'north' } });
    const general = await ofTenants(await bearer({ claims: { tenant: 'south' } }), AUDIENCE);
    expect(general.kind === 'trusted' && general.client.tenant).toBe(undefined);
    const onlyNorth = await checkFor([{ iss: ISSUER, jku, tenant: 'north', fhirServers: [] }]);
    for (const tenant of ['south', undefined]) expect(await onlyNorth(await bearer({ claims: { tenant } }), AUDIENCE)).toMatchObject({ kind: 'refused', why: 'issuer or tenant not registered' });
  });
  it('of a disabled client is refused', async () => {
    expect(await (await checkFor([{ iss: ISSUER, jku, fhirServers: [], disabled: true }]))(await bearer(), AUDIENCE)).toEqual({ kind: 'refused', why: 'client disabled', iss: ISSUER });
  });
  it('is refused when the keys cannot be fetched', async () => {
    const dead = 'http://localhost:1/jwks.json';
    expect(await (await checkFor([{ iss: ISSUER, jku: dead, fhirServers: [] }]))(await bearer({ header: { jku: dead } }), AUDIENCE)).toMatchObject({ kind: 'refused' });
  });
  it('is trusted when the store does not answer, marked as unchecked, but never twice by one process', async () => {
    const gone = await openStore({ dataDir: 'memory' });
    await migratePart(gone, 'cds', migrations);
    let faults = 0;
    const seen = await openSeenTokens(gone, () => NOW, () => { faults += 1; });
    await gone.close();
    const alone = await checkFor([{ iss: ISSUER, jku, fhirServers: [] }], seen);
    const used = await bearer();
    expect(await alone(used, AUDIENCE)).toMatchObject({ kind: 'trusted', replay: 'unchecked' });
    expect(await alone(used, AUDIENCE)).toMatchObject({ kind: 'refused' });
    expect(faults).toBe(1);
    const before = performance.now();
    for (let i = 0; i < 20; i += 1) expect(await alone(await bearer(), AUDIENCE)).toMatchObject({ replay: 'unchecked' });
    expect(performance.now() - before).toBeLessThan(1_000);
  });
  it('that is missing is told apart', async () => expect(await check(undefined, AUDIENCE)).toEqual({ kind: 'missing' }));
});

describe('why a token is refused', () => {
  it.each<[string, TokenChange]>([
    ["the signature is not by the client's key (ERR_JWS_SIGNATURE_VERIFICATION_FAILED)", { key: others.privateKey }],
    ["none of the client's keys has this kid and algorithm (ERR_JWKS_NO_MATCHING_KEY)", { header: { kid: 'k2' } }],
    ['aud is not the address that was called (ERR_JWT_CLAIM_VALIDATION_FAILED)', { claims: { aud: 'https://patient-name.example' } }],
    ['jti is missing (ERR_JWT_CLAIM_VALIDATION_FAILED)', { claims: { jti: undefined as never } }],
    ['typ is not as it must be (ERR_JWT_CLAIM_VALIDATION_FAILED)', { header: { typ: 'at+jwt' } }],
    ['expired (ERR_JWT_EXPIRED)', { claims: { exp: SECONDS - 60 } }],
    ['tenant is no text', { claims: { tenant: ['a'] } }],
  ])('is told in words, with the registered issuer: %s', async (why, change) => {
    expect(await check(await bearer(change), AUDIENCE)).toEqual({ kind: 'refused', why, iss: ISSUER });
  });
  it('names a registered issuer whose tenant is not registered, and no issuer that is not', async () => {
    const onlyNorth = await checkFor([{ iss: ISSUER, jku, tenant: 'north', fhirServers: [] }]);
    expect(await onlyNorth(await bearer({ claims: { tenant: 'south' } }), AUDIENCE)).toEqual({ kind: 'refused', why: 'issuer or tenant not registered', iss: ISSUER });
    const verdict = await check(await bearer({ claims: { iss: 'Jane Doe, born 1970' } }), AUDIENCE);
    expect(verdict).toEqual({ kind: 'refused', why: 'issuer or tenant not registered' });
  });
  it('can be a key at the address of the client that is none', async () => {
    const address = createServer((_request, response) => void response.end(JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-384', kid: 'k1', x: 'a', y: 'b' }] })));
    await new Promise<void>((ready) => address.listen(0, ready));
    const broken = await checkFor([{ iss: ISSUER, jku: `http://localhost:${(address.address() as AddressInfo).port}/`, fhirServers: [] }]);
    expect(await broken(await bearer({ header: { jku: undefined } }), AUDIENCE)).toEqual({ kind: 'refused', why: 'the key with this kid cannot be used', iss: ISSUER });
    address.close();
  });
});

describe('a token signed ES256', () => {
  it('is trusted only where the registration of the client says so, which then takes nothing else', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1' }] };
    const es256 = () => bearer({ header: { alg: 'ES256', jku: undefined }, key: pair.privateKey });
    const named = await checkFor([{ iss: ISSUER, jwks, algorithms: ['ES256'], fhirServers: [] }]);
    expect(await named(await es256(), AUDIENCE)).toMatchObject({ kind: 'trusted' });
    const why = 'signed with an algorithm that the registration does not accept (ERR_JOSE_ALG_NOT_ALLOWED)';
    expect(await (await checkFor([{ iss: ISSUER, jwks, fhirServers: [] }]))(await es256(), AUDIENCE)).toMatchObject({ kind: 'refused', why });
    expect(await named(await bearer({ header: { jku: undefined } }), AUDIENCE)).toMatchObject({ kind: 'refused', why });
  });
});

describe('the keys of a client', () => {
  it('are kept, fetched anew for an unknown kid but not more often than every 30 s, and held for an hour when the address is down', async () => {
    let at = NOW;
    let fetches = 0;
    let answers = 200;
    let kid = 'k1';
    const jwk = await exportJWK(keys.publicKey);
    const address = createServer((_request, response) => {
      fetches += 1;
      response.writeHead(answers, answers === 302 ? { location: jku } : {}).end(JSON.stringify({ keys: [{ ...jwk, kid, alg: 'ES384', use: 'sig' }] }));
    });
    await new Promise<void>((ready) => address.listen(0, ready));
    const source = createKeySource({ jku: `http://localhost:${(address.address() as AddressInfo).port}/` }, () => at);
    const ask = (wanted: string) => source({ alg: 'ES384', kid: wanted }, { payload: '', signature: '' }).then(() => 'found', (error: Error) => error.name);
    expect([await ask('k1'), await ask('k1'), fetches]).toEqual(['found', 'found', 1]);
    kid = 'k2';
    expect([await ask('k2'), fetches]).toEqual(['JWKSNoMatchingKey', 1]);
    at += 31_000;
    expect([await ask('k2'), await ask('k3'), fetches]).toEqual(['found', 'JWKSNoMatchingKey', 2]);
    answers = 500;
    at += 601_000;
    expect(await ask('k2')).toBe('found');
    at += 3_600_000;
    expect(await ask('k2')).toBe('KeysUnavailable');
    answers = 302;
    at += 31_000;
    expect(await ask('k2')).toBe('KeysUnavailable');
    answers = 200;
    at += 31_000;
    expect(await ask('k2')).toBe('found');
    address.close();
  });
  it('that come late do not hold up a call, and are there for the next one', async () => {
    const jwk = await exportJWK(keys.publicKey);
    const held: (() => void)[] = [];
    const address = createServer((_request, response) => void held.push(() => response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'k1', alg: 'ES384' }] }))));
    await new Promise<void>((ready) => address.listen(0, ready));
    const source = createKeySource({ jku: `http://localhost:${(address.address() as AddressInfo).port}/` }, () => NOW);
    const ask = () => source({ alg: 'ES384', kid: 'k1' }, { payload: '', signature: '' }).then(() => 'found', (error: Error) => error.message);
    expect(await ask()).toBe('not fetched in time');
    for (const send of held) send();
    await source.warm();
    expect([await ask(), held.length]).toEqual(['found', 1]);
    address.close();
  });
});

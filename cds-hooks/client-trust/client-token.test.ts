import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { type ClientTokenCheck, createClientTokenCheck } from './client-token.ts';
import { openSeenTokens } from './seen-tokens.ts';
import { migrations } from './tables.ts';

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
  check = createClientTokenCheck([{ iss: ISSUER, jku, fhirServers: [] }], await openSeenTokens(store, () => NOW), () => NOW);
});
afterAll(async () => {
  server.close();
  await store.close();
});

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
  it.each<[string, TokenChange]>([
    ['expired', { claims: { exp: SECONDS - 60, iat: SECONDS - 400 } }],
    ['valid for too long', { claims: { exp: SECONDS + 3_600 } }],
    ['issued in the future', { claims: { iat: SECONDS + 120 } }],
    ['without exp', { claims: { exp: undefined as never } }],
    ['without iat', { claims: { iat: undefined as never } }],
    ['without jti', { claims: { jti: undefined as never } }],
    ['with an empty jti', { claims: { jti: '' } }],
    ['for the base URL', { claims: { aud: 'http://localhost:3000' } }],
    ['for the address with a slash', { claims: { aud: `${AUDIENCE}/` } }],
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
  it('that was used before is refused, also after a restart', async () => {
    const seen = await openSeenTokens(store, () => NOW);
    const first = createClientTokenCheck([{ iss: ISSUER, jku, fhirServers: [] }], seen, () => NOW);
    const used = await bearer();
    expect(await first(used, AUDIENCE)).toMatchObject({ kind: 'trusted' });
    expect(await first(used, AUDIENCE)).toMatchObject({ kind: 'refused', why: 'jti seen before' });
    await seen.flush();
    const restarted = createClientTokenCheck([{ iss: ISSUER, jku, fhirServers: [] }], await openSeenTokens(store, () => NOW), () => NOW);
    expect(await restarted(used, AUDIENCE)).toMatchObject({ kind: 'refused', why: 'jti seen before' });
  });
  it('is refused when the keys cannot be fetched', async () => {
    const dead = 'http://localhost:1/jwks.json';
    const unreachable = createClientTokenCheck([{ iss: ISSUER, jku: dead, fhirServers: [] }], await openSeenTokens(store, () => NOW), () => NOW);
    expect(await unreachable(await bearer({ header: { jku: dead } }), AUDIENCE)).toMatchObject({ kind: 'refused' });
  });
  it('that is missing is told apart', async () => expect(await check(undefined, AUDIENCE)).toEqual({ kind: 'missing' }));
});

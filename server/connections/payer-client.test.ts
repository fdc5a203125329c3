import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { register } from 'prom-client';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Store } from '#store/database.ts';
import { type KeyRing, openKeyRing } from '#store/signing-keys.ts';
import { hasOpenssl, makeCertificates, type OwnCertificates } from '#test-fixtures/own-certificates.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { DEMONSTRATION_CLINIC } from '../clinic.ts';
import { createPayerClient, type PayerClient } from '../payer/payer-client.ts';
import { checkConnection } from './check-connection.ts';
import { nobodyInquiry } from './nobody-inquiry.ts';
import { PAS_CLIENT } from './our-client.ts';
import { rotateKeys } from './rotate-keys.ts';
import { openAuditTrail } from '#store/audit.ts';

/* The connection to a payer over real HTTP and TLS: Backend Services, discovery, limits, mutual TLS, rotation, and the test that says what is wrong. */

let store: Store;
let keys: KeyRing;
let clock = Date.now();
const now = () => clock;
const folder = mkdtempSync(join(tmpdir(), 'opa-connections-'));
const servers: Server[] = [];

beforeAll(async () => {
  store = await openTestStore();
  keys = await openKeyRing(store, 'server', ['ES384', 'RS384'], now);
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function listen(handle: RequestListener, tls?: { readonly certificates: OwnCertificates; readonly wantsClient: boolean }): Promise<string> {
  const pem = (file: string) => readFileSync(file, 'utf8');
  const server = tls ? createTlsServer({ cert: pem(tls.certificates.server.cert), key: pem(tls.certificates.server.key), ca: pem(tls.certificates.ca), requestCert: tls.wantsClient, rejectUnauthorized: tls.wantsClient }, handle) : createServer(handle);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`;
}

interface Played {
  readonly seen: { method: string; path: string; authorization?: string | undefined }[];
  readonly assertions: string[];
  /** Answers that come before the usual ones, by path. */
  readonly answers: Map<string, (response: ServerResponse) => void>;
  tokens: number;
  /** Tokens that are refused. */
  readonly revoked: Set<string>;
  tokenStatus: number;
}

/** A payer that gives tokens and answers each call with an empty Bundle. */
async function playPayer(tls?: Parameters<typeof listen>[1]): Promise<Played & { readonly base: string }> {
  const played: Played = { seen: [], assertions: [], answers: new Map(), tokens: 0, revoked: new Set(), tokenStatus: 200 };
  const base = await listen((request, response) => void answer(request, response), tls);
  const json = (response: ServerResponse, status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const path = request.url ?? '';
    played.seen.push({ method: request.method ?? '', path, authorization: request.headers.authorization });
    const own = played.answers.get(path);
    if (own) return own(response);
    if (path.endsWith('/.well-known/smart-configuration')) return json(response, 200, { token_endpoint: `${base}/token`, token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'] });
    if (path === '/token') {
      played.assertions.push(new URLSearchParams(body).get('client_assertion') ?? '');
      if (played.tokenStatus !== 200) return json(response, played.tokenStatus, { error: 'invalid_client' });
      played.tokens += 1;
      const token = `token-${played.tokens}`;
      await new Promise((done) => setTimeout(done, 20));
      return json(response, 200, { access_token: token, token_type: 'bearer', expires_in: 300 });
    }
    if (path.endsWith('/metadata')) return json(response, 200, { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', implementationGuide: ['http://hl7.org/fhir/us/davinci-pas/ImplementationGuide/hl7.fhir.us.davinci-pas|2.0.1'], rest: [{ resource: [{ type: 'Claim', operation: [{ name: 'submit' }, { name: 'inquire' }] }, { type: 'Subscription', interaction: [{ code: 'create' }] }] }] });
    const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    if (played.revoked.has(token)) return json(response, 401, { resourceType: 'OperationOutcome', issue: [] });
    return json(response, 200, { resourceType: 'Bundle', type: 'collection' });
  }
  return Object.assign(played, { base });
}

const payerAt = (base: string, more: Partial<Payer> = {}): Payer => ({ id: `payer-${base.slice(-5)}`, name: 'A payer', organizationIdentifiers: [{ system: 'https://payer.example/id', value: '1' }], matchNames: [], fhirBase: `${base}/fhir`, pasVersion: '2.0.1', subscriptions: 'rest-hook', timeZone: 'America/Chicago', ...more });
const client = (more: Partial<Parameters<typeof createPayerClient>[0]> = {}): PayerClient => createPayerClient({ ...PAS_CLIENT, keys, now, discovers: true, ...more });
const checked = (payer: Payer) => checkConnection(payer, { ...PAS_CLIENT, keys, baseUrl: 'https://clinic.example', clinic: DEMONSTRATION_CLINIC, now, timeoutMs: 2_000 });

describe('SMART Backend Services', () => {
  it.each(['ES384', 'RS384'] as const)('signs with %s what the published key verifies', async (algorithm) => {
    const payer = await playPayer();
    await client().post(payerAt(payer.base, { authentication: { kind: 'backend-services', algorithm, clientId: 'clinic-7' } }), 'Claim/$submit', '{}');
    const { payload, protectedHeader } = await jwtVerify(payer.assertions[0] ?? '', createLocalJWKSet({ keys: [...keys.published()] }), { audience: `${payer.base}/token`, currentDate: new Date(clock) });
    expect(protectedHeader).toMatchObject({ alg: algorithm, typ: 'JWT' });
    expect(payload).toMatchObject({ iss: 'clinic-7', sub: 'clinic-7' });
    expect((payload.exp ?? 0) - clock / 1000).toBeLessThanOrEqual(300);
  });
  it('asks for one token however many calls wait for it, and keeps it', async () => {
    const payer = await playPayer();
    const one = client();
    await Promise.all(Array.from({ length: 10 }, () => one.post(payerAt(payer.base), 'Claim/$submit', '{}')));
    expect(payer.tokens).toBe(1);
    clock += 275_000;
    await one.post(payerAt(payer.base), 'Claim/$submit', '{}');
    expect(payer.tokens).toBe(2);
  });
  it('tries a 401 once more with a fresh token, for all calls together', async () => {
    const payer = await playPayer();
    const one = client();
    await one.post(payerAt(payer.base), 'Claim/$submit', '{}');
    payer.revoked.add('token-1');
    const replies = await Promise.all(Array.from({ length: 5 }, () => one.post(payerAt(payer.base), 'Claim/$submit', '{}')));
    expect(replies.every((reply) => reply.kind === 'answered' && reply.status === 200)).toBe(true);
    expect(payer.tokens).toBe(2);
    payer.revoked.add('token-2').add('token-3');
    expect(await one.post(payerAt(payer.base), 'Claim/$submit', '{}')).toMatchObject({ kind: 'answered', status: 401 });
  });
  it.each<[string, Payer['authentication'], string | undefined]>([
    ['none sends nothing', { kind: 'none' }, undefined],
    ['a header is sent as it is', { kind: 'header', name: 'Authorization', value: 'Basic abc' }, 'Basic abc'],
  ])('%s', async (_name, authentication, authorization) => {
    const payer = await playPayer();
    await client().post(payerAt(payer.base, { authentication }), 'Claim/$submit', '{}');
    expect(payer.seen).toEqual([{ method: 'POST', path: '/fhir/Claim/$submit', authorization }]);
  });
  it.each([['as text', '"300"', 1], ['missing: a minute', 'null', 2], ['not a number', '"soon"', 2]])('expires_in %s', async (_name, life, tokens) => {
    const payer = await playPayer();
    let given = 0;
    payer.answers.set('/token', (response) => response.end(`{"access_token":"t${(given += 1)}","token_type":"Bearer","expires_in":${life}}`));
    const one = client();
    for (const afterMs of [0, 61_000]) {
      clock += afterMs;
      await one.post(payerAt(payer.base), 'Claim/$submit', '{}');
    }
    expect(given).toBe(tokens);
  });
  it('does not follow a token endpoint that is not https', async () => {
    const payer = await playPayer();
    payer.answers.set('/fhir/.well-known/smart-configuration', (response) => response.end(JSON.stringify({ token_endpoint: 'http://payer.example/token' })));
    expect(await client().post(payerAt(payer.base), 'Claim/$submit', '{}')).toEqual({ kind: 'unavailable', error: 'smart-configuration names a token endpoint that is not https' });
  });
});

describe('rotation of our keys', () => {
  it('publishes old and new, uses the new after the lead, withdraws the old after the overlap; a key that leaked is withdrawn at once', async () => {
    const audit = await openAuditTrail(store, now, () => undefined);
    const [start, before] = [clock, keys.current('ES384').publicJwk.kid];
    await rotateKeys({ store, audit, keys }, { leadMs: 3_600_000, overlapMs: 86_400_000 });
    const states = [0, 3_600_000, 3_600_000 + 86_400_000].map((after) => {
      clock = start + after;
      return { uses: keys.current('ES384').publicJwk.kid === before ? 'old' : 'new', published: keys.published().length, old: keys.published().some(({ kid }) => kid === before) };
    });
    expect(states).toEqual([{ uses: 'old', published: 4, old: true }, { uses: 'new', published: 4, old: true }, { uses: 'new', published: 2, old: false }]);
    const used = keys.current('ES384').publicJwk.kid;
    await rotateKeys({ store, audit, keys }, { leadMs: 3_600_000, overlapMs: 86_400_000 });
    await rotateKeys({ store, audit, keys }, { leadMs: 0, overlapMs: 0 });
    expect([keys.published().length, keys.published().some(({ kid }) => kid === used), keys.current('ES384').publicJwk]).toEqual([2, false, keys.published().find(({ alg }) => alg === 'ES384')]);
    clock += 7_200_000;
    expect(keys.published()).toContain(keys.current('ES384').publicJwk);
    await audit.stop();
    const other = await openKeyRing(store, 'server', ['ES384', 'RS384'], now);
    expect(other.current('RS384').publicJwk).toEqual(keys.current('RS384').publicJwk);
    expect(keys.published().every((key) => key.d === undefined && key.kid !== undefined)).toBe(true);
  });
});

describe('endpoint discovery', () => {
  const WELL_KNOWN = '/.well-known/davinci-configuration';
  const listing = async (endpoints: unknown) => {
    const payer = await playPayer();
    payer.answers.set(WELL_KNOWN, (response) => response.end(JSON.stringify({ identifier: { system: 's', value: '1' }, endpoints })));
    return payer;
  };
  const path = async (payer: Awaited<ReturnType<typeof playPayer>>, what = 'Claim/$submit', more: Partial<Payer> = {}) => {
    await client().post(payerAt(payer.base, { discoveryBase: payer.base, ...more }), what, '{}');
    return payer.seen.at(-1)?.path;
  };
  it.each<[string, (base: string) => Record<string, unknown>, string]>([
    ['the endpoint of our version', (base) => ({ 'davinci_pas_submission_endpoint#2.0': `${base}/two-oh`, 'davinci_pas_submission_endpoint#2.2': `${base}/two-two`, davinci_pas_submission_endpoint: `${base}/any` }), '/two-oh/Claim/$submit'],
    ['an address of the operation itself', (base) => ({ 'davinci_pas_submission_endpoint#2.0': `${base}/two-oh/Claim/$submit` }), '/two-oh/Claim/$submit'],
    ['the endpoint without a version', (base) => ({ davinci_pas_submission_endpoint: `${base}/any` }), '/any/Claim/$submit'],
    ['the configured address: only another version', (base) => ({ 'davinci_pas_submission_endpoint#2.2': `${base}/two-two` }), '/fhir/Claim/$submit'],
    ['the configured address: not https', () => ({ 'davinci_pas_submission_endpoint#2.0': 'http://payer.example/pas' }), '/fhir/Claim/$submit'],
    ['the configured address: nothing that can be read', () => ({ 'davinci_pas_submission_endpoint#2.0': 7 }), '/fhir/Claim/$submit'],
  ])('%s', async (_name, endpoints, expected) => {
    const payer = await playPayer();
    payer.answers.set(WELL_KNOWN, (response) => response.end(JSON.stringify({ endpoints: endpoints(payer.base) })));
    expect(await path(payer)).toBe(expected);
  });
  it('attachments go to their own endpoint; a plan goes to the plan’s', async () => {
    const payer = await playPayer();
    payer.answers.set(WELL_KNOWN, (response) => response.end(JSON.stringify({ endpoints: { 'davinci_cdex_attachsubmit_endpoint#2.1': `${payer.base}/cdex` } })));
    expect(await path(payer, '$submit-attachment')).toBe('/cdex/$submit-attachment');
  });
  it('is asked once an hour, and what it said holds when it is away', async () => {
    const payer = await listing({});
    payer.answers.set(WELL_KNOWN, (response) => response.end(JSON.stringify({ endpoints: { davinci_pas_submission_endpoint: `${payer.base}/found` } })));
    const one = client();
    const send = async () => {
      await one.post(payerAt(payer.base, { discoveryBase: payer.base }), 'Claim/$submit', '{}');
      return payer.seen.at(-1)?.path;
    };
    await send();
    await send();
    expect(payer.seen.filter((each) => each.path === WELL_KNOWN)).toHaveLength(1);
    payer.answers.set(WELL_KNOWN, (response) => response.writeHead(500).end());
    clock += 3_600_001;
    expect(await send()).toBe('/found/Claim/$submit');
    expect(payer.seen.filter((each) => each.path === WELL_KNOWN)).toHaveLength(2);
  });
  it('says which was chosen and why', async () => {
    const payer = await listing({ 'davinci_pas_submission_endpoint#2.2': 'https://x.example' });
    const { steps } = await checked(payerAt(payer.base, { discoveryBase: payer.base }));
    expect(steps[0]).toMatchObject({ name: 'Endpoint', state: 'warning', what: expect.stringContaining('(it has 2.2)') });
  });
});

describe('limits', () => {
  it('leaves a payer alone after failures in a row, and counts it', async () => {
    const payer = await playPayer();
    payer.answers.set('/fhir/Claim/$submit', (response) => response.writeHead(503).end());
    const configured = payerAt(payer.base, { id: 'broken', quirks: { breakerFailures: 3, breakerRestMs: 100 } });
    const one = client();
    const errors = [];
    for (let i = 0; i < 5; i += 1) errors.push(await one.post(configured, 'Claim/$submit', '{}'));
    expect(errors.map((reply) => reply.kind === 'unavailable' && reply.error)).toEqual(['HTTP 503', 'HTTP 503', 'HTTP 503', ...Array.from({ length: 2 }, () => 'left alone for a moment after repeated failures')]);
    expect(await register.metrics()).toMatch(/payer_client_requests_total\{payer="broken",operation="\$submit",outcome="left-alone"\} 2\n[^]*payer_client_breaker_open\{payer="broken"\} 1/);
    payer.answers.clear();
    await new Promise((done) => setTimeout(done, 150));
    expect(await one.post(configured, 'Claim/$submit', '{}')).toMatchObject({ status: 200 });
    expect(await register.metrics()).toContain('payer_client_breaker_open{payer="broken"} 0');
  });
  it('sends no more at once than the payer takes', async () => {
    const payer = await playPayer();
    let [open, most] = [0, 0];
    payer.answers.set('/fhir/Claim/$submit', (response) => {
      most = Math.max(most, (open += 1));
      setTimeout(() => {
        open -= 1;
        response.end('{}');
      }, 15);
    });
    const one = client();
    await Promise.all(Array.from({ length: 12 }, () => one.post(payerAt(payer.base, { quirks: { concurrency: 3 } }), 'Claim/$submit', '{}')));
    expect(most).toBe(3);
  });
  it('does not send what is too large', async () => {
    const payer = await playPayer();
    const reply = await client().post(payerAt(payer.base, { quirks: { maximumBytes: 10_000 } }), 'Claim/$submit', JSON.stringify({ x: 'y'.repeat(20_000) }));
    expect(reply).toMatchObject({ kind: 'answered', status: 413, body: expect.stringContaining('"too-long"') });
    expect(payer.seen).toEqual([]);
  });
  it.each<[string, Partial<Payer>, number, 'answered' | 'unavailable']>([
    ['201', {}, 201, 'answered'],
    ['202', {}, 202, 'unavailable'],
    ['202 of a payer that means it', { quirks: { successStatuses: [200, 202] } }, 202, 'answered'],
    ['201 of a payer that does not', { quirks: { successStatuses: [200] } }, 201, 'unavailable'],
    ['a redirect', {}, 302, 'unavailable'],
    ['400', {}, 400, 'answered'],
    ['429', {}, 429, 'unavailable'],
  ])('%s', async (_name, more, status, kind) => {
    const payer = await playPayer();
    payer.answers.set('/fhir/Claim/$submit', (response) => response.writeHead(status, { location: 'https://elsewhere.example' }).end('{}'));
    expect((await client().post(payerAt(payer.base, more), 'Claim/$submit', '{}')).kind).toBe(kind);
  });
  it('sends again what a closed idle connection did not take', async () => {
    const used = new Set<unknown>();
    const base = await listen((request, response) => {
      if (used.has(request.socket)) return void request.socket.destroy();
      used.add(request.socket);
      response.end('{}');
    });
    const one = client();
    for (let i = 0; i < 2; i += 1) expect(await one.post(payerAt(base, { authentication: { kind: 'none' } }), 'Claim/$submit', '{}')).toMatchObject({ kind: 'answered' });
    expect(used.size).toBe(2);
  });
  it('gives up in time', async () => {
    const payer = await playPayer();
    payer.answers.set('/fhir/Claim/$submit', () => undefined);
    expect(await client({ timeoutMs: 200 }).post(payerAt(payer.base, { authentication: { kind: 'none' } }), 'Claim/$submit', '{}')).toEqual({ kind: 'unavailable', error: 'no answer within 200 ms' });
  });
  it('takes up a changed configuration with the next call', async () => {
    const [first, second] = [await playPayer(), await playPayer()];
    const one = client();
    await one.post(payerAt(first.base, { id: 'same' }), 'Claim/$submit', '{}');
    await one.post(payerAt(second.base, { id: 'same' }), 'Claim/$submit', '{}');
    expect([first.seen.at(-1)?.path, second.seen.at(-1)?.path]).toEqual(['/fhir/Claim/$submit', '/fhir/Claim/$submit']);
  });
});

if (!hasOpenssl) console.log('openssl is not here: the tests of mutual TLS are left out.');
describe.skipIf(!hasOpenssl)('mutual TLS', () => {
  let certificates: OwnCertificates;
  beforeAll(() => {
    certificates = makeCertificates(folder, { serverDays: 20 });
  });
  const ours = () => ({ certificateFile: certificates.client.cert, keyFile: certificates.client.key, caFile: certificates.ca });

  it('is let in with the certificate, and says who it is', async () => {
    const subjects: unknown[] = [];
    const base = await listen((request, response) => {
      subjects.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
      response.end('{}');
    }, { certificates, wantsClient: true });
    expect(await client().post(payerAt(base, { authentication: { kind: 'none' }, tls: ours() }), 'Claim/$submit', '{}')).toMatchObject({ kind: 'answered', status: 200 });
    expect(subjects).toEqual(['Open Prior Auth test client']);
  });
  it.each<[string, () => Payer['tls'], boolean, RegExp]>([
    ['no client certificate', () => ({ caFile: certificates.ca }), true, /^no connection, or it was lost \((ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED|ECONNRESET|EPIPE)\)$/],
    ['an authority that is not trusted', () => undefined, false, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/],
    ['a file that is not there', () => ({ caFile: join(folder, 'missing.pem') }), false, /missing\.pem cannot be read \(ENOENT\)/],
  ])('%s', async (_name, tls, wantsClient, words) => {
    const base = await listen((_request, response) => response.end('{}'), { certificates, wantsClient });
    const reply = await client().post(payerAt(base, { authentication: { kind: 'none' }, tls: tls() }), 'Claim/$submit', '{}');
    expect(reply).toMatchObject({ kind: 'unavailable', error: expect.stringMatching(words) as string });
  });
  it('takes up a changed file within a minute', async () => {
    const base = await listen((_request, response) => response.end('{}'), { certificates, wantsClient: false });
    const caFile = join(folder, 'followed.pem');
    writeFileSync(caFile, readFileSync(certificates.client.cert));
    const one = client();
    const send = async () => (await one.post(payerAt(base, { authentication: { kind: 'none' }, tls: { caFile } }), 'Claim/$submit', '{}')).kind;
    expect(await send()).toBe('unavailable');
    writeFileSync(caFile, readFileSync(certificates.ca));
    clock += 61_000;
    expect(await send()).toBe('answered');
  });
  it('the test warns of certificates that end soon, and says what to do about those not trusted', async () => {
    const payer = await playPayer({ certificates, wantsClient: true });
    const good = await checked(payerAt(payer.base, { tls: ours() }));
    expect(good.steps.filter(({ state }) => state !== 'ok').map(({ name, state }) => [name, state])).toEqual([['TLS', 'warning']]);
    expect(good.result).toBe('ok');
    const bad = await checked(payerAt(payer.base, { tls: { certificateFile: certificates.client.cert, keyFile: certificates.client.key } }));
    expect(bad.steps.find(({ name }) => name === 'TLS')).toMatchObject({ state: 'failed', todo: expect.stringContaining('tls.caFile') as string });
    expect(bad.steps.filter(({ state }) => state === 'skipped')).toHaveLength(5);
  });
});

describe('the test of a connection', () => {
  it('is in order, and sends an inquiry about nobody that is legal in both versions', async () => {
    const payer = await playPayer();
    const report = await checked(payerAt(payer.base));
    expect(report.steps.filter(({ state }) => state === 'failed')).toEqual([]);
    for (const version of ['2.0.1', '2.2.1'] as const) {
      const { issues } = openValidator([`pas-${version}`]).validate(nobodyInquiry(payerAt(payer.base, { pasVersion: version }), DEMONSTRATION_CLINIC, clock));
      expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    }
  });
  it.each<[string, string, (response: ServerResponse) => void, string, RegExp]>([
    ['no smart-configuration', '/fhir/.well-known/smart-configuration', (response) => response.writeHead(404).end(), 'SMART configuration', /tokenEndpoint/],
    ['a client that is not known', '/token', (response) => response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}'), 'Token', /client id/],
    ['scopes that are not given', '/token', (response) => response.writeHead(400).end('{"error":"invalid_scope"}'), 'Token', /authentication\.scope/],
    ['another version', '/fhir/metadata', (response) => response.end('{"resourceType":"CapabilityStatement","implementationGuide":["x/hl7.fhir.us.davinci-pas|2.2.1"]}'), 'CapabilityStatement', /pasVersion/],
    ['R5', '/fhir/metadata', (response) => response.end('{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0"}'), 'CapabilityStatement', /R4/],
    ['an operation that is not there', '/fhir/Claim/$inquire', (response) => response.writeHead(404).end(), 'Inquiry', /FHIR base/],
    ['an inquiry that is refused', '/fhir/Claim/$inquire', (response) => response.writeHead(422).end('{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required","diagnostics":"No NPI."}]}'), 'Inquiry', /these words/],
    ['a web page', '/fhir/Claim/$inquire', (response) => response.end('<html>'), 'Inquiry', /FHIR base/],
    ['a fault of the payer', '/fhir/Claim/$inquire', (response) => response.writeHead(500).end(), 'Inquiry', /technical contact/],
  ])('%s', async (_name, path, answer, step, todo) => {
    const payer = await playPayer();
    payer.answers.set(path, answer);
    const report = await checked(payerAt(payer.base));
    expect(report.result).toBe('failed');
    expect(report.steps.find(({ name }) => name === step)).toMatchObject({ state: 'failed', todo: expect.stringMatching(todo) as string });
  });
  it.each<[string, string, string]>([
    ['a host that is not there', 'https://no-such-host.invalid', 'Name'],
    ['a port where nobody listens', 'http://127.0.0.1:9', 'Connection'],
  ])('%s', async (_name, base, step) => {
    const report = await checked(payerAt(base));
    expect(report.steps.find(({ name }) => name === step)).toMatchObject({ state: 'failed', todo: expect.any(String) as string });
  });
});

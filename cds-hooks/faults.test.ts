import { globSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPayers } from '#policies/load-payers.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { checkAnswer, type ClientsPart } from '../test-fixtures/checked-answer.ts';
import { type CdsHooksOptions, type CdsHooksPart, createCdsHooks } from './cds-hooks.ts';

/* What the service does when others fail: the EHR's server, the database, its own load. Real servers; each answer is held against the deadline. */

const NOW = Date.parse('2026-11-22T18:00:00Z');
const DEADLINE_MS = 300;
/** What waits without a deadline waits for ever; the rest is for the machine that runs the tests beside others. */
const IN_TIME_MS = DEADLINE_MS + 1_500;
const PUBLIC = 'https://cds.example';
const PATH = '/cds-services/order-sign-crd';
const ADMIN_TOKEN = 'an-admin-token-for-tests';
const PATIENT = { resourceType: 'Patient', id: 'zebra77', name: [{ family: 'Quagmire', given: ['Zebediah'] }], birthDate: '1931-02-03', identifier: [{ system: 'urn:mrn', value: 'MRN-424242' }], address: [{ state: 'WA', city: 'Walla Walla' }] };
/** Anything of the patients, orders or tokens of this file. */
const PATIENT_DATA = /Quagmire|Zebediah|zebra77|1931-02-03|MRN-424242|Walla|order-zebra|saturation of|secret-token|eyJ/i;

const keys = await generateKeyPair('ES384', { extractable: true });
const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES384', use: 'sig' };
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });

interface Service {
  readonly url: string;
  readonly part: CdsHooksPart;
  readonly registry: Registry;
  close(): Promise<void>;
}
async function serve(store: Store, more: Partial<CdsHooksOptions> = {}): Promise<Service> {
  const app = express();
  const server = app.listen(0);
  await new Promise((ready) => server.once('listening', ready));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const registry = new Registry();
  const audit = await openAuditTrail(store, () => NOW, (error) => log.error({ fault: (error as Error).name }, 'audit waits'));
  const part = await createCdsHooks({
    store, baseUrl: PUBLIC, log, now: () => NOW, audit, policies: loadPolicies(), payers: loadPayers(PUBLIC), registry, deadlineMs: DEADLINE_MS, adminToken: ADMIN_TOKEN, openToFhirServer: null,
    model: { score: async () => ({ probability: 0.5, band: 'medium', reasons: [], modelVersion: 'test', simulated: true }) },
    trustedClients: [{ iss: 'https://ehr.example', jwks: { keys: [jwk] }, fhirServers: [ehrBase] }],
    ...more,
  });
  app.use(part.router);
  return { url, part, registry, close: async () => { server.closeAllConnections(); server.close(); await Promise.allSettled([part.stop(), audit.stop()]); } };
}

let store: Store;
let ehr: Server;
let ehrBase: string;
let ehrAnswers: (response: ServerResponse) => void;
let ehrCalls = 0;
beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  ehr = createServer((_request, response) => {
    ehrCalls += 1;
    ehrAnswers(response);
  });
  await new Promise<void>((ready) => ehr.listen(0, ready));
  ehrBase = `http://localhost:${(ehr.address() as AddressInfo).port}/fhir`;
});
afterAll(async () => {
  ehr.closeAllConnections();
  ehr.close();
  await store.close();
});

const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: { reference: 'Patient/zebra77' }, payor: [{ display: 'Medicare' }] };
const order = { resourceType: 'DeviceRequest', id: 'order-zebra', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] }, subject: { reference: 'Patient/zebra77' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22', note: [{ text: 'saturation of Zebediah' }] };
const known = { patient: PATIENT, coverage: bundle(coverage) };
const nothingElse = { conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null };
const call = (prefetch: object) => ({
  hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: ehrBase, fhirAuthorization: { access_token: 'secret-token-1', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' },
  context: { userId: 'Practitioner/u1', patientId: 'zebra77', draftOrders: bundle(order) }, prefetch,
});
let tokens = 0;
const token = () => new SignJWT({ iss: 'https://ehr.example', aud: PUBLIC + PATH, iat: NOW / 1000, exp: NOW / 1000 + 300, jti: `${process.pid}-${(tokens += 1)}` }).setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'JWT' }).sign(keys.privateKey);

interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly headers: Headers;
  readonly notChecked: readonly string[] | undefined;
  readonly reasons: readonly string[];
  /** Of the cards. */
  readonly topics: readonly string[];
  readonly requirements: ReturnType<typeof readRequirement>;
}
async function post(service: Service, body: unknown, { jwt, ...part }: { readonly jwt?: string } & ClientsPart = {}): Promise<Answer> {
  const authorization = `Bearer ${jwt ?? (await token())}`;
  const startedAt = performance.now();
  const response = await fetch(service.url + PATH, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const text = await response.text();
  const ms = performance.now() - startedAt;
  checkAnswer(body, { status: response.status, text }, part);
  const answer = (text === '' ? {} : JSON.parse(text)) as { extension?: Record<string, readonly string[]>; cards?: { source: { topic: { code: string } } }[]; systemActions?: { resource: Parameters<typeof readRequirement>[0] }[] };
  const requirements = (answer.systemActions ?? []).flatMap(({ resource }) => readRequirement(resource));
  return { status: response.status, ms, headers: response.headers, notChecked: answer.extension?.['org.openpriorauth.not-checked'], requirements, reasons: requirements.flatMap(({ reasons }) => reasons), topics: (answer.cards ?? []).map(({ source }) => source.topic.code) };
}

/** Made once: the server that is tested shares this thread. */
const HUGE = Buffer.from(JSON.stringify({ resourceType: 'Bundle', x: 'y'.repeat(20_000_000) }));

const wrongs: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ['slow', () => undefined],
  ['trickling', (response) => { const timer = setInterval(() => response.write(' '), 20); response.on('close', () => clearInterval(timer)); }],
  ['down', (response) => void response.destroy()],
  ['failing', (response) => void response.writeHead(500).end()],
  ['not sending JSON', (response) => void response.end('<html>Zebediah Quagmire</html>')],
  ['sending another type', (response) => void response.end('["Zebediah"]')],
  ['sending 20 MB', (response) => void response.end(HUGE)],
  ['sending us elsewhere', (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end()],
];

describe('an EHR server that is', () => {
  let service: Service;
  beforeAll(async () => { service = await serve(store); });
  afterAll(() => service.close());
  it.each(wrongs)('%s: the order is answered in time, with what was not checked', async (_name, how) => {
    ehrAnswers = how;
    const answer = await post(service, call(known));
    expect([answer.status, answer.requirements[0]?.paNeeded]).toEqual([200, 'auth-needed']);
    expect(answer.ms).toBeLessThan(IN_TIME_MS);
    expect(answer.reasons.join(' ')).toMatch(/Not checked, because it could not be read from the record: .*Observation/);
  });
  it.each(wrongs)('%s: without a coverage there is nothing to answer for, and that is said in time', async (_name, how) => {
    ehrAnswers = how;
    const answer = await post(service, call({}));
    expect(answer.status).toBe(412);
    expect(answer.ms).toBeLessThan(IN_TIME_MS);
  });
});

describe('a denial-risk model that is', () => {
  const risk: DenialRisk = { probability: 0.5, band: 'medium', reasons: [], modelVersion: 'test', simulated: true };
  it('slow: has the time that the EHR has left of the deadline, and costs the card only', async () => {
    const service = await serve(store, { model: { score: () => wait(DEADLINE_MS / 2, risk) } });
    const withTime = await post(service, call({ ...known, ...nothingElse }));
    expect([withTime.status, withTime.topics.includes('denial-risk')]).toEqual([200, true]);
    ehrAnswers = () => undefined;
    const without = await post(service, call(known));
    expect([without.status, without.requirements[0]?.paNeeded, without.topics.includes('denial-risk')]).toEqual([200, 'auth-needed', false]);
    await service.close();
  });
  it('silent: the answer comes in time without the card', async () => {
    const service = await serve(store, { model: { score: () => new Promise(() => undefined) } });
    ehrAnswers = () => undefined;
    const answer = await post(service, call(known));
    expect([answer.status, answer.requirements[0]?.paNeeded, answer.topics.includes('denial-risk')]).toEqual([200, 'auth-needed', false]);
    expect(answer.ms).toBeLessThan(IN_TIME_MS);
    await service.close();
  });
});

describe('under more load than can be borne', () => {
  it('calls are answered in part, then refused; both early', async () => {
    ehrAnswers = () => undefined;
    const service = await serve(store, { mostAtWork: { full: 1, most: 2 } });
    const before = ehrCalls;
    const first = post(service, call(known));
    await expect.poll(() => ehrCalls).toBeGreaterThan(before);
    const fetched = ehrCalls;
    const partial = await post(service, call(known));
    expect([partial.status, partial.requirements[0]?.paNeeded, partial.notChecked]).toEqual([200, 'auth-needed', ['server-busy']]);
    expect(partial.reasons.join(' ')).toMatch(/Not checked/);
    expect(ehrCalls).toBe(fetched);
    expect((await post(service, call({}))).status).toBe(503);
    expect((await first).status).toBe(200);
    const one = await serve(store, { mostAtWork: { full: 1, most: 1 } });
    const heldFrom = ehrCalls;
    const held = post(one, call(known));
    await expect.poll(() => ehrCalls).toBeGreaterThan(heldFrom);
    const refused = await post(one, call(known));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await held).status).toBe(200);
    await one.close();
    await service.close();
  });
});

const inTime = async (service: Service, notChecked: readonly string[] | undefined): Promise<void> => {
  for (let i = 0; i < 5; i += 1) {
    const answer = await post(service, call({ ...known, ...nothingElse }));
    expect([answer.status, answer.requirements[0]?.paNeeded, answer.notChecked]).toEqual([200, 'auth-needed', notChecked]);
  }
};

describe('a database that stops', () => {
  it('(embedded) costs the check of replay across processes, not the answer', async () => {
    const own = await openStore({ dataDir: 'memory' });
    const service = await serve(own);
    await service.part.start();
    await inTime(service, undefined);
    await own.close();
    await inTime(service, ['client-token-replay']);
    expect(await service.registry.metrics()).toMatch(/cds_hook_client_tokens_total\{replay="unchecked"\} 5/);
    await service.close();
  });
  const installed = globSync('/usr/lib/postgresql/*/bin/initdb').length > 0;
  if (!installed) console.warn('left out: PostgreSQL that stops, none is installed');
  it.skipIf(!installed)('(PostgreSQL) the same; while it runs, two processes see each other’s tokens', { timeout: 30_000 }, async () => {
    const { startTestPostgres } = await import('../tools/postgresql.ts');
    const postgres = await startTestPostgres();
    const stores = await Promise.all([1, 2].map(() => openStore({ dataDir: 'unused', databaseUrl: postgres.url })));
    const services: Service[] = [];
    for (const each of stores) services.push(await serve(each));
    const [one, two] = services as [Service, Service];
    const body = call({ ...known, ...nothingElse });
    const jwt = await token();
    expect([(await post(one, body, { jwt })).status, (await post(two, body, { jwt })).status]).toEqual([200, 401]);
    const again = await token();
    expect((await Promise.all(services.map((each) => post(each, body, { jwt: again })))).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
    await Promise.all(services.map((each) => each.part.start()));
    await inTime(one, undefined);
    postgres.stop();
    await inTime(one, ['client-token-replay']);
    await inTime(two, ['client-token-replay']);
    await Promise.allSettled([...services.map((each) => each.close()), ...stores.map((each) => each.close())]);
  });
});

describe('what is written about calls', () => {
  it('rows of CRDMetricData are exported to the operator, without patients', async () => {
    const own = await openStore({ dataDir: 'memory' });
    const service = await serve(own);
    await service.part.start();
    ehrAnswers = (response) => void response.writeHead(500).end();
    await post(service, call({ ...known, ...nothingElse }));
    await post(service, call(known));
    await post(service, call({}));
    const get = (query: string, authorization = `Bearer ${ADMIN_TOKEN}`) => fetch(`${service.url}/cds-services/admin/metrics-export${query}`, { headers: { authorization } });
    let text = '';
    await expect.poll(async () => (text = await (await get('?from=2026-11-22&to=2026-11-22')).text()).split('\n').length, { timeout: 5_000 }).toBe(4);
    const rows = text.trim().split('\n').map((line) => JSON.parse(line) as { readonly httpResponse: number; readonly tokenUse: string });
    expect(rows.map(({ httpResponse, tokenUse }) => [httpResponse, tokenUse])).toEqual([[200, 'not-used'], [200, 'rejected'], [412, 'rejected']]);
    expect(rows[0]).toMatchObject({
      source: 'payer-src', hookType: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', payerId: { value: 'cascade-medicare' }, groupId: { value: 'https://ehr.example' }, orderDetail: [{ coding: [{ code: 'E1390' }] }],
      response: expect.arrayContaining([expect.objectContaining({ type: 'coverage-info', focus: ['DeviceRequest'], coverageInfo: [expect.objectContaining({ covered: 'covered', paNeeded: 'auth-needed' })] })]),
    });
    expect(text).not.toMatch(PATIENT_DATA);
    expect(await (await get('?from=2026-11-23')).text()).toBe('from must be before to\n');
    expect((await get('?from=yesterday')).status).toBe(400);
    for (const wrong of ['', 'Bearer x', `Basic ${ADMIN_TOKEN}`]) expect((await get('', wrong)).status).toBe(401);
    expect(await service.registry.metrics()).not.toMatch(PATIENT_DATA);
    await service.close();
    await own.close();
  });
  it('no log line of all these runs, nor of broken calls, holds anything of a patient or a token', async () => {
    const service = await serve(store);
    ehrAnswers = (response) => void response.end('{"resourceType":"Bundle","entry":"Zebediah"}');
    const good = call(known);
    const broken: readonly unknown[] = [
      '{"patient":"Zebediah Quagmire",', { ...good, context: { ...good.context, patientId: 'Patient/zebra77 Quagmire' } }, { ...good, prefetch: { ...known, coverage: { resourceType: 'Bundle', entry: 'Zebediah' } } },
      { ...good, prefetch: { ...known, coverage: bundle({ ...coverage, payor: 'Quagmire' }) } }, { ...good, prefetch: { ...known, patient: { ...PATIENT, address: 'Walla Walla' } } }, { ...good, context: { ...good.context, draftOrders: bundle({ ...order, codeCodeableConcept: 'Quagmire' }) } }, good,
    ];
    for (const body of broken) await post(service, body, { clientFaults: 'calls broken on purpose' });
    await post(service, good, { jwt: 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJaZWJlZGlhaCJ9.x' });
    await service.close();
    expect(logged.length).toBeGreaterThan(10);
    expect(logged.filter((line) => PATIENT_DATA.test(line))).toEqual([]);
  });
});

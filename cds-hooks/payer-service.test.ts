import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadPayers } from '#policies/load-payers.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { checkAnswer } from '../test-fixtures/checked-answer.ts';
import { createCdsHooks, type CdsHooksPart } from './cds-hooks.ts';

/* The payer's own CRD service: asked, believed within limits, and done without. It is a real server here, told by each test what to answer. */

const NOW = Date.parse('2026-11-22T18:00:00Z');
// Both far above what a call takes here, so that a busy machine's first call is not late.
const DEADLINE_MS = 1_500;
const PAYER_MS = 900;
/** Without the deadlines an answer would never come; the rest is for a busy machine. */
const IN_TIME_MS = DEADLINE_MS + 1_500;
const COVERAGE_INFORMATION = 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information';

interface Asked {
  readonly authorization: string;
  readonly body: { readonly fhirServer?: string; readonly fhirAuthorization?: object; readonly context: { readonly draftOrders: { readonly entry: readonly { readonly resource: { readonly id: string; readonly extension?: readonly object[] } }[] } }; readonly prefetch: Readonly<Record<string, { readonly resourceType: string }>>; readonly extension: object };
}
let store: Store;
let audit: AuditTrail;
let payer: Server;
let payerBase: string;
let asked: Asked[] = [];
let reply: (body: Asked['body'], response: ServerResponse) => void;
let registry: Registry;
let part: CdsHooksPart;
let http: Server;
let url: string;

beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  audit = await openAuditTrail(store, () => NOW, () => undefined);
  payer = createServer((request: IncomingMessage, response) => {
    if (request.method === 'GET') {
      const prefetch = { patient: 'Patient/{{context.patientId}}', coverage: 'Coverage?patient={{context.patientId}}&status=active', observations: 'Observation?patient={{context.patientId}}&_sort=-date&_count=200', secrets: 'Basic?patient={{context.patientId}}' };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ services: [{ hook: 'order-sign', id: 'sign', description: 'x', prefetch }] }));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked['body'];
      asked.push({ authorization: request.headers.authorization ?? '', body });
      reply(body, response);
    });
  });
  await new Promise<void>((ready) => payer.listen(0, ready));
  payerBase = `http://localhost:${(payer.address() as AddressInfo).port}`;
});
beforeEach(async () => {
  asked = [];
  registry = new Registry();
  const app = express();
  http = app.listen(0);
  await new Promise((ready) => http.once('listening', ready));
  url = `http://localhost:${(http.address() as AddressInfo).port}`;
  const payers = createPayerDirectory(loadPayers(url).payers.map((each) => (each.id === 'cascade-medicare' ? { ...each, crd: { baseUrl: payerBase, version: '2.0' as const, timeoutMs: PAYER_MS } } : each)));
  part = await createCdsHooks({
    store, baseUrl: `${url}/`, log: pino({ level: 'silent' }), now: () => NOW, audit, policies: loadPolicies(), payers, registry, deadlineMs: DEADLINE_MS, trustedClients: [], openToFhirServer: 'https://ehr.example/fhir',
    model: { score: async () => ({ probability: 0.5, band: 'medium', reasons: [{ feature: 'x', text: 'A reason', contribution: 1 }], modelVersion: 'test', simulated: true }) },
  });
  app.use(part.router);
});
afterEach(async () => {
  http.closeAllConnections();
  http.close();
  await part.stop();
});
afterAll(async () => {
  payer.closeAllConnections();
  payer.close();
  await audit.stop();
  await store.close();
});

const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const order = (more: object = {}) => ({
  resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] },
  subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22', ...more,
});
const coverageOf = (id: string, payorName: string, more: object = {}) => ({ resourceType: 'Coverage', id, status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: payorName }], ...more });
const observation = { resourceType: 'Observation', id: 's1', status: 'final', code: { coding: [{ code: '59408-5' }], text: 'Oxygen saturation' }, subject: { reference: 'Patient/p1' }, effectiveDateTime: '2026-11-12', valueQuantity: { value: 86, unit: '%', code: '%' } };
const call = (orders: readonly object[], more: object = {}) => ({
  hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: 'https://ehr.example/fhir', fhirAuthorization: { access_token: 'secret-token', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' },
  context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(...orders) },
  prefetch: { patient: { resourceType: 'Patient', id: 'p1', birthDate: '1950-01-01' }, coverage: bundle(coverageOf('c1', 'Medicare'), coverageOf('c2', 'Evergreen Health Plan', { order: 2 })), observations: bundle(observation), conditions: null, procedures: null, reports: null, documents: null, medicationHistory: null },
  ...more,
});
type Parts = readonly (readonly [url: string, value: object])[];
const information = (parts: Parts = []) => ({
  url: COVERAGE_INFORMATION,
  extension: [
    ...[['coverage', { valueReference: { reference: 'Coverage/c1' } }] as const, ['covered', { valueCode: 'covered' }] as const, ['pa-needed', { valueCode: 'auth-needed' }] as const, ['reason', { valueCodeableConcept: { text: 'Plan rule 7' } }] as const, ['date', { valueDate: '2026-11-22' }] as const, ['coverage-assertion-id', { valueString: 'payer-1' }] as const]
      .filter(([name]) => !parts.some(([replaced]) => replaced === name)),
    ...parts,
  ].flatMap(([name, value]) => (Object.keys(value).length === 0 ? [] : [{ url: name, ...value }])),
});
const update = (resource: object) => ({ type: 'update', description: 'x', resource });
const json = (body: unknown) => (_body: Asked['body'], response: ServerResponse): void => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
};
const says = (...parts: Parts) => json({ cards: [], systemActions: [update(order({ extension: [information(parts)] }))] });

interface Answer {
  readonly cards: readonly { readonly summary: string; readonly source: { readonly label: string; readonly topic: { readonly code: string } }; readonly links?: readonly object[]; readonly suggestions?: readonly object[] }[];
  readonly systemActions: readonly { readonly resource: Parameters<typeof readRequirement>[0] & { readonly id: string } }[];
}
async function post(body: object): Promise<Answer & { readonly ms: number }> {
  const startedAt = performance.now();
  const response = await fetch(`${url}/cds-services/order-sign-crd`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  const text = await response.text();
  const ms = performance.now() - startedAt;
  checkAnswer(body, { status: response.status, text });
  return { ...(JSON.parse(text) as Answer), ms };
}
const requirements = (answer: Answer) => answer.systemActions.flatMap(({ resource }) => readRequirement(resource));

describe("the payer's own service", () => {
  it('is asked with our signature, and with nothing that is not for it', async () => {
    reply = says();
    const others = { ...information([['coverage', { valueReference: { reference: 'Coverage/c2' } }], ['coverage-assertion-id', { valueString: 'other' }]]) };
    await post(call([order({ extension: [others] })]));
    const [{ authorization, body } = { authorization: '', body: undefined }] = asked;
    const { payload, protectedHeader } = await jwtVerify(authorization.replace('Bearer ', ''), createRemoteJWKSet(new URL(`${url}/cds-services/.well-known/jwks.json`)), { audience: `${payerBase}/cds-services/sign`, issuer: `${url}/cds-services`, currentDate: new Date(NOW) });
    expect([protectedHeader.alg, protectedHeader.jku, typeof payload.jti]).toEqual(['ES384', `${url}/cds-services/.well-known/jwks.json`, 'string']);
    expect(JSON.stringify(body)).not.toMatch(/secret-token|ehr\.example|Coverage\/c2|"c2"/);
    expect(Object.entries(body?.prefetch ?? {}).map(([key, value]) => `${key} ${value.resourceType}`)).toEqual(['patient Patient', 'coverage Bundle', 'observations Bundle']);
  });
  it('has the last word on coverage; risk and readiness are ours; its cards keep their source', async () => {
    const card = { summary: 'Call us', indicator: 'info', source: { label: 'The Payer Itself' }, links: [{ label: 'Rule', url: 'https://payer.example/7', type: 'absolute' }, { label: 'Bad', url: 'javascript:alert(1)', type: 'absolute' }] };
    reply = json({ cards: [card, { nonsense: true }], systemActions: [update(order({ extension: [information([['pa-needed', { valueCode: 'satisfied' }], ['satisfied-pa-id', { valueString: 'PA-9' }]])] }))] });
    const satisfied = await post(call([order()]));
    expect(requirements(satisfied)).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'satisfied', satisfiedPaId: 'PA-9', assertionId: 'payer-1', reasons: ['Plan rule 7'] }]);
    expect(requirements(satisfied)[0]?.policy).toBe(undefined);
    expect(satisfied.cards.find(({ source }) => source.label === 'The Payer Itself')).toMatchObject({ summary: 'Call us', links: [{ url: 'https://payer.example/7' }] });
    reply = says();
    expect((await post(call([order()]))).cards.map(({ source }) => source.topic.code)).toContain('denial-risk');
    expect(await registry.metrics()).toMatch(/cds_hook_answers_total\{hook="order-sign",source="payer",outcome="complete"\} 2/);
  });
  it('is asked about its own orders only; others are ours to answer', async () => {
    reply = says();
    const answer = await post(call([order(), order({ id: 'd2', insurance: [{ reference: 'Coverage/c2' }] })]));
    expect(asked[0]?.body.context.draftOrders.entry.map(({ resource }) => resource.id)).toEqual(['d1']);
    expect(requirements(answer).map(({ coverage, assertionId }) => [coverage, assertionId === 'payer-1'])).toEqual([['Coverage/c1', true], ['Coverage/c2', false]]);
  });
  it('may give a reason by a code that is a name of every object', async () => {
    reply = says(['reason', { valueCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp', code: 'constructor' }] } }]);
    expect(requirements(await post(call([order()])))).toMatchObject([{ assertionId: 'payer-1', paNeeded: 'auth-needed', reasons: ['constructor'] }]);
  });
  it('may speak a later version: what this one has no code for is put in its words', async () => {
    reply = says(['covered', { valueCode: 'indeterminate' }], ['pa-needed', { valueCode: 'conditional' }], ['info-needed', { valueCode: 'OTH' }], ['contact', { valueContactDetail: { name: 'Desk', telecom: [{ system: 'phone', value: '1-800' }] } }]);
    const answer = await post(call([order()]));
    expect(requirements(answer)).toMatchObject([{ covered: 'conditional', assertionId: 'payer-1' }]);
    expect(JSON.stringify(answer.systemActions)).toContain('"valueContactPoint":{"system":"phone","value":"1-800"}');
  });

  it.each<[string, typeof reply, RegExp]>([
    ['slow', () => undefined, /did not answer in time/],
    ['gone', (_body, response) => void response.destroy(), /could not be reached/],
    ['failing', (_body, response) => void response.writeHead(500).end(), /could not be reached/],
    ['not willing', (_body, response) => void response.writeHead(422).end('{}'), /did not take the call/],
    ['not speaking JSON', (_body, response) => void response.end('<html>'), /no readable answer/],
    ['answering with something else', json(['x']), /no readable answer/],
    ['sending 10 MB', (_body, response) => void response.end(JSON.stringify({ cards: [], x: 'y'.repeat(10_000_000) })), /no readable answer/],
    ['sending us elsewhere', (_body, response) => void response.writeHead(307, { location: 'http://localhost:1/' }).end(), /could not be reached/],
    ['trickling', (_body, response) => { const timer = setInterval(() => response.write(' '), 20); response.on('close', () => clearInterval(timer)); }, /did not answer in time/],
    ['silent about the order', json({ cards: [] }), /gave no answer to this order/],
  ])('that is %s is done without, in time, and the answer says so', async (_name, how, words) => {
    reply = how;
    const answer = await post(call([order()]));
    expect(answer.ms).toBeLessThan(IN_TIME_MS);
    expect(requirements(answer)).toMatchObject([{ paNeeded: 'auth-needed', policy: { policyId: 'home-oxygen' }, reasons: [expect.any(String), expect.stringMatching(words)] }]);
    expect(await registry.metrics()).toContain('cds_hook_answers_total{hook="order-sign",source="library-instead",outcome="complete"} 1');
  });

  it.each<[string, typeof reply, string]>([
    ['approves another order', json({ cards: [], systemActions: [update({ ...order({ extension: [information([['pa-needed', { valueCode: 'no-auth' }]])] }), id: 'd9' })] }), 'not-asked'],
    ['changes the order', json({ cards: [], systemActions: [update(order({ quantity: { value: 99 }, extension: [information([['pa-needed', { valueCode: 'no-auth' }]])] }))] }), 'changed'],
    ['changes whose order it is', json({ cards: [], systemActions: [update(order({ subject: { reference: 'Patient/p2' }, extension: [information()] }))] }), 'changed'],
    ['answers for another coverage', says(['coverage', { valueReference: { reference: 'Coverage/c2' } }]), 'other-coverage'],
    ['uses a code that is none', says(['pa-needed', { valueCode: 'certainly-not' }]), 'unreadable'],
    ['leaves out the assertion id', says(['coverage-assertion-id', {}]), 'unreadable'],
    ['breaks the rules of the extension', says(['pa-needed', { valueCode: 'satisfied' }]), 'breaks-rules'],
    ['contradicts itself', json({ cards: [], systemActions: [update(order({ extension: [information(), information([['pa-needed', { valueCode: 'no-auth' }]])] }))] }), 'contradicts-itself'],
    ['deletes the order', json({ cards: [], systemActions: [{ type: 'delete', resourceId: 'DeviceRequest/d1' }] }), 'other-action'],
    ['gives a reason that is no text', says(['reason', { valueCodeableConcept: { text: 5 } }]), 'unreadable'],
    ['gives a contact that is no text', says(['contact', { valueContactPoint: { system: 'phone', value: { a: 1 } } }]), 'unreadable'],
    ['gives a detail that is no text', says(['detail', { extension: [{ url: 'code', valueCodeableConcept: { coding: [{ code: 7 }] } }, { url: 'value', valueString: 'x' }] }]), 'unreadable'],
    ['has an extension of another shape', json({ cards: [], systemActions: [update(order({ extension: [{ url: COVERAGE_INFORMATION, extension: 'x' }] }))] }), 'unreadable'],
  ])('that %s is not believed', async (_name, lie, fault) => {
    reply = lie;
    const sent = order();
    const answer = await post(call([sent]));
    expect(requirements(answer)).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'auth-needed', policy: { policyId: 'home-oxygen' } }]);
    expect({ ...answer.systemActions[0]?.resource, extension: undefined }).toEqual({ ...sent, extension: undefined });
    expect(await registry.metrics()).toMatch(new RegExp(`cds_hook_payer_faults_total\\{payer="cascade-medicare",what="(?:${fault})"\\} 1`));
  });
  it('may offer what its suggestions change in the call, and nothing beyond', async () => {
    const suggestion = (...actions: readonly object[]) => ({ label: 'Do', actions });
    const good = suggestion({ type: 'delete', resourceId: 'DeviceRequest/d1' }, { type: 'create', resource: order({ id: undefined }) });
    reply = json({ cards: [{ summary: 's', source: { label: 'P' }, suggestions: [good, suggestion({ type: 'delete', resourceId: 'DeviceRequest/d7' }), suggestion({ type: 'create', resource: order({ subject: { reference: 'Patient/p2' } }) }), suggestion({ type: 'update', resource: order({ id: 'd8' }) })] }], systemActions: [] });
    const card = (await post(call([order()]))).cards.find(({ source }) => source.label === 'P');
    expect(card?.suggestions).toHaveLength(1);
  });
  it('that fails again and again is left alone for a while', async () => {
    reply = (_body, response) => void response.writeHead(500).end();
    for (let i = 0; i < 5; i += 1) await post(call([order()]));
    const before = asked.length;
    const answer = await post(call([order()]));
    expect(asked.length).toBe(before);
    expect(requirements(answer)[0]?.reasons.join(' ')).toMatch(/out of order/);
  });
});

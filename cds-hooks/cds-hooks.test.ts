import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadPayers } from '#policies/load-payers.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { DenialRisk } from '#prior-auth/learning/denial-risk.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { checkAnswer } from '../test-fixtures/checked-answer.ts';
import { type CdsHooksOptions, type CdsHooksPart, createCdsHooks } from './cds-hooks.ts';

const NOW = Date.parse('2026-11-22T18:00:00Z');
const ISSUER = 'https://ehr.example';
const RISK: DenialRisk = { probability: 0.72, band: 'high', reasons: [{ feature: 'criteria', text: 'Two criteria are not found', contribution: 1 }], modelVersion: 'test', simulated: true };

let store: Store;
let ehr: Server;
let ehrBase: string;
let ehrSeen: { readonly url: string; readonly token: string | undefined }[] = [];
let ehrAnswers: (path: string) => { readonly status: number; readonly body: unknown } | 'hang';
let score: () => Promise<DenialRisk>;
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
const keys = await generateKeyPair('ES384', { extractable: true });
const publicJwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES384', use: 'sig' };

async function serve(more: Partial<CdsHooksOptions> = {}): Promise<{ url: string; part: CdsHooksPart; registry: Registry; close: () => Promise<void> }> {
  const app = express();
  const server = app.listen(0);
  await new Promise((ready) => server.once('listening', ready));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const registry = new Registry();
  const audit = await openAuditTrail(store, () => NOW, () => undefined);
  const part = await createCdsHooks({
    store, baseUrl: url, log, now: () => NOW, audit, policies: loadPolicies(), payers: loadPayers(url), model: { score: () => score() }, registry, deadlineMs: 330,
    trustedClients: [{ iss: ISSUER, jwks: { keys: [publicJwk] }, fhirServers: [ehrBase] }], openToFhirServer: ehrBase, ...more,
  });
  app.use(part.router);
  return { url, part, registry, close: async () => { server.close(); await part.stop(); await audit.stop(); } };
}
let service: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  ehr = createServer((request: IncomingMessage, response) => {
    ehrSeen.push({ url: request.url ?? '', token: request.headers.authorization });
    const answer = ehrAnswers((request.url ?? '').replace('/fhir/', ''));
    if (answer === 'hang') return;
    response.writeHead(answer.status, { 'content-type': 'application/fhir+json', ...(answer.status === 302 ? { location: 'http://localhost:1/' } : {}) }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((ready) => ehr.listen(0, ready));
  ehrBase = `http://localhost:${(ehr.address() as AddressInfo).port}/fhir`;
  service = await serve();
});
afterAll(async () => {
  await service.close();
  ehr.closeAllConnections();
  ehr.close();
  await store.close();
});
beforeEach(() => {
  ehrSeen = [];
  ehrAnswers = () => ({ status: 404, body: { resourceType: 'OperationOutcome' } });
  score = async () => RISK;
});

const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const draft = { status: 'draft', intent: 'order', subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22' };
const device = (code: string, more: object = {}) => ({ resourceType: 'DeviceRequest', id: 'd1', ...draft, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code, display: 'An <b>item</b>' }] }, ...more });
const { intent: _none, ...message } = { resourceType: 'CommunicationRequest', id: 'r', ...draft, basedOn: [{ display: 'x' }], payload: [{ extension: [{ url: 'http://hl7.org/fhir/5.0/StructureDefinition/extension-CommunicationRequest.payload.content[x]', valueCodeableConcept: { text: 'records' } }], contentString: 'records' }] };
const patient = { resourceType: 'Patient', id: 'p1', birthDate: '1950-01-01', address: [{ state: 'WA' }] };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ reference: 'Organization/o1' }] };
const organization = { resourceType: 'Organization', id: 'o1', name: 'Centers for Medicare and Medicaid Services' };
const saturation = { resourceType: 'Observation', id: 's1', status: 'final', code: { coding: [{ code: '59408-5' }], text: 'Oxygen saturation' }, subject: { reference: 'Patient/p1' }, effectiveDateTime: '2026-11-12', valueQuantity: { value: 86, unit: '%', code: '%' } };
const copd = { resourceType: 'Condition', id: 'k1', code: { coding: [{ code: 'J44.9' }], text: 'COPD' }, subject: { reference: 'Patient/p1' } };
const fullPrefetch = () => ({ patient, coverage: bundle(coverage, organization), conditions: bundle(copd), observations: bundle(saturation), procedures: null, reports: null, documents: null, medications: null });
const call = (more: object = {}) => ({
  hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: ehrBase, fhirAuthorization: { access_token: 'secret-token-1', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' },
  context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(device('E1390')) }, prefetch: fullPrefetch(), ...more,
});
const context = (...orders: readonly object[]) => ({ userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle(...orders) });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly cards: { readonly uuid: string; readonly summary: string; readonly detail: string; readonly indicator: string; readonly source: { readonly label: string; readonly topic: { readonly system: string; readonly code: string } }; readonly links?: readonly { readonly type: string; readonly url: string }[]; readonly extension: Record<string, unknown> }[];
  readonly systemActions: { readonly type: string; readonly description: string; readonly resource: Parameters<typeof readRequirement>[0] & Record<string, unknown> }[];
}
async function post(body: unknown, { path = '/cds-services/order-sign-crd', headers = {}, at = service }: { path?: string; headers?: Record<string, string>; at?: typeof service } = {}): Promise<Answer> {
  const response = await fetch(at.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const text = await response.text();
  if (!path.endsWith('/feedback')) checkAnswer(body, { status: response.status, text });
  return { status: response.status, headers: response.headers, text, cards: [], systemActions: [], ...(text ? (JSON.parse(text) as object) : {}) };
}
const requirements = (answer: Answer) => answer.systemActions.flatMap((action) => readRequirement(action.resource));
function first(answer: Answer): Answer['systemActions'][number]['resource'] {
  const [action] = answer.systemActions;
  if (!action) throw new Error('no system action');
  return action.resource;
}
let tokens = 0;
const signed = async (path: string): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await new SignJWT({ iss: ISSUER, aud: service.url + path, iat: NOW / 1000, exp: NOW / 1000 + 300, jti: `t${(tokens += 1)}` }).setProtectedHeader({ alg: 'ES384', kid: 'k', typ: 'JWT' }).sign(keys.privateKey)}`,
});

describe('discovery', () => {
  it('is open to browsers', async () => {
    const preflight = await fetch(`${service.url}/cds-services/order-sign-crd`, { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-headers')]).toEqual([204, '*', 'Authorization, Content-Type']);
    expect((await post(call())).headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('an order that needs an authorization', () => {
  it('comes back with coverage-information and nothing else changed', async () => {
    const order = device('E1390', { extension: [{ url: 'https://other.example', valueString: 'kept' }], note: [{ text: 'kept' }] });
    const answer = await post(call({ context: context(order) }));
    expect(answer.status).toBe(200);
    expect(answer.systemActions).toMatchObject([{ type: 'update', description: expect.stringMatching(/DeviceRequest\/d1/) }]);
    const { extension, ...rest } = first(answer);
    expect({ ...rest, extension: extension?.slice(0, 1) }).toEqual(order);
    expect(requirements(answer)).toMatchObject([{ coverage: 'Coverage/c1', covered: 'covered', paNeeded: 'auth-needed', docNeeded: 'clinical', questionnaires: ['https://payer.openpriorauth.org/fhir/Questionnaire/home-oxygen|1.0.0'], date: '2026-11-22', policy: { policyId: 'home-oxygen', revision: '2021.1' } }]);
    expect(ehrSeen).toEqual([]);
  });
  it('signed again with the same answer, and with what another coverage said, is not answered again', async () => {
    const before = await post(call());
    const other = JSON.parse(JSON.stringify(first(before)['extension']).replace('Coverage/c1', 'Coverage/c9').replace(/"valueString":"[0-9a-f-]{36}"/, '"valueString":"other"')) as object[];
    const order = { ...first(before), extension: [...(first(before)['extension'] as object[]), ...other] };
    expect(await post(call({ context: context(order) }))).toMatchObject({ status: 200, systemActions: [] });
    const changed = requirements(await post(call({ context: context({ ...order, codeCodeableConcept: device('E0601').codeCodeableConcept }) })));
    expect(changed.map((each) => each.coverage)).toEqual(['Coverage/c9', 'Coverage/c1']);
    expect(changed[1]?.assertionId).not.toBe(requirements(before)[0]?.assertionId);
    expect(emissionFaults(changed)).toEqual([]);
  });
  it.each<[string, object, string | undefined]>([
    ['of another payer', { payor: [{ display: 'Evergreen Health Plan' }] }, 'The patient is also insured with Evergreen Health Plan (synthetic): this speaks for Cascade Medicare Administrative Contractor (synthetic) only.'],
    ['of a payer nobody knows', { payor: [{ display: 'Ex_ample' }] }, 'also insured with Ex\\_ample'],
    ['of the same payer', {}, undefined],
    ['that is over', { payor: [{ display: 'Evergreen Health Plan' }], period: { end: '2020-12-31' } }, undefined],
    ['that pays for itself', { payor: [{ reference: 'Patient/p1' }] }, undefined],
  ])('a second coverage %s: the cards say for whom they speak', async (_name, more, said) => {
    const { cards } = await post(call({ context: context(device('K0823')), prefetch: { ...fullPrefetch(), coverage: bundle(coverage, organization, { ...coverage, id: 'c2', order: 2, ...more }) } }));
    expect(cards).not.toEqual([]);
    for (const { detail } of cards) expect(detail.includes(said ?? 'also insured')).toBe(said !== undefined);
  });
  it('has cards of the right form', async () => {
    const { cards } = await post(call({ context: context(device('K0823')), extension: { 'davinci-crd.configuration': { 'prior-auth-panel': true } } }));
    expect(cards.map((card) => card.source.topic.code)).toEqual(['guideline', 'denial-risk', 'prior-auth-panel']);
    for (const card of cards) {
      expect(card.summary.length).toBeLessThan(140);
      expect(card.uuid).toMatch(/^[0-9a-f-]{36}$/);
      expect(card.source.label).toMatch(card.source.topic.code === 'guideline' ? /^Cascade Medicare/ : /^Open Prior Auth/);
      expect(card.extension['davinci-crd.associated-resource']).toEqual(['DeviceRequest/d1']);
      expect(card.detail).not.toMatch(/(?<!\\)<b/);
      expect(`${card.summary} ${card.detail}`).not.toMatch(/auth-needed|prior authorization (?:is )?(?:needed|required)/i);
    }
    expect(cards[1]).toMatchObject({ summary: expect.stringMatching(/^Denial risk 72 % \(simulated\)/), indicator: 'warning', extension: { 'org.openpriorauth.denial-risk': { probability: 0.72, simulated: true, modelVersion: 'test' } } });
    expect(cards[2]?.links).toMatchObject([{ type: 'smart', url: `${service.url}/panel/launch` }]);
  });
  it('says what would lower the estimate, whose it is and how old what it knows, and that it is simulated', async () => {
    score = async () => ({ ...RISK, lowering: [{ change: { code: 'document-criteria', count: 2 }, probability: 0.41 }], history: { asOf: '2026-11-22T17:59:30.000Z', decisions: 812 } });
    const card = (await post(call({ context: context(device('K0823')) }))).cards.find(({ source }) => source.topic.code === 'denial-risk');
    expect(card?.detail).toContain('- Document the 2 criteria that are not found in the record, if the patient meets them: to about 41 % (simulated)');
    expect(card?.detail).toMatch(/812 decisions of the last year into account, as known at 2026-11-22 17:59 UTC[^]*Model test \(simulated\)\./);
    expect(card?.extension['org.openpriorauth.denial-risk']).toMatchObject({ lowering: [{ probability: 0.41 }], history: { decisions: 812 } });
    expect(card?.detail).not.toMatch(/payer (says|will deny|has decided)/i);
  });
  it('leaves out what is not known of past decisions, instead of losing the card', async () => {
    score = async () => ({ ...RISK, reasons: [{ feature: 'payer-history', text: 'x', contribution: 1, says: { code: 'payer-history', raises: true, rate: null, decisions: null } }] });
    const card = (await post(call({ context: context(device('K0823')) }))).cards.find(({ source }) => source.topic.code === 'denial-risk');
    expect(card?.extension['org.openpriorauth.denial-risk']).toMatchObject({ reasons: [{ says: { code: 'payer-history', raises: true } }] });
    expect(JSON.stringify(card)).not.toContain('null');
  });
  it('cuts a long name in the summary', async () => {
    const { cards } = await post(call({ context: context(device('E1390', { codeCodeableConcept: { text: 'x'.repeat(500), coding: [{ system: 'urn:oid:2.16.840.1.113883.6.285', code: 'E1390' }] } })) }));
    expect(cards.every((card) => card.summary.length < 140)).toBe(true);
  });
  it.each<[string, () => Promise<DenialRisk>]>([
    ['broken', async () => { throw new Error('model'); }],
    ['hanging', () => new Promise(() => undefined)],
  ])('is answered without the risk card when the model is %s', async (_name, broken) => {
    score = broken;
    const answer = await post(call());
    expect(answer.status).toBe(200);
    expect(answer.cards.map((card) => card.source.topic.code)).not.toContain('denial-risk');
    expect(await service.registry.metrics()).toMatch(/cds_hook_denial_risk_total\{outcome="failed"\} [1-9]/);
  });
});

describe('an order that needs nothing', () => {
  it.each<[string, object]>([
    ['named so by a policy', { resourceType: 'ServiceRequest', id: 'e', ...draft, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '93000' }] } }],
    ['that no policy names', device('E9999')],
    ['a CommunicationRequest', message],
  ])('%s has coverage-information and no card', async (_name, order) => {
    const answer = await post(call({ context: context(order) }));
    expect(answer.cards).toEqual([]);
    expect(requirements(answer)).toMatchObject([{ covered: 'covered', paNeeded: 'no-auth' }]);
  });
  it('beside one that does: each has its own answer', async () => {
    const answer = await post(call({ context: context(device('E1390'), device('E9999', { id: 'd2' })) }));
    expect(requirements(answer).map((each) => each.paNeeded)).toEqual(['auth-needed', 'no-auth']);
    expect(new Set(requirements(answer).map((each) => each.assertionId)).size).toBe(2);
  });
});

describe('configuration', () => {
  it.each<[string, object, number, readonly string[]]>([
    ['no coverage information', { 'coverage-info': false }, 0, ['denial-risk']],
    ['no risk', { 'denial-risk': false }, 1, []],
    ['the link', { 'prior-auth-panel': true }, 1, ['denial-risk', 'prior-auth-panel']],
    ['one card', { 'max-cards': 1 }, 1, ['denial-risk']],
    ['unknown codes and wrong types', { 'alt-drug': true, 'max-cards': 'many', 'denial-risk': 'yes' }, 1, ['denial-risk']],
  ])('%s', async (_name, configuration, actions, topics) => {
    const answer = await post(call({ extension: { 'davinci-crd.configuration': configuration, 'x.y': 1 } }));
    expect([answer.status, answer.systemActions.length, answer.cards.map((card) => card.source.topic.code)]).toEqual([200, actions, topics]);
  });
});

describe('data that is not in the prefetch', () => {
  const fhir: Record<string, object> = { 'Patient/p1': patient, Coverage: bundle(coverage), 'Organization/o1': organization, Condition: bundle(copd), Observation: bundle(saturation), Procedure: bundle(), DiagnosticReport: bundle(), DocumentReference: bundle(), MedicationRequest: bundle() };
  const answering = (path: string) => { const body = fhir[path.split('?')[0] ?? '']; return body ? { status: 200, body } : { status: 404, body: {} }; };
  it('is fetched with the token of the call, the chart only as far as the policy looks', async () => {
    ehrAnswers = answering;
    const answer = await post(call({ prefetch: undefined }));
    expect(requirements(answer)).toMatchObject([{ paNeeded: 'auth-needed' }]);
    expect(answer.cards[0]?.detail).toContain('Met: Oxygen saturation');
    expect(new Set(ehrSeen.map((each) => each.token))).toEqual(new Set(['Bearer secret-token-1']));
    expect(ehrSeen.map((each) => each.url.replace(/\?.*/, '')).sort()).toEqual(['/fhir/Condition', '/fhir/Coverage', '/fhir/Observation', '/fhir/Organization/o1', '/fhir/Patient/p1']);
  });
  it('is not fetched when no policy needs it', async () => {
    ehrAnswers = answering;
    await post(call({ prefetch: { patient, coverage: bundle(coverage, organization) }, context: context(device('E9999')) }));
    expect(ehrSeen).toEqual([]);
  });
  it('is fetched for an OperationOutcome, not for null or an empty Bundle', async () => {
    ehrAnswers = answering;
    await post(call({ prefetch: { ...fullPrefetch(), conditions: { resourceType: 'OperationOutcome', issue: [] }, observations: null } }));
    expect(ehrSeen.map((each) => each.url.replace(/\?.*/, ''))).toEqual(['/fhir/Condition']);
  });
  it('follows pages on the same server only', async () => {
    ehrAnswers = (path) => (path.startsWith('Observation?page=2') ? { status: 200, body: bundle(saturation) } : { status: 404, body: {} });
    const paged = (url: string) => ({ ...bundle(), link: [{ relation: 'next', url }] });
    expect((await post(call({ prefetch: { ...fullPrefetch(), observations: paged(`${ehrBase}/Observation?page=2`) } }))).cards[0]?.detail).toContain('Met: Oxygen saturation');
    for (const elsewhere of ['http://169.254.169.254/latest', `${ehrBase}.evil.example/Observation`, `${ehrBase.replace('/fhir', '')}/admin`, `${ehrBase}/../admin`, `${ehrBase}/%2e%2e/admin`]) {
      ehrSeen = [];
      expect((await post(call({ prefetch: { ...fullPrefetch(), observations: paged(elsewhere) } }))).status).toBe(200);
      expect(ehrSeen).toEqual([]);
    }
  });
  it('is never fetched from a server that is not registered', async () => {
    ehrAnswers = answering;
    const path = '/cds-services/order-sign-crd';
    const answer = await post(call({ fhirServer: 'http://169.254.169.254/fhir', prefetch: { patient, coverage: bundle(coverage) } }), { headers: await signed(path) });
    expect(answer.status).toBe(200);
    expect(requirements(answer)).toMatchObject([{ covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: [expect.any(String)] }]);
    expect(ehrSeen).toEqual([]);
  });
  it.each<[string, typeof ehrAnswers]>([
    ['refused', () => ({ status: 403, body: {} })],
    ['redirected', () => ({ status: 302, body: {} })],
    ['late', () => 'hang'],
    ['no FHIR', () => ({ status: 200, body: ['x'] })],
  ])('that is %s: 412 without a coverage, an answer with one', async (_name, answers) => {
    ehrAnswers = answers;
    expect((await post(call({ prefetch: {} }))).status).toBe(412);
    const named = await post(call({ prefetch: {}, context: context(device('E1390', { insurance: [{ reference: 'Coverage/c1' }] })) }));
    expect(requirements(named)).toMatchObject([{ coverage: 'Coverage/c1', covered: 'conditional', infoNeeded: ['OTH'] }]);
    const known = await post(call({ prefetch: { patient, coverage: bundle(coverage, organization) } }));
    expect(requirements(known)).toMatchObject([{ paNeeded: 'auth-needed' }]);
    expect(known.cards[0]?.detail).toContain('Not checked, the record could not be read');
  });
  it('of another patient is not used', async () => {
    const of = { subject: { reference: 'Patient/p2' } };
    const answer = await post(call({ prefetch: { ...fullPrefetch(), observations: bundle({ ...saturation, ...of }), conditions: bundle({ ...copd, ...of }) } }));
    expect(answer.cards.find((card) => card.source.topic.code === 'denial-risk')?.detail).not.toContain('- Met:');
    expect((await post(call({ prefetch: { ...fullPrefetch(), coverage: bundle({ ...coverage, beneficiary: { reference: 'Patient/p2' } }) } }))).status).toBe(422);
  });
  it('no coverage: 422', async () => {
    for (const none of [null, bundle()]) expect((await post(call({ prefetch: { ...fullPrefetch(), coverage: none } }))).status).toBe(422);
  });
});

describe('bad calls', () => {
  it.each<[string, unknown, number]>([
    ['not JSON', '{"hook":', 400],
    ['a list', [], 401],
    ['null', 'null', 401],
    ['another FHIR server without JWT', () => call({ fhirServer: 'https://else.example/fhir' }), 401],
    ['no FHIR server and no JWT', () => call({ fhirServer: undefined, fhirAuthorization: undefined }), 401],
    ['another hook', () => call({ hook: 'order-select' }), 422],
    ['hookInstance no UUID', () => call({ hookInstance: '1' }), 422],
    ['no context', () => call({ context: undefined }), 422],
    ['no draftOrders', () => call({ context: { userId: 'Practitioner/1', patientId: 'p1' } }), 422],
    ['a userId without type', () => call({ context: { ...context(device('E1390')), userId: 'u1' } }), 422],
    ['a patientId that is a path', () => call({ context: { ...context(device('E1390')), patientId: '../admin' } }), 422],
    ['an order without id', () => call({ context: context({ resourceType: 'DeviceRequest' }) }), 422],
    ['prefetch of a wrong type', () => call({ prefetch: { patient: 'x' } }), 422],
    ['a token type that is not Bearer', () => call({ fhirAuthorization: { access_token: 'x', token_type: 'MAC' } }), 422],
  ])('%s', async (_name, body, status) => {
    const answer = await post(typeof body === 'function' ? (body as () => unknown)() : body);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toMatch(/ at .*\.ts|secret-token|node_modules/);
    // 401 says nothing (CDS Hooks 2.0); every other refusal says what is wrong.
    expect(answer.text).toMatch(status === 401 ? /^$/ : /^\{"resourceType":"OperationOutcome"/);
  });
  it.each<[string, object, string]>([
    ['what is missing', { context: undefined }, 'context is missing: an object.'],
    ['a mistyped element', { hookInstance: 7 }, 'hookInstance must be a string.'],
    ['how an element is written', { hookInstance: 'x' }, 'hookInstance must be a UUID.'],
    ['a reference of another type', { context: { ...context(device('E1390')), userId: 'u1' } }, 'context.userId must be a reference to Practitioner or PractitionerRole.'],
    ['an empty Bundle', { context: { userId: 'Practitioner/1', patientId: 'p1', draftOrders: { resourceType: 'Bundle', entry: [] } } }, 'context.draftOrders.entry must have 1 or more entries.'],
    ['an order without id', { context: context({ resourceType: 'DeviceRequest' }) }, 'context.draftOrders.entry.0.resource.id must be an id of 1 to 64 letters, digits, "-" and ".".'],
    ['a word that is none of its list', { fhirAuthorization: { access_token: 'x', token_type: 'MAC' } }, 'fhirAuthorization.token_type must be Bearer.'],
  ])('is told %s, and where', async (_what, more, words) => {
    expect((JSON.parse((await post(call(more))).text) as { issue: { diagnostics: string }[] }).issue[0]?.diagnostics).toBe(words);
  });
  const path = '/cds-services/order-sign-crd';
  it('with a JWT, not JSON and no object are 400', async () => {
    for (const body of ['{"hook":', '[]', 'null']) expect((await post(body, { headers: await signed(path) })).status).toBe(400);
  });
  it('too large is 413, also when the length is not told', async () => {
    const body = JSON.stringify({ x: 'y'.repeat(1_100_000) });
    expect((await post(body)).status).toBe(413);
    const stream = new ReadableStream({ start: (controller) => { controller.enqueue(new TextEncoder().encode(body)); controller.close(); } });
    expect((await fetch(service.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: stream, duplex: 'half' } as RequestInit)).status).toBe(413);
  });
  it('another content type is 415, an unknown service 404', async () => {
    expect((await post('x=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(415);
    expect((await post(call(), { headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
    expect((await post(call(), { path: '/cds-services/none' })).status).toBe(404);
  });
  it.each(['', '/feedback'])('a service is not read but called: GET …%s is 405', async (below) => {
    const answer = await fetch(`${service.url}${path}${below}`);
    expect([answer.status, answer.headers.get('allow'), await answer.text()]).toEqual([405, 'POST, OPTIONS', expect.stringContaining('by POST')]);
  });
  it('without a JWT leaves the reason in the log', async () => {
    logged.length = 0;
    expect((await post({}, {})).status).toBe(401);
    expect(logged.join('')).toContain('holds no Bearer token');
  });
  it('a JWT that is wrong is 401 even for the sandbox; without a sandbox every call needs one', async () => {
    expect((await post(call(), { headers: { authorization: 'Bearer a.b.c' } })).status).toBe(401);
    const closed = await serve({ openToFhirServer: null });
    expect((await post(call(), { at: closed })).status).toBe(401);
    await closed.close();
  });
  it('a JWT signed RS384 is as good as one signed ES384', async () => {
    const rsa = await generateKeyPair('RS384', { extractable: true });
    const at = await serve({ trustedClients: [{ iss: ISSUER, jwks: { keys: [{ ...(await exportJWK(rsa.publicKey)), kid: 'r', alg: 'RS384', use: 'sig' }] }, fhirServers: [ehrBase] }], openToFhirServer: null });
    const jwt = await new SignJWT({ iss: ISSUER, aud: at.url + path, iat: NOW / 1000, exp: NOW / 1000 + 300, jti: 'rsa' }).setProtectedHeader({ alg: 'RS384', kid: 'r', typ: 'JWT' }).sign(rsa.privateKey);
    expect((await post(call(), { headers: { authorization: `Bearer ${jwt}` }, at })).status).toBe(200);
    await at.close();
  });
  it('a JWT is good once', async () => {
    const headers = await signed(path);
    expect((await post(call(), { headers })).status).toBe(200);
    expect((await post(call(), { headers })).status).toBe(401);
  });
});

describe('feedback', () => {
  const path = '/cds-services/order-sign-crd/feedback';
  const one = { card: 'u', outcome: 'overridden', overrideReason: { reason: { system: 's', code: 'c' }, userComment: 'no' }, outcomeTimestamp: '2026-11-22T18:00:00Z' };
  it('is stored', async () => {
    expect((await post({ feedback: [one, { ...one, outcome: 'accepted', acceptedSuggestions: [{ id: 's' }] }, { ...one, card: 'w', outcome: 'accepted', acceptedSuggestions: [] }] }, { path, headers: await signed(path) })).status).toBe(200);
    const rows = await store.db.withTables<{ 'cds.feedback': { card: string; outcome: string } }>().selectFrom('cds.feedback').select(['card', 'outcome']).orderBy('outcome').orderBy('card').execute();
    expect(rows).toEqual([{ card: 'u', outcome: 'accepted' }, { card: 'w', outcome: 'accepted' }, { card: 'u', outcome: 'overridden' }]);
  });
  it.each<[string, unknown]>([['no list', one], ['empty', { feedback: [] }], ['unknown outcome', { feedback: [{ ...one, outcome: 'ignored' }] }], ['no time', { feedback: [{ card: 'u', outcome: 'overridden' }] }], ['accepted nothing', { feedback: [{ ...one, outcome: 'accepted' }] }]])('%s is 422', async (_name, body) => {
    expect((await post(body, { path, headers: await signed(path) })).status).toBe(422);
  });
  it('without a JWT, or with one for the call, is 401', async () => {
    expect((await post({ feedback: [one] }, { path })).status).toBe(401);
    expect((await post({ feedback: [one] }, { path, headers: await signed('/cds-services/order-sign-crd') })).status).toBe(401);
  });
});

describe('what is kept', () => {
  it('is call and answer for disputes, without the access token', async () => {
    const hookInstance = 'aaaaaaaa-dfbe-44ad-ba6d-3e05e953b2ea';
    const answer = await post(call({ hookInstance }));
    const kept = await service.part.exchanges.find(hookInstance);
    expect(kept).toMatchObject([{ hookInstance, status: 200, client: 'open', answer: answer.text, request: expect.stringContaining('"access_token":"[removed]"') }]);
  });
  it('and the log holds neither token nor patient data', () => {
    expect(logged.join('')).not.toMatch(/secret-token|1950-01-01|Oxygen saturation|eyJ/);
  });
});

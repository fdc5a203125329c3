import type { Bundle, DeviceRequest } from '@medplum/fhirtypes';
import express from 'express';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { type RunningSandboxEhr, runSandboxEhr } from '#test-fixtures/running-sandbox-ehr.ts';

interface HookCall {
  readonly authorization: string;
  readonly body: {
    readonly context: { readonly userId: string; readonly patientId: string; readonly draftOrders: Bundle<DeviceRequest> };
    readonly prefetch: Readonly<Record<string, Bundle | null>>;
    readonly fhirAuthorization: { readonly access_token: string; readonly token_type: string; readonly expires_in: number; readonly subject: string };
    readonly fhirServer: string;
  };
}
interface UiReply {
  readonly order: string;
  readonly failure?: { readonly message: string };
  readonly orders: readonly { readonly reference: string }[];
  readonly observations: readonly { readonly display: string; readonly detail: string }[];
}

let ehr: RunningSandboxEhr;
let cookie: string;
const calls: HookCall[] = [];
const feedback: unknown[] = [];
/** How the CDS service of the tests answers. */
let answer: (order: DeviceRequest) => { readonly status: number; readonly body: unknown };
const card = { uuid: 'c1', summary: 'Authorization needed', indicator: 'info', source: { label: 'Payer' } };
const covered = (order: DeviceRequest) =>
  writeCoverageInformation({ coverage: 'Coverage/cov-oxygen', covered: 'covered', paNeeded: 'auth-needed', questionnaires: ['https://payer.example/Questionnaire/q|1'], date: '2026-11-22', assertionId: `a-${order.id}` });
const decided = (order: DeviceRequest) => ({ status: 200, body: { cards: [card], systemActions: [{ type: 'update', description: 'x', resource: { ...order, extension: [covered(order)] } }] } });

beforeAll(async () => {
  ehr = await runSandboxEhr({}, (app) => {
    app.use('/cds-services', express.json());
    app.get('/cds-services', (_request, response) => void response.json({
      services: [{
        hook: 'order-sign', id: 'order-sign-crd', description: 'x',
        prefetch: {
          patient: 'Patient/{{context.patientId}}', user: '{{context.userId}}', coverage: 'Coverage?patient={{context.patientId}}&status=active&_include=Coverage:payor',
          device: 'DeviceRequest?_id={{context.draftOrders.DeviceRequest.id}}&_include=DeviceRequest:requester&_include=DeviceRequest:performer',
          service: 'ServiceRequest?_id={{context.draftOrders.ServiceRequest.id}}', encounter: 'Encounter/{{context.encounterId}}', later: 'Device?_id={{%patient.link.other}}',
        },
      }],
    }));
    app.post('/cds-services/order-sign-crd', (request, response) => {
      calls.push({ authorization: request.get('authorization') ?? '', body: request.body });
      const { status, body } = answer(request.body.context.draftOrders.entry[0].resource);
      response.status(status).json(body);
    });
    app.post('/cds-services/order-sign-crd/feedback', (request, response) => {
      feedback.push(request.body);
      response.json({});
    });
  });
  cookie = await ehr.login();
});
afterAll(() => ehr.stop());
beforeEach(() => {
  calls.length = 0;
  answer = decided;
});

async function ui(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
  const response = await fetch(`${ehr.baseUrl}/ehr/ui${path}`, { method, headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as UiReply };
}
const newOrder = async (): Promise<string> => (await ui('/patients/pat-oxygen/orders', { catalogId: 'e1390', reason: 'Condition/cond-oxygen-2', note: 'at night' })).body.order;
const stored = async (reference: string) => (await (await fetch(`${ehr.fhirBase}/${reference}`, { headers: { cookie } })).json()) as DeviceRequest;

describe('signing an order', () => {
  it('calls the service with a signed JWT, a short token and prefetch; keeps what it says', async () => {
    const order = await newOrder();
    expect(await stored(order)).toMatchObject({ status: 'draft', insurance: [{ reference: 'Coverage/cov-oxygen' }], reasonReference: [{ reference: 'Condition/cond-oxygen-2' }] });
    const signed = await ui('/orders/sign', { order });
    expect(signed).toMatchObject({ status: 200, body: { order, hook: { status: 200 }, cards: [card], coverageInformation: [{ covered: 'covered', paNeeded: 'auth-needed', questionnaires: ['https://payer.example/Questionnaire/q|1'] }] } });
    expect(signed.body.failure).toBeUndefined();
    expect(await stored(order)).toMatchObject({ status: 'active', note: [{ text: 'at night' }], extension: [{ url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information' }] });

    const [call] = calls;
    const endpoint = `${ehr.baseUrl}/cds-services/order-sign-crd`;
    const jwt = call?.authorization.slice('Bearer '.length) ?? '';
    expect(decodeProtectedHeader(jwt)).toMatchObject({ alg: 'ES384', typ: 'JWT', jku: `${ehr.baseUrl}/ehr/.well-known/jwks.json` });
    const { payload } = await jwtVerify(jwt, createRemoteJWKSet(new URL(`${ehr.baseUrl}/ehr/.well-known/jwks.json`)), { issuer: `${ehr.baseUrl}/ehr`, audience: endpoint, requiredClaims: ['jti', 'iat'] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);

    if (!call) throw new Error('the service was not called');
    const { context, prefetch, fhirAuthorization, fhirServer } = call.body;
    expect(context).toMatchObject({ userId: 'Practitioner/dr-priya-nair', patientId: 'pat-oxygen' });
    expect(context.draftOrders.entry?.[0]?.resource?.status).toBe('draft');
    expect(Object.keys(prefetch).sort()).toEqual(['coverage', 'device', 'patient', 'service', 'user']);
    expect(prefetch['service']).toBeNull();
    expect(prefetch['coverage']?.entry?.map((one) => one.resource?.id)).toEqual(['cov-oxygen', 'org-cascade-medicare']);
    expect(prefetch['device']?.entry).toHaveLength(2);
    expect([fhirServer, fhirAuthorization.token_type, fhirAuthorization.subject]).toEqual([ehr.fhirBase, 'Bearer', 'open-prior-auth-cds']);
    expect(fhirAuthorization.expires_in).toBeLessThanOrEqual(60);
    const read = (path: string) => fetch(`${ehr.fhirBase}/${path}`, { headers: { authorization: `Bearer ${fhirAuthorization.access_token}` } });
    expect((await read('Patient/pat-oxygen')).status).toBe(200);
    expect((await read('Patient/pat-mri')).status).toBe(404);
  });

  it('shows the cards in the chart and takes feedback', async () => {
    const order = await newOrder();
    await ui('/orders/sign', { order });
    const chart = await ui('/patients/pat-oxygen/chart');
    expect(chart.body.orders.find((one) => one.reference === order)).toMatchObject({ status: 'active', cards: [card] });
    expect(chart.body.observations.find((one) => one.display === 'Blood pressure')?.detail).toMatch(/^Systolic blood pressure \d+ mmHg, Diastolic blood pressure \d+ mmHg$/);
    expect((await ui('/feedback', { service: 'order-sign-crd', cardUuid: 'c1', outcome: 'overridden', overrideReason: 'not needed' })).status).toBe(200);
    expect(feedback.at(-1)).toMatchObject({ feedback: [{ card: 'c1', outcome: 'overridden', overrideReason: { userComment: 'not needed' } }] });
  });

  it('shows why the payer answered so, what it wants to know, and whom to ask', async () => {
    const why = [{ text: 'The site decides.' }, { text: 'The site decides.' }, { coding: [{ code: 'gold-card', display: 'Gold card' }] }, { coding: [{ code: 'no-member-found' }] }];
    const information = (order: DeviceRequest) => writeCoverageInformation({ coverage: 'Coverage/cov-oxygen', covered: 'conditional', infoNeeded: ['location', 'OTH'], reasons: why, date: '2026-11-22', assertionId: `a-${order.id}`, contacts: [{ system: 'phone', value: '+1 206 555 0142' }, { system: 'url', value: 'https://payer.example/desk' }] });
    const desk = { url: 'contact', valueContactDetail: { name: 'Desk', telecom: [{ system: 'phone', value: '+1 206 555 0143' }, { system: 'email', value: 'desk@payer.example' }] } };
    answer = (order) => ({ status: 200, body: { cards: [], systemActions: [{ type: 'update', description: 'x', resource: { ...order, extension: [information(order), { ...covered(order), extension: [...(covered(order).extension ?? []), desk] }] } }] } });
    const order = await newOrder();
    const told = [
      { infoNeeded: ['location', 'OTH'], reasons: ['The site decides.', 'Gold card'], contacts: ['+1 206 555 0142', 'https://payer.example/desk'] },
      { reasons: [], contacts: ['Desk, +1 206 555 0143, desk@payer.example'] },
    ];
    expect((await ui('/orders/sign', { order })).body).toMatchObject({ coverageInformation: told });
    expect((await ui('/patients/pat-oxygen/chart')).body.orders.find((one) => one.reference === order)).toMatchObject({ coverageInformation: told });
  });

  const because = (diagnostics?: string) => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule', ...(diagnostics === undefined ? {} : { diagnostics }) }] });
  it.each<[string, number, unknown, object]>([
    ['400', 400, because('No coverage.'), { kind: 'refused', message: 'No coverage.' }],
    ['412', 412, because('The chart is missing.'), { kind: 'refused', message: 'The chart is missing.' }],
    ['422', 422, because('No coverage.'), { kind: 'refused', message: 'No coverage.' }],
    ['more than a screen holds', 422, because('x'.repeat(5000)), { kind: 'refused', message: `${'x'.repeat(400)}…` }],
    ['no reason', 422, because(), { kind: 'failed', message: 'The coverage check answered with status 422.' }],
    ['a refusal of this EHR itself', 401, because('Who are you?'), { kind: 'failed', message: 'The coverage check answered with status 401.' }],
    ['a fault', 500, because('It broke.'), { kind: 'failed', message: 'The coverage check answered with status 500.' }],
  ])('tells a refusal in the words of the service: %s', async (_name, status, body, failure) => {
    answer = () => ({ status, body });
    expect((await ui('/orders/sign', { order: await newOrder() })).body.failure).toEqual(failure);
  });

  it.each<[string, (order: DeviceRequest) => { status: number; body: unknown }]>([
    ['a 500', () => ({ status: 500, body: {} })],
    ['a 412', () => ({ status: 412, body: {} })],
    ['no cards', () => ({ status: 200, body: { cards: 'none' } })],
  ])('is signed in spite of %s', async (_name, answers) => {
    answer = answers;
    const order = await newOrder();
    const signed = await ui('/orders/sign', { order });
    expect(signed).toMatchObject({ status: 200, body: { cards: [], coverageInformation: [] } });
    expect(signed.body.failure?.message).toBeTruthy();
    expect((await stored(order)).status).toBe('active');
  });

  it.each<[string, (order: DeviceRequest) => object]>([
    ['another order', (order) => ({ ...order, id: 'other', extension: [covered(order)] })],
    ['another patient', (order) => ({ ...order, subject: { reference: 'Patient/pat-mri' }, extension: [covered(order)] })],
    ['another thing', (order) => ({ ...order, codeCodeableConcept: { coding: [{ code: 'K0823' }] }, extension: [covered(order)] })],
    ['junk', () => ({ resourceType: 'DeviceRequest', id: 7 })],
  ])('ignores a systemAction for %s', async (_name, resource) => {
    answer = (order) => ({ status: 200, body: { cards: [], systemActions: [{ type: 'update', description: 'x', resource: resource(order) }] } });
    const order = await newOrder();
    expect((await ui('/orders/sign', { order })).body).toMatchObject({ coverageInformation: [] });
    expect((await stored(order)).subject).toEqual({ reference: 'Patient/pat-oxygen' });
  });
});

describe('bad input', () => {
  it.each<[string, string, unknown, number]>([
    ['bad JSON', '/orders/sign', '{', 400],
    ['no order', '/orders/sign', {}, 422],
    ['an order of another kind', '/orders/sign', { order: 'Patient/pat-oxygen' }, 422],
    ['an unknown order', '/orders/sign', { order: 'DeviceRequest/none' }, 404],
    ['launch of an unknown order', '/orders/launch', { order: 'DeviceRequest/none' }, 404],
    ['unknown catalog item', '/patients/pat-oxygen/orders', { catalogId: 'moon' }, 422],
    ['unknown patient', '/patients/nobody/orders', { catalogId: 'e1390' }, 404],
    ["another patient's reason", '/patients/pat-oxygen/orders', { catalogId: 'e1390', reason: 'Condition/cond-mri-2' }, 422],
    ['no quantity at all', '/patients/pat-oxygen/orders', { catalogId: 'e1390', quantity: 0 }, 422],
    ['unknown user', '/login', { user: 'Practitioner/nobody' }, 422],
    ['login with a number', '/login', { user: 7 }, 422],
    ['feedback without outcome', '/feedback', { service: 'order-sign-crd', cardUuid: 'c' }, 422],
    ['feedback to a path', '/feedback', { service: '../../evil', cardUuid: 'c', outcome: 'accepted' }, 422],
    ['feedback to an unknown service', '/feedback', { service: 'nobody', cardUuid: 'c', outcome: 'accepted' }, 502],
    ['unknown path', '/nothing', {}, 404],
  ])('%s', async (_name, path, body, status) => {
    const reply = await ui(path, body);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
  });
  it('needs a session and JSON', async () => {
    for (const path of ['/session', '/patients', '/patients/pat-oxygen/chart', '/catalog']) expect((await fetch(`${ehr.baseUrl}/ehr/ui${path}`)).status).toBe(401);
    expect((await fetch(`${ehr.baseUrl}/ehr/ui/orders/sign`, { method: 'POST', headers: { cookie }, body: new URLSearchParams({ order: 'x' }) })).status).toBe(415);
    expect((await ui('/patients/nobody/chart')).status).toBe(404);
    expect((await ui('/orders/sign', { order: `DeviceRequest/${'x'.repeat(1_100_000)}` })).status).toBe(413);
  });
  it('a session ends at logout', async () => {
    const session = await ehr.login();
    const headers = { cookie: session, 'content-type': 'application/json' };
    expect((await fetch(`${ehr.baseUrl}/ehr/ui/session`, { headers })).status).toBe(200);
    await fetch(`${ehr.baseUrl}/ehr/ui/logout`, { method: 'POST', headers, body: '{}' });
    expect((await fetch(`${ehr.baseUrl}/ehr/ui/session`, { headers })).status).toBe(401);
  });
});

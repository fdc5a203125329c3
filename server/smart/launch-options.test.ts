import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LaunchChoices, PANEL_SECRET_HEADER, type PanelLaunch } from '#prior-auth/panel-launch-api.ts';
import { startTestEhr, type TestEhr } from '#test-fixtures/test-ehr.ts';
import { PANEL_SCOPES, SAMPLE_LAUNCH, startTestServer, TestBrowser, TestPanel, type TestServer, testRecord } from '#test-fixtures/test-server.ts';
import { readStyle } from './smart-style.ts';

/* SMART App Launch 2.2.0, clause by clause, against the test EHR in real HTTP: what a launch may bring, what may go wrong. */

let server: TestServer;
let rsa: TestEhr;
let styles: Server;
const style = { status: 200, body: '{}' };
beforeAll(async () => {
  styles = createServer((_request, response) => void response.writeHead(style.status, style.status === 302 ? { location: 'https://elsewhere.example/' } : {}).end(style.body));
  await new Promise<void>((done) => styles.listen(0, '127.0.0.1', done));
  const second = { fhirBase: 'https://second.example/r4', name: 'Second EHR', clientId: 'x' };
  server = await startTestServer({ server: async (baseUrl) => {
    rsa = await startTestEhr(() => `${baseUrl}/.well-known/jwks.json`, testRecord());
    return { ehrs: [{ fhirBase: rsa.base, clientId: 'panel', signingAlgorithm: 'RS384', scopes: PANEL_SCOPES }, second, { ...second, fhirBase: 'https://off.example/r4', name: 'Off', disabled: true }] };
  } });
});
afterAll(async () => {
  await server.close();
  await rsa.close();
  styles.close();
});
afterEach(() => {
  server.clock.offsetMs = 0;
  const { behaviour } = server.ehr;
  Object.assign(behaviour, { idToken: {}, forgedIdToken: false, capabilities: ['permission-v2'], refreshTokens: true, expiresIn: 3600 });
  for (const one of ['tokenStatus', 'scope', 'refreshedPatient', 'idTokenAudience'] as const) delete behaviour[one];
});

const launchAddress = (context: Readonly<Record<string, unknown>> = SAMPLE_LAUNCH) => `/panel/launch?iss=${encodeURIComponent(server.ehr.base)}&launch=${server.ehr.launch(context)}`;
const standalone = () => `/panel/standalone?iss=${encodeURIComponent(server.ehr.base)}`;
const askedAt = async (address: string) => new URL((await new TestBrowser(server.baseUrl).go(address)).headers.get('location') ?? 'none:').searchParams;
async function launchOf(panel: TestPanel): Promise<PanelLaunch> {
  return (await panel.call('GET', '/launch')).body as unknown as PanelLaunch;
}
async function refusal(address = launchAddress()): Promise<{ status: number; text: string }> {
  const { response } = await new TestBrowser(server.baseUrl).signIn(address);
  return { status: response.status, text: await response.text() };
}

describe('what is asked for', () => {
  it.each([
    [['permission-v2'], 'openid fhirUser launch patient/*.rs patient/QuestionnaireResponse.cu offline_access'],
    [['permission-v1', 'permission-v2'], 'openid fhirUser launch patient/*.rs patient/QuestionnaireResponse.cu offline_access'],
    [['permission-v1'], 'openid fhirUser launch patient/*.read patient/QuestionnaireResponse.write offline_access'],
    [[], 'openid fhirUser launch patient/*.rs patient/QuestionnaireResponse.cu offline_access'],
  ])('by capabilities %j: %s', async (capabilities, scope) => {
    server.ehr.behaviour.capabilities = capabilities;
    expect((await askedAt(launchAddress())).get('scope')).toBe(scope);
  });
  it('standalone: launch/patient and no launch', async () => {
    const asked = await askedAt(standalone());
    expect([asked.get('scope'), asked.has('launch'), asked.get('aud')]).toEqual(['openid fhirUser launch/patient patient/*.rs patient/QuestionnaireResponse.cu offline_access', false, server.ehr.base]);
  });
  it('only of registered EHRs that are not disabled, and nothing is fetched of others', async () => {
    for (const iss of ['https://off.example/r4', 'https://third.example/r4']) for (const start of [`/panel/standalone?iss=${iss}`, `/panel/launch?iss=${iss}&launch=x`]) expect((await new TestBrowser(server.baseUrl).go(start)).status).toBe(400);
    const { ehrs } = (await (await new TestBrowser(server.baseUrl).go('/panel/api/ehrs')).json()) as { ehrs: { name: string }[] };
    expect(ehrs.map(({ name }) => name)).toEqual([new URL(server.ehr.base).host, new URL(rsa.base).host, 'Second EHR']);
  });
});

describe('what was granted', () => {
  it.each<[string | undefined, string[]]>([
    [undefined, []],
    ['openid fhirUser launch patient/*.rs patient/QuestionnaireResponse.cu offline_access', []],
    ['openid fhirUser launch patient/*.read patient/*.write online_access', []],
    ['openid fhirUser launch user/*.rs', ['patient/QuestionnaireResponse.cu', 'offline_access']],
    ['launch patient/Patient.r patient/Coverage.rs patient/DeviceRequest.rs patient/QuestionnaireResponse.cu offline_access', ['patient/ServiceRequest.r', 'patient/MedicationRequest.r', 'patient/Condition.rs', 'patient/Observation.rs']],
  ])('%s', async (scope, missing) => {
    if (scope !== undefined) server.ehr.behaviour.scope = scope;
    const { notGranted } = await launchOf(await TestPanel.launch(server));
    expect(notGranted.map((each) => each.scope)).toEqual(missing);
    for (const { cannot } of notGranted) expect(cannot).not.toBe('');
  });
  it('is named where the launch fails for want of it', async () => {
    server.ehr.behaviour.scope = 'openid launch patient/Patient.r';
    expect(await refusal(launchAddress({ ...SAMPLE_LAUNCH, fhirContext: ['DeviceRequest/none'] }))).toEqual({ status: 404, text: expect.stringContaining('patient/Coverage.r (the panel cannot tell which payer to ask)') as string });
  });
});

it.each([['2020-01-31', 422], ['2999-12-31', 302]])('an answer of the payer that holds until %s: %i', async (expires, status) => {
  const order = server.ehr.resources.get('DeviceRequest/order-1') as unknown as { readonly extension: readonly { readonly extension: readonly object[] }[] };
  const extension = order.extension.map((answer) => ({ ...answer, extension: [...answer.extension, { url: 'expiry-date', valueDate: expires }] }));
  server.ehr.resources.set('DeviceRequest/order-answered', { ...order, id: 'order-answered', extension } as never);
  const answer = await refusal(launchAddress({ ...SAMPLE_LAUNCH, fhirContext: ['DeviceRequest/order-answered'] }));
  server.ehr.resources.delete('DeviceRequest/order-answered');
  expect([answer.status, /held until 2020-01-31[^]*Sign the order again/.test(answer.text)]).toEqual([status, status === 422]);
});

it('signs with RS384 where the EHR is registered so', async () => {
  const { response } = await new TestBrowser(server.baseUrl).signIn(`/panel/launch?iss=${encodeURIComponent(rsa.base)}&launch=${rsa.launch(SAMPLE_LAUNCH)}`);
  expect([response.status, rsa.assertionAlgorithms]).toEqual([302, ['RS384']]);
  const { keys } = (await (await fetch(`${server.baseUrl}/.well-known/jwks.json`)).json()) as { keys: { alg: string; kid: string; d?: string }[] };
  expect([keys.map(({ alg }) => alg), new Set(keys.map(({ kid }) => kid)).size, keys.some(({ d }) => d)]).toEqual([['ES384', 'RS384'], 2, false]);
});

describe('a sign-in that must not go through', () => {
  it.each<[string, object, number, RegExp]>([
    ['an id token of another key', { forgedIdToken: true }, 400, /could not be verified/],
    ['an id token for another client', { idTokenAudience: 'someone-else' }, 400, /could not be verified/],
    ['another issuer', { idToken: { iss: 'https://evil.example' } }, 400, /could not be verified/],
    ['an id token that is over', { idToken: { exp: 1 } }, 400, /could not be verified/],
    ['an id token without an end', { idToken: { exp: undefined } }, 400, /could not be verified/],
    ['another nonce', { idToken: { nonce: 'of another sign-in' } }, 400, /of another sign-in/],
    ['no nonce', { idToken: { nonce: undefined } }, 400, /of another sign-in/],
    ['another authorized party', { idToken: { azp: 'someone-else' } }, 400, /made for another app/],
    ['a user who is no person', { idToken: { fhirUser: 'Device/1' } }, 400, /names no user/],
    ['no user', { idToken: { fhirUser: undefined } }, 400, /names no user/],
    ['a token endpoint that is down', { tokenStatus: 503 }, 503, /did not answer/],
    ['a token endpoint that refuses the client', { tokenStatus: 401 }, 400, /refused the sign-in/],
    ['a token endpoint that is busy', { tokenStatus: 429 }, 503, /did not answer/],
  ])('%s', async (_what, behaviour, status, words) => {
    Object.assign(server.ehr.behaviour, behaviour);
    expect(await refusal()).toEqual({ status, text: expect.stringMatching(words) as string });
  });
  it('a code that was exchanged before', async () => {
    const browser = new TestBrowser(server.baseUrl);
    const first = await browser.signIn(launchAddress());
    const state = new URL((await browser.go(launchAddress())).headers.get('location') ?? '').searchParams.get('state');
    const again = new URL(first.callback);
    again.searchParams.set('state', state ?? '');
    expect((await browser.go(again.href)).status).toBe(400);
  });
});

describe('launch context', () => {
  it.each<[string, object]>([
    ['strings', { fhirContext: ['DeviceRequest/order-1', 'Coverage/coverage-1'] }],
    ['objects with role launch', { fhirContext: [{ reference: 'DeviceRequest/order-1', role: 'launch' }] }],
    ['beside a form by canonical', { fhirContext: [{ canonical: 'https://payer.example/Questionnaire/oxygen|1', type: 'Questionnaire' }, { reference: 'DeviceRequest/order-1' }] }],
    ['intent that nobody knows', { fhirContext: ['DeviceRequest/order-1'], intent: 'dance' }],
  ])('an order as %s', async (_name, context) => {
    const panel = await TestPanel.launch(server, { patient: 'patient-1', ...context });
    expect((await panel.call('GET', '/case')).body.case.service.order).toBe('DeviceRequest/order-1');
  });
  it.each([[true], [false], [undefined]])('need_patient_banner %s', async (need) => {
    const panel = await TestPanel.launch(server, { ...SAMPLE_LAUNCH, need_patient_banner: need });
    expect((await panel.call('GET', '/session')).body).toMatchObject({ needPatientBanner: need ?? true });
  });
  it('a Task leads to its order, an identifier to the order that has it', async () => {
    server.ehr.resources.set('Task/t1', { resourceType: 'Task', id: 't1', status: 'requested', intent: 'order', for: { reference: 'Patient/patient-1' }, focus: { reference: 'DeviceRequest/order-1' } });
    for (const entry of [{ reference: 'Task/t1' }, { type: 'DeviceRequest', identifier: { system: 'urn:order', value: '1' } }]) {
      const panel = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: [entry] });
      expect((await panel.call('GET', '/case')).body.case.service.order).toMatch(/^DeviceRequest\/order/);
    }
  });
});

describe('without an order', () => {
  const choices = async (panel: TestPanel) => (await panel.call('GET', '/launch/choices')).body as unknown as LaunchChoices;
  async function startStandalone(): Promise<TestPanel> {
    const browser = new TestBrowser(server.baseUrl);
    const { response } = await browser.signIn(standalone());
    return new TestPanel(browser, new URL(response.headers.get('location') ?? 'none:', server.baseUrl).searchParams.get('s') ?? '');
  }
  it('the orders and forms of this patient, and of no other, can be chosen', async () => {
    server.ehr.resources.set('QuestionnaireResponse/qr-1', { resourceType: 'QuestionnaireResponse', id: 'qr-1', status: 'in-progress', subject: { reference: 'Patient/patient-1' }, authored: '2026-11-20T10:00:00Z', extension: [{ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/qr-context', valueReference: { reference: 'DeviceRequest/order-2' } }] });
    const panel = await startStandalone();
    expect(await launchOf(panel)).toMatchObject({ kind: 'choose' });
    expect((await panel.call('GET', '/case')).body.error.code).toBe('CASE_NOT_FOUND');
    const offered = await choices(panel);
    expect(offered.patient.name).not.toContain('Olga');
    expect(offered.choices[0]).toMatchObject({ kind: 'form', reference: 'QuestionnaireResponse/qr-1', state: 'in-progress' });
    expect(offered.choices.map(({ reference }) => reference)).not.toContain('DeviceRequest/order-of-other');
    expect(offered.choices.find(({ reference }) => reference === 'DeviceRequest/order-unsigned')?.state).toBe('not-asked');
    expect((await panel.call('POST', '/launch/choose', { reference: 'DeviceRequest/order-of-other' })).status).toBe(422);
    expect((await panel.call('POST', '/launch/choose', { reference: 'DeviceRequest/order-unsigned' })).status).toBe(422);
    expect((await panel.call('POST', '/launch/choose', { reference: 'QuestionnaireResponse/qr-1' })).status).toBe(200);
    expect((await panel.call('GET', '/case')).body.case.service.order).toBe('DeviceRequest/order-2');
    expect((await panel.call('POST', '/launch/choose', { reference: 'DeviceRequest/order-1' })).body.error.code).toBe('CASE_STEP_NOT_ALLOWED');
  });
  it.each<[unknown, number]>([['{', 400], [{}, 400], [{ reference: 'javascript:x' }, 400], [{ reference: 'DeviceRequest/../../x' }, 400], [{ reference: 'DeviceRequest/none' }, 404]])('choosing %j: %i', async (body, status) => {
    expect((await (await startStandalone()).call('POST', '/launch/choose', body)).status).toBe(status);
  });
});

describe('smart_style_url', () => {
  const address = (path = '') => `http://127.0.0.1:${(styles.address() as AddressInfo).port}${path}`;
  const styleFrom = async (smart_style_url: string) => (await launchOf(await TestPanel.launch(server, { ...SAMPLE_LAUNCH, smart_style_url }))).style;
  it('is not fetched from origins that are not the EHR’s', async () => {
    style.body = '{"color_text":"#000000"}';
    expect(await styleFrom(address('/style.json'))).toEqual({});
  });
  it.each<[string, unknown, object]>([
    ['what is known and well formed', { color_text: '#123', dim_font_size: '13px', font_family_body: "'Noto Sans', serif" }, { color_text: '#123', dim_font_size: '13px', font_family_body: "'Noto Sans', serif" }],
    ['nothing unknown', { color_text: '#112233', position: 'fixed' }, { color_text: '#112233' }],
    ['no CSS', { color_text: 'red;background:url(https://evil.example)', dim_border_radius: 'calc(1px)', font_family_body: 'x}body{display:none' }, {}],
    ['no measure that hides or bursts', { dim_font_size: '1px', dim_spacing_size: '99px', dim_border_radius: '24px' }, { dim_border_radius: '24px' }],
    ['no text', null, {}],
  ])('gives %s', (_name, value, read) => {
    expect(readStyle(value)).toEqual(read);
  });
});

describe('a frame whose browser keeps no cookie', () => {
  async function withoutCookies(headers: Readonly<Record<string, string>>): Promise<Response> {
    const browser = new TestBrowser(server.baseUrl);
    const authorize = (await browser.go(launchAddress())).headers.get('location') ?? '';
    const callback = (await browser.go(authorize)).headers.get('location') ?? '';
    return fetch(callback, { redirect: 'manual', headers });
  }
  const claim = (ticket: string | undefined) => fetch(`${server.baseUrl}/panel/api/claim`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ticket }) });

  it('gets a word, good once, for a secret that proves the session in a header', async () => {
    const answer = await withoutCookies({ 'sec-fetch-dest': 'iframe' });
    const [, id = '', ticket] = /^\/panel\/\?s=([^#]+)#t=(.+)$/.exec(answer.headers.get('location') ?? '') ?? [];
    expect(answer.headers.getSetCookie().filter((cookie) => cookie.startsWith('panel_0'))).toEqual([]);
    const { sessionId, secret } = (await (await claim(ticket)).json()) as { sessionId: string; secret: string };
    expect(sessionId).toBe(id);
    expect((await claim(ticket)).status).toBe(401);
    const panel = new TestPanel(new TestBrowser(server.baseUrl), id);
    expect((await panel.call('GET', '/case', undefined, { [PANEL_SECRET_HEADER]: secret })).status).toBe(200);
    for (const wrong of ['', 'x', ticket ?? '']) expect((await panel.call('GET', '/case', undefined, { [PANEL_SECRET_HEADER]: wrong })).status).toBe(401);
    expect((await panel.call('GET', '/case')).status).toBe(401);
  });
  it('after a minute the word is worth nothing', async () => {
    const ticket = /#t=(.+)$/.exec((await withoutCookies({ 'sec-fetch-dest': 'iframe' })).headers.get('location') ?? '')?.[1];
    server.clock.offsetMs = 61_000;
    expect((await claim(ticket)).status).toBe(401);
  });
  it.each([[{}], [{ 'sec-fetch-dest': 'document' }], [{ 'sec-fetch-dest': 'empty' }]])('is not believed elsewhere: %j', async (headers) => {
    expect((await withoutCookies(headers)).status).toBe(400);
  });
  it('a cookie of another sign-in is worse than none', async () => {
    expect((await withoutCookies({ 'sec-fetch-dest': 'iframe', cookie: 'panel_state_x=y' })).status).toBe(302);
  });
});

describe('two charts at once', () => {
  const second = { patient: 'patient-2', fhirContext: ['DeviceRequest/order-of-other'] };
  it('neither session reaches the other’s chart, whatever is mixed up', async () => {
    const coverage = server.ehr.resources.get('Coverage/coverage-1');
    server.ehr.resources.set('Coverage/coverage-2', { ...coverage, id: 'coverage-2', beneficiary: { reference: 'Patient/patient-2' } } as never);
    const order = server.ehr.resources.get('DeviceRequest/order-of-other');
    server.ehr.resources.set('DeviceRequest/order-of-other', JSON.parse(JSON.stringify(order).replace('Coverage/coverage-1', 'Coverage/coverage-2')) as never);
    const browser = new TestBrowser(server.baseUrl);
    const [a, b] = [await TestPanel.launch(server, SAMPLE_LAUNCH, browser), await TestPanel.launch(server, second, browser)];
    const [caseA, caseB] = [(await a.call('GET', '/case')).body.case, (await b.call('GET', '/case')).body.case];
    expect([caseA.patient.id, caseB.patient.id]).toEqual(['patient-1', 'patient-2']);
    const { forms: [form] } = (await a.call('GET', '/questionnaires')).body;
    const saved = await b.call('PUT', '/questionnaires/save', { formId: form?.formId, version: form?.version, response: form?.response });
    const ofA = (await a.call('GET', '/questionnaires')).body.forms[0];
    expect([ofA?.version, JSON.stringify(ofA?.response)]).toEqual([form?.version, JSON.stringify(form?.response)]);
    expect(JSON.stringify(saved.body)).not.toContain('patient-1');
    // A header of one session with only the other's cookie.
    const onlyB = new TestBrowser(server.baseUrl);
    onlyB.setCookie(`panel_${b.sessionId}`, browser.cookie(`panel_${b.sessionId}`) ?? '');
    expect((await new TestPanel(onlyB, a.sessionId).call('GET', '/case')).status).toBe(401);
  });
  it('what comes late for a closed session is refused', async () => {
    const panel = await TestPanel.launch(server);
    await panel.call('GET', '/questionnaires');
    await panel.call('POST', '/session/close', {});
    for (const [method, path] of [['PUT', '/questionnaires/save'], ['POST', '/questionnaires/complete'], ['POST', '/questionnaires/populate'], ['POST', '/pas-bundle/submit']] as const) expect((await panel.call(method, path, {})).status).toBe(401);
  });
  it('a renewed token that is for another patient ends the session', async () => {
    const panel = await TestPanel.launch(server);
    server.ehr.behaviour.refreshedPatient = 'patient-2';
    server.clock.offsetMs = 3_600_000;
    expect((await panel.call('GET', '/source?reference=Patient/patient-1')).status).toBe(401);
    server.clock.offsetMs = 0;
    expect((await panel.call('GET', '/case')).status).toBe(401);
  });
});

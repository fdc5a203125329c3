import type { Bundle, Claim, CommunicationRequest, Parameters } from '@medplum/fhirtypes';
import express from 'express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CaseState } from '#prior-auth/case.ts';
import { type FakePayer, startFakePayer } from '#test-fixtures/fake-payer.ts';
import { type TestReply, TestPanel, type TestServer, startTestServer, TEST_FORM, testForm } from '#test-fixtures/test-server.ts';

/* The panel's messages from the review to the end of a case, over HTTP, with a payer that shares no code with us. */

let payer: FakePayer;
let server: TestServer;
beforeAll(async () => {
  payer = await startFakePayer();
  server = await startTestServer({ started: true, formPayer: () => payerWithForm() });
});
afterAll(async () => {
  await server.close();
  await payer.close();
});
beforeEach(() => {
  payer.steady = { kind: 'decide', code: 'A1' };
});

/** The form is answered here; everything else goes to the payer as it is. */
function payerWithForm(): express.Router {
  const router = express.Router();
  router.post('/Questionnaire/\\$questionnaire-package', express.json({ type: () => true, limit: '1mb' }), (request, response) => {
    const { parameter } = request.body as Parameters;
    const context = parameter?.find(({ name }) => name === 'context')?.valueString;
    const resource = context === 'TRACE-1' ? { ...testForm, url: 'https://payer.example/Questionnaire/more', title: 'More about the sleep study' } : testForm;
    response.type('application/fhir+json').json({ resourceType: 'Bundle', type: 'collection', entry: [{ resource }] });
  });
  router.use(express.text({ type: () => true, limit: '20mb' }), async (request, response) => {
    const url = payer.fhirBase + request.url;
    const headers = { 'content-type': request.get('content-type') ?? 'application/json', authorization: request.get('authorization') ?? '' };
    const answer = await fetch(url, { method: request.method, headers, ...(request.method === 'GET' ? {} : { body: typeof request.body === 'string' ? request.body : '' }) });
    response.status(answer.status).type(answer.headers.get('content-type') ?? 'text/plain').send(await answer.text());
  });
  return router;
}

let orders = 0;

/** A new order of the patient, its form completed. */
async function ready(): Promise<{ readonly panel: TestPanel; readonly order: string; readonly version: number }> {
  const order = signOrder();
  const panel = await TestPanel.launch(server, { patient: 'patient-1', need_patient_banner: false, fhirContext: [{ reference: order }, { reference: 'Coverage/coverage-1' }] });
  await complete(panel);
  return { panel, order, version: await versionOf(panel) };
}

function signOrder(): string {
  orders += 1;
  const id = `order-of-life-${orders}`;
  const order = server.ehr.resources.get('DeviceRequest/order-2');
  server.ehr.resources.set(`DeviceRequest/${id}`, { ...JSON.parse(JSON.stringify(order).replaceAll('assertion-1', `assertion-${id}`)), id });
  return `DeviceRequest/${id}`;
}

async function complete(panel: TestPanel, formId = TEST_FORM): Promise<TestReply> {
  const form = (await panel.call('GET', '/questionnaires')).body.forms.find((each) => each.formId === formId);
  const { body } = await panel.call('POST', '/questionnaires/complete', { formId, version: form?.version, response: { ...form?.response, item: [{ linkId: 'mobile', answer: [{ valueBoolean: true }] }] } });
  return body;
}

const versionOf = async (panel: TestPanel): Promise<number> => (await panel.call('GET', '/case')).body.case.version;
const act = async (panel: TestPanel, path: string, more: object = {}, method = 'POST') => panel.call(method, path, { caseVersion: await versionOf(panel), ...more });

async function reach(panel: TestPanel, what: (state: CaseState) => boolean): Promise<TestReply> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { body } = await panel.call('GET', '/case');
    if (what(body.case.state)) return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the case stays ${JSON.stringify((await panel.call('GET', '/case')).body.case.state)}`);
}

const sent = async (): Promise<TestPanel> => {
  const { panel, version } = await ready();
  await panel.call('POST', '/pas-bundle/submit', { caseVersion: version });
  return panel;
};

const lastClaim = (): Claim => (JSON.parse(payer.submits.at(-1) ?? '{}') as Bundle).entry?.[0]?.resource as Claim;

describe('before sending', () => {
  let prepared: ReturnType<typeof ready> | undefined;

  it('an entry is left out, another added, an order joins with its form, and exactly that is sent', async () => {
    const { panel, version } = await ready();
    const joining = signOrder();
    const before = (await panel.call('GET', '/pas-bundle/preview')).body;
    const [first] = before.resources.filter(({ optional }) => optional);
    expect(first).toMatchObject({ reference: expect.any(String), why: expect.any(String) });
    const left = first?.reference ?? '';

    const chosen = await panel.call('PUT', '/pas-bundle/choices', { caseVersion: version, further: [], include: ['Observation/saturation'], exclude: [left], diagnoses: {} });
    expect(chosen).toMatchObject({ status: 200, body: { view: { case: { version: version + 1 } }, review: { chosen: { exclude: [left] } } } });
    expect(chosen.body.review.leftOut).toContainEqual(expect.objectContaining({ reference: left, byPerson: true }));
    expect(chosen.body.review.resources.map(({ reference }) => reference)).toContain('Observation/saturation');
    expect(await panel.call('POST', '/pas-bundle/submit', { caseVersion: version })).toMatchObject({ status: 409, body: { error: { code: 'CASE_CONFLICT' } } });

    const offered = (await panel.call('GET', '/pas-bundle/orders')).body.orders;
    expect(offered).toContainEqual(expect.objectContaining({ reference: joining, forms: 1 }));
    expect(offered).toContainEqual(expect.objectContaining({ reference: 'DeviceRequest/order-unsigned', obstacle: 'not-asked' }));
    expect(offered.map(({ reference }) => reference)).not.toContain('DeviceRequest/order-of-other');
    const joined = await act(panel, '/pas-bundle/choices', { further: [joining], include: [], exclude: [left], diagnoses: {} }, 'PUT');
    expect(joined.body.view.case).toMatchObject({ state: { kind: 'questionnaire' }, further: [{ order: joining }] });
    await panel.call('GET', '/questionnaires');
    const asked = (await panel.call('GET', '/case')).body.case;
    expect(asked.state).toEqual({ kind: 'ready' });
    expect((await panel.call('GET', '/pas-bundle/preview')).body.items).toHaveLength(2);
    await panel.call('POST', '/pas-bundle/submit', { caseVersion: asked.version });
    const decided = await reach(panel, ({ kind }) => kind === 'decided');
    expect(decided.asked).toMatchObject([{ sequence: 1 }, { sequence: 2 }]);
    expect(lastClaim().item).toHaveLength(2);
    const observations = (JSON.parse(payer.submits.at(-1) ?? '') as Bundle).entry?.filter(({ resource }) => resource?.resourceType === left.split('/')[0]) ?? [];
    expect(observations.length).toBeLessThan(before.resources.filter(({ resourceType }) => resourceType === left.split('/')[0]).length + 1);

    const own = await TestPanel.launch(server, { patient: 'patient-1', need_patient_banner: false, fhirContext: [{ reference: joining }, { reference: 'Coverage/coverage-1' }] });
    await complete(own);
    expect(await act(own, '/pas-bundle/submit')).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED', message: expect.stringContaining('another request') } } });
  });

  it.each([
    ['another patient’s order', { further: ['DeviceRequest/order-of-other'] }, 404, 'ORDER_NOT_FOUND'],
    ['an order that the payer was not asked about', { further: ['DeviceRequest/order-unsigned'] }, 409, 'CASE_STEP_NOT_ALLOWED'],
    ['no order', { further: ['Patient/patient-1'] }, 400, 'REQUEST_INVALID'],
    ['a code that is none', { diagnoses: { 'Condition/1': 'drop table' } }, 400, 'REQUEST_INVALID'],
    ['an entry elsewhere', { include: ['https://evil.example/Observation/1'] }, 400, 'REQUEST_INVALID'],
  ])('%s is refused', async (_what, wrong, status, code) => {
    prepared ??= ready();
    const { panel, version } = await prepared;
    expect(await panel.call('PUT', '/pas-bundle/choices', { caseVersion: version, further: [], include: [], exclude: [], diagnoses: {}, ...wrong })).toMatchObject({ status, body: { error: { code } } });
  });
});

describe('what the payer asks for', () => {
  const ask: CommunicationRequest = {
    resourceType: 'CommunicationRequest', status: 'active', identifier: [{ system: 'https://payer.example.org/acn', value: 'ACN-1' }],
    payload: [{ contentString: 'Please send the sleep study.' }], occurrencePeriod: { end: '2026-12-01' },
  };

  it('is answered with an entry, a file and a note; what is wrong with a file is said', async () => {
    payer.planned.push({ kind: 'decide', code: 'A4', asks: [ask] });
    const panel = await sent();
    const { asks: [open] = [] } = (await reach(panel, ({ kind }) => kind === 'pended')).case.state as Extract<CaseState, { kind: 'pended' }>;
    expect(open).toMatchObject({ text: 'Please send the sleep study.', due: '2026-12-01', state: 'open' });
    const pdf = { title: 'study.pdf', contentType: 'application/pdf', data: Buffer.from('%PDF-1.7 study').toString('base64') };
    const answer = (more: object) => act(panel, '/asks/answer', { askId: open?.id, references: [], files: [], ...more });
    expect(await answer({ files: [{ ...pdf, data: Buffer.from('MZ program').toString('base64') }] })).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('not of the kind') } } });
    expect(await answer({ files: [{ ...pdf, contentType: 'application/x-msdownload' }] })).toMatchObject({ status: 400 });
    expect(await answer({ references: ['Observation/of-other'] })).toMatchObject({ status: 404, body: { error: { code: 'SOURCE_NOT_FOUND' } } });
    expect(await answer({})).toMatchObject({ status: 400 });
    expect(await answer({ askId: 'nothing', note: 'x' })).toMatchObject({ status: 400 });

    const answered = await answer({ references: ['Observation/saturation'], files: [pdf], note: 'The study follows by mail.' });
    expect(answered.body.case.state).toMatchObject({ kind: 'pended', asks: [{ answer: { kind: 'sending', by: 'Helen Fairchild' } }] });
    const after = await reach(panel, (state) => state.kind === 'pended' && state.asks?.[0]?.state === 'answered');
    expect(after.case.state).toMatchObject({ asks: [{ state: 'answered' }] });
    const { parameter = [] } = JSON.parse(payer.attachments.at(-1) ?? '{}') as Parameters;
    const contents = parameter.filter(({ name }) => name === 'Attachment').map(({ part }) => part?.find(({ name }) => name === 'Content')?.resource);
    expect(contents.map((content) => content?.resourceType)).toEqual(['Observation', 'DocumentReference', 'DocumentReference']);
    expect(JSON.stringify(contents)).toContain(pdf.data);
    expect(JSON.stringify(contents)).not.toContain('patient-1');
  });

  it('by a form is answered with that form, while all others stay as they were sent', async () => {
    const form: CommunicationRequest = { ...ask, identifier: [{ value: 'ACN-2' }], payload: [{ contentString: '102089-0' }] };
    payer.planned.push({ kind: 'decide', code: 'A4', asks: [form] });
    const panel = await sent();
    const pended = await reach(panel, ({ kind }) => kind === 'pended');
    const { asks: [open] = [] } = pended.case.state as Extract<CaseState, { kind: 'pended' }>;
    expect(open?.wants.kind).toBe('questionnaire');
    const opened = await act(panel, '/asks/form', { askId: open?.id });
    const [its] = opened.body.askForms ?? [];
    expect(its).toMatchObject({ askId: open?.id, completed: false });
    expect(await act(panel, '/asks/answer', { askId: open?.id, references: [], files: [] })).toMatchObject({ status: 422, body: { error: { code: 'QUESTIONNAIRE_INCOMPLETE' } } });
    const [old] = (await panel.call('GET', '/questionnaires')).body.forms;
    expect(await panel.call('PUT', '/questionnaires/save', { formId: old?.formId, version: old?.version, response: old?.response })).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED' } } });
    expect((await complete(panel, its?.formId)).case.state.kind).toBe('pended');
    const done = await act(panel, '/asks/answer', { askId: open?.id, references: [], files: [] });
    expect(done.status).toBe(200);
    await reach(panel, (state) => state.kind !== 'pended' || state.asks?.[0]?.state === 'answered');
  });
});

describe('after the answer', () => {
  it('a request is changed, its use written down, renewed, cancelled, and asked for again; the panel goes on with the new case', async () => {
    const panel = await sent();
    const decided = await reach(panel, ({ kind }) => kind === 'decided');
    expect(decided).toMatchObject({ decisionWords: { tone: 'good' }, authorizations: [{ sequence: 1, number: 'AUTH0001', used: 0 }] });
    const used = await act(panel, '/case/use', { sequence: 1, quantity: 2, usedOn: '2026-11-22' });
    expect(used.body.authorizations).toMatchObject([{ used: 2 }]);

    const unit = decided.asked?.[0]?.quantity?.unit;
    const changed = await act(panel, '/case/change', { change: { cancel: [], change: [{ sequence: 1, quantity: { value: 3, ...(unit ? { unit } : {}) } }], add: [] } });
    expect(changed.body.case.state).toMatchObject({ kind: 'queued', purpose: 'update', before: { kind: 'decided' } });
    expect((await reach(panel, ({ kind }) => kind === 'decided')).asked).toMatchObject([{ sequence: 1, quantity: { value: 3 } }]);
    expect(await act(panel, '/case/change', { change: { cancel: [9], change: [], add: [] } })).toMatchObject({ status: 400 });

    await act(panel, '/case/cancel');
    const cancelled = await reach(panel, ({ kind }) => kind === 'cancelled');
    const again = await act(panel, '/case/request-again');
    expect(again.body.case).toMatchObject({ follows: { caseId: cancelled.case.id, why: 'cancelled' } });
    expect((await panel.call('GET', '/case')).body.case.id).toBe(again.body.case.id);
    expect(await act(panel, '/case/renew')).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED' } } });
  });

  it('one that cannot be delivered is held, let go by hand, its decision written down, and shown as entered', async () => {
    payer.steady = { kind: 'status', status: 503 };
    const panel = await sent();
    await reach(panel, (state) => state.kind === 'queued' && state.attempts > 0);
    let held = await act(panel, '/case/hold');
    for (let tries = 0; held.status === 409 && tries < 20; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      held = await act(panel, '/case/hold');
    }
    expect(held.body.case.state).toMatchObject({ kind: 'held', heldBy: 'Helen Fairchild' });
    expect((await act(panel, '/case/manual', { reference: 'CALL-17' })).body.case.state).toMatchObject({ kind: 'manual', reference: 'CALL-17' });
    expect((await act(panel, '/case/manual', { reference: 'CALL-18', submittedAt: '2026-11-22T10:00:00.000Z' }, 'PUT')).body).toMatchObject({ case: { state: { reference: 'CALL-18' } }, clock: { startedAt: '2026-11-22T10:00:00.000Z' } });
    expect(await act(panel, '/case/decision', { decision: { items: [], learnedBy: 'telephone' } })).toMatchObject({ status: 400 });
    const decided = await act(panel, '/case/decision', { decision: { items: [{ kind: 'denied', sequence: 1, explanation: 'No sleep study.' }], learnedBy: 'telephone', note: 'Spoke to Ms. Poe' } });
    expect(decided.body).toMatchObject({ case: { state: { kind: 'decided', decision: { entered: { by: { name: 'Helen Fairchild' }, learnedBy: 'telephone' } } } }, decisionWords: { tone: 'bad' } });
    expect(await act(panel, '/case/cancel')).toMatchObject({ status: 409 });
    const packet = (await panel.call('GET', '/packet')).body.sections;
    expect(packet.find(({ title }) => title === 'Items')).toMatchObject({ entries: [expect.stringMatching(/^1\. .*Denied; No sleep study\./)] });
    expect(JSON.stringify(packet)).toContain('Entered by Helen Fairchild');
  });
});

import type { Extension, Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { openForm } from '#prior-auth/questionnaire/open-form.ts';
import { createDtrPayer, type DtrPayer, refusal } from '#test-fixtures/dtr-payer.ts';
import { startTestServer, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';
import { exportDtrMetrics } from '../questionnaire/export-metrics.ts';

const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const URL_OF_FORM = 'https://payer.example/Questionnaire/oxygen-steps';
const search: Questionnaire = {
  resourceType: 'Questionnaire', id: 'oxygen-steps', url: URL_OF_FORM, version: '1', title: 'Home oxygen, step by step', status: 'active',
  extension: [
    { url: `${S}questionnaireAdaptive`, valueBoolean: true },
    { url: `${S}launchContext`, extension: [{ url: 'name', valueCoding: { code: 'patient' } }, { url: 'type', valueCode: 'Patient' }] },
  ],
};
const gender: QuestionnaireItem = { linkId: 'gender', text: 'Gender', type: 'string', required: true, extension: [{ url: `${S}initialExpression`, valueExpression: { language: 'text/fhirpath', expression: '%patient.gender' } }] };
const mobile: QuestionnaireItem = { linkId: 'mobile', text: 'Is the patient mobile?', type: 'boolean', required: true };
const reason: QuestionnaireItem = { linkId: 'reason', text: 'Why', type: 'string', required: true };
const broken: QuestionnaireItem = { linkId: 'broken', text: 'Broken', type: 'string', extension: [{ url: `${S}initialExpression`, valueExpression: { language: 'text/fhirpath', expression: '%patient.gender.(' } }] };
const equipment: QuestionnaireItem = { linkId: 'equipment', text: 'Equipment', type: 'open-choice', answerValueSet: 'https://payer.example/ValueSet/equipment|1' };
const asked = (...item: QuestionnaireItem[]): Questionnaire => {
  const { url: _url, ...form } = search;
  return { ...form, derivedFrom: [`${URL_OF_FORM}|1`], item };
};
const coverageInformation = (more: readonly Extension[]): Extension => ({
  url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information',
  extension: [
    { url: 'coverage', valueReference: { reference: 'Coverage/coverage-1' } }, { url: 'covered', valueCode: 'covered' }, { url: 'date', valueDate: '2026-11-22' },
    { url: 'coverage-assertion-id', valueString: 'assertion-1' }, ...more,
  ],
});

let server: TestServer;
let payer: DtrPayer;
beforeAll(async () => {
  server = await startTestServer({
    started: true,
    formPayer: (base) => {
      payer = createDtrPayer(base);
      payer.answers.package = () => ({ body: { resourceType: 'Parameters', parameter: [{ name: 'packagebundle', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: search }] } }, { name: 'Outcome', resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational', details: { text: 'Have the blood gas report at hand.' } }] } }] } });
      payer.answers.next = (answers) => (!answers.has('gender') ? asked(gender, mobile) : answers.has('reason') ? undefined : asked(gender, mobile, reason, broken, equipment));
      return payer.router;
    },
  });
});
afterAll(() => server.close());

async function start(order: string) {
  const panel = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: [`DeviceRequest/${order}`] });
  const [form] = (await panel.call('GET', '/questionnaires')).body.forms;
  if (!form) throw new Error('no form');
  const next = (response: QuestionnaireResponse, version: number) => panel.call('POST', '/questionnaires/next', { formId: form.formId, version, response });
  return { panel, form, next };
}

function answered(form: { readonly questionnaire: Questionnaire; readonly response: QuestionnaireResponse }, values: Readonly<Record<string, object>>): QuestionnaireResponse {
  const open = openForm({ ...form, author: { reference: 'Practitioner/clinician-1' }, today: '2026-11-22' });
  for (const [linkId, value] of Object.entries(values)) open.setAnswer(linkId, 0, value);
  return open.response();
}

const itemOf = (response: QuestionnaireResponse, linkId: string): QuestionnaireResponseItem | undefined => response.item?.find((item) => item.linkId === linkId);

describe('an adaptive form', () => {
  it('is asked for in steps, filled in as it grows, refused while answers are missing, and completed by the payer alone', async () => {
    payer.answers.coverageInformation = coverageInformation([{ url: 'pa-needed', valueCode: 'satisfied' }, { url: 'satisfied-pa-id', valueString: 'PA-77' }]);
    const { panel, form, next } = await start('order-1');
    expect(form).toMatchObject({ adaptive: true, questionnaire: { title: 'Home oxygen, step by step' }, population: { warnings: ['Have the blood gas report at hand.'] } });
    expect((await panel.call('GET', '/case')).body.case.state).toEqual({ kind: 'questionnaire', missing: 1 });

    const first = await next(form.response, form.version);
    expect(first).toMatchObject({ status: 200, body: { completed: false, problems: [], form: { questionnaire: { item: [{ linkId: 'gender' }, { linkId: 'mobile' }] } } } });
    expect(itemOf(first.body.form.response, 'gender')?.answer?.[0]).toMatchObject({ valueString: 'female' });

    const early = await next(first.body.form.response, first.body.form.version);
    expect(early).toMatchObject({ status: 422, body: { error: { code: 'QUESTIONNAIRE_INCOMPLETE', message: expect.stringContaining('mobile') } } });
    const byHand = await panel.call('POST', '/questionnaires/complete', { formId: form.formId, version: first.body.form.version, response: answered(first.body.form, { mobile: { valueBoolean: true } }) });
    expect(byHand).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED' } } });

    payer.answers.wrapped = true;
    const second = await next(answered(first.body.form, { mobile: { valueBoolean: true } }), first.body.form.version);
    expect(second.body.form.questionnaire.item?.map(({ linkId }) => linkId)).toEqual(['gender', 'mobile', 'reason', 'broken', 'equipment']);
    expect(itemOf(second.body.form.response, 'mobile')?.answer?.[0]).toMatchObject({ valueBoolean: true });

    const refused = await next(answered(second.body.form, { reason: { valueString: 'not acceptable' } }), second.body.form.version);
    expect(refused).toMatchObject({ status: 200, body: { completed: false, problems: [{ linkId: 'reason', message: 'Say it in other words.' }], form: { version: second.body.form.version } } });
    const conflict = await next(answered(second.body.form, { reason: { valueString: 'breathless' } }), 1);
    expect(conflict.status).toBe(409);

    const done = await next(answered(second.body.form, { reason: { valueString: 'breathless' } }), second.body.form.version);
    expect(done).toMatchObject({ status: 200, body: { completed: true, form: { response: { status: 'completed' } }, case: { state: { kind: 'no-authorization-needed', authorizationNumber: 'PA-77' } } } });
    expect(done.body.case.requirement).toMatchObject({ paNeeded: 'satisfied', satisfiedPaId: 'PA-77' });

    const orderNow = server.ehr.resources.get('DeviceRequest/order-1');
    expect(JSON.stringify(orderNow)).toContain('PA-77');
    expect(JSON.stringify(orderNow).match(/ext-coverage-information/g)).toHaveLength(1);
    expect(server.ehr.calls).toContain('POST QuestionnaireResponse');
    const again = await next(done.body.form.response, done.body.form.version);
    expect(again.body.completed).toBe(true);
    expect((await panel.call('PUT', '/questionnaires/save', { formId: form.formId, version: done.body.form.version, response: done.body.form.response })).status).toBe(409);
    expect((await panel.call('POST', '/pas-bundle/submit', { caseVersion: done.body.case.version })).status).toBe(409);

    const { bundle } = (await panel.call('GET', `/questionnaires/bundle?formId=${encodeURIComponent(form.formId)}`)).body;
    const faults = openValidator(['dtr-2.0.1']).validate(bundle).issues.filter(({ severity }) => severity === 'error');
    expect(faults.map(({ path, message }) => `${path} ${message}`)).toEqual([]);
    expect(bundle).toMatchObject({ type: 'collection', entry: [{ resource: { resourceType: 'QuestionnaireResponse', status: 'completed' } }] });
  });

  it('goes on to the request when the payer does not call it satisfied', async () => {
    payer.answers.coverageInformation = coverageInformation([{ url: 'pa-needed', valueCode: 'auth-needed' }]);
    payer.answers.next = () => undefined;
    const { form, next } = await start('order-2');
    const done = await next(form.response, form.version);
    expect(done.body).toMatchObject({ completed: true, case: { state: { kind: 'ready' } } });
  });

  it('tells the payer which of its expressions failed, and no more', async () => {
    await expect.poll(() => payer.calls.some(({ operation }) => operation === '/Questionnaire/$log-questionnaire-errors'), { timeout: 5_000 }).toBe(true);
    const report = payer.calls.find(({ operation }) => operation === '/Questionnaire/$log-questionnaire-errors')?.body;
    expect(report?.parameter?.map(({ name }) => name)).toEqual(['questionnaire', 'operationOutcome']);
    expect(report?.parameter?.[0]).toMatchObject({ valueCanonical: `${URL_OF_FORM}|1` });
    const text = JSON.stringify(report);
    expect(text).toContain('broken');
    expect(text).toMatch(/Open Prior Auth \d+\.\d+\.\d+; \d{4}-\d\d-\d\dT[\d:.]+\+00:00/);
    for (const secret of ['female', 'breathless', 'patient-1', 'Practitioner']) expect(text).not.toContain(secret);
  });

  it('searches a list of answers through the server', async () => {
    const { panel, form, next } = await start('order-3').catch(() => start('order-1'));
    void next;
    payer.answers.expand = () => ({ body: { resourceType: 'ValueSet', status: 'active', expansion: { timestamp: '2026-11-22', total: 120, contains: [{ system: 'https://x', code: 'A', display: 'Concentrator' }] } } });
    const found = await panel.call('GET', `/questionnaires/options?formId=${encodeURIComponent(form.formId)}&linkId=equipment&filter=conc`);
    expect(found).toMatchObject({ status: 200, body: { options: [{ system: 'https://x', code: 'A', display: 'Concentrator' }], more: true } });
    const call = payer.calls.find(({ operation }) => operation === '/ValueSet/$expand');
    expect(call?.body.parameter).toEqual(expect.arrayContaining([expect.objectContaining({ valueUri: 'https://payer.example/ValueSet/equipment' }), expect.objectContaining({ valueString: '1' }), expect.objectContaining({ valueString: 'conc' })]));
    const before = payer.calls.length;
    await panel.call('GET', `/questionnaires/options?formId=${encodeURIComponent(form.formId)}&linkId=equipment&filter=Conc`);
    expect(payer.calls).toHaveLength(before);
    payer.answers.expand = () => refusal(404, 'unknown');
    expect(await panel.call('GET', `/questionnaires/options?formId=${encodeURIComponent(form.formId)}&linkId=equipment&filter=other`)).toMatchObject({ status: 503, body: { error: { code: 'PAYER_UNAVAILABLE' } } });
    expect((await panel.call('GET', `/questionnaires/options?formId=${encodeURIComponent(form.formId)}&linkId=&filter=x`)).status).toBe(400);
  });

  it('keeps DTRMetricData without a word of the patient', async () => {
    const lines: string[] = [];
    for await (const line of exportDtrMetrics(server.store, new Date(0), new Date(Date.now() + 60_000))) lines.push(line);
    const records = lines.map((line) => JSON.parse(line) as { action: { actionDetail: string }[]; questionnaire: object[]; launchMode?: string });
    expect(records.length).toBeGreaterThan(0);
    expect(records.flatMap(({ action }) => action.map(({ actionDetail }) => actionDetail))).toEqual(expect.arrayContaining(['launch', 'qpackage', 'nextq', 'mrquery', 'storeqr']));
    expect(records[0]).toMatchObject({ source: 'DTRApp-src', payerId: { value: 'cascade-medicare' }, questionnaire: [{ reference: `${URL_OF_FORM}|1`, adaptive: true, elapsedTime: expect.stringMatching(/^\d\d:\d\d:\d\d$/) }] });
    for (const secret of ['patient-1', 'female', 'breathless']) expect(lines.join('')).not.toContain(secret);
  });
});

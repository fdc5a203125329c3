import type { Questionnaire } from '@medplum/fhirtypes';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDtrPayer, type DtrPayer } from '#test-fixtures/dtr-payer.ts';
import { startTestServer, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';

const FORM = 'https://payer.example/Questionnaire/oxygen';
const form = (version: string, more: Partial<Questionnaire> = {}): Questionnaire => ({
  resourceType: 'Questionnaire', url: FORM, version, title: 'Home oxygen', status: 'active',
  item: [{ linkId: 'mobile', text: 'Mobile?', type: 'boolean', required: true }, { linkId: 'note', text: 'Note', type: 'string' }], ...more,
});
const packageOf = (...questionnaires: Questionnaire[]) => ({ body: { resourceType: 'Parameters', parameter: questionnaires.map((resource) => ({ name: 'packagebundle', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource }] } })) } });
const nothing = { body: { resourceType: 'Parameters' } };

let server: TestServer;
let payer: DtrPayer;
beforeAll(async () => {
  server = await startTestServer({ dtr: { version: '2.2' }, formPayer: (base) => (payer = createDtrPayer(base)).router });
});
afterAll(() => server.close());

const launch = (order: string) => TestPanel.launch(server, { patient: 'patient-1', fhirContext: [`DeviceRequest/${order}`] });
const namesOf = (call: DtrPayer['calls'][number] | undefined) => call?.body.parameter?.map(({ name }) => name);

/** Writes into the form, so that there is something to lose. */
async function begin(order: string, first: Questionnaire) {
  payer.calls.length = 0;
  payer.answers.package = () => packageOf(first);
  const panel = await launch(order);
  const [listed] = (await panel.call('GET', '/questionnaires')).body.forms;
  const saved = await panel.call('PUT', '/questionnaires/save', { formId: listed?.formId, version: listed?.version, response: { ...listed?.response, item: [{ linkId: 'note', answer: [{ valueString: 'kept words' }] }] } });
  expect(saved.status).toBe(200);
  await panel.call('GET', '/questionnaires');
  expect(payer.calls).toHaveLength(1);
}

describe('a form that is resumed', () => {
  it('the payer is asked once a session whether it changed; what did not change stays', async () => {
    await begin('order-1', form('1'));
    expect(namesOf(payer.calls[0])).toEqual(['coverage', 'order', 'questionnaire', 'context']);
    payer.answers.package = () => nothing;
    const panel = await launch('order-1');
    const again = (await panel.call('GET', '/questionnaires')).body.forms;
    await panel.call('GET', '/questionnaires');
    expect(payer.calls).toHaveLength(2);
    expect(payer.calls[1]?.body.parameter?.find(({ name }) => name === 'changedsince')).toMatchObject({ valueInstant: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) });
    expect(JSON.stringify(again)).toContain('kept words');
  });
  it('a new version takes over what was answered', async () => {
    payer.answers.package = () => packageOf(form('2'));
    const forms = (await (await launch('order-1')).call('GET', '/questionnaires')).body.forms;
    expect(forms.map(({ formId }) => formId)).toEqual([`${FORM}|2`]);
    expect(forms[0]?.response).toMatchObject({ questionnaire: `${FORM}|2`, status: 'in-progress' });
    expect(JSON.stringify(forms)).toContain('kept words');
  });
  it('a payer that is away keeps nobody from the form', async () => {
    payer.answers.package = () => ({ status: 503, body: {} });
    const listed = await (await launch('order-1')).call('GET', '/questionnaires');
    expect(listed).toMatchObject({ status: 200, body: { forms: [{ formId: `${FORM}|2` }] } });
  });
  it('one that expired meanwhile is stopped in the record, and the valid one asked for without naming it', async () => {
    await begin('order-2', form('1', { effectivePeriod: { end: '2099-01-01' } }));
    await server.store.db.withTables<{ 'cases.form': { package: string } }>().updateTable('cases.form').set({ package: sql<string>`jsonb_set(package, '{questionnaire,effectivePeriod}', '{"end":"2020-01-01"}')` }).execute();
    payer.calls.length = 0;
    payer.answers.package = () => packageOf({ ...form('9'), url: 'https://payer.example/Questionnaire/oxygen-new' });
    const forms = (await (await launch('order-2')).call('GET', '/questionnaires')).body.forms;
    expect(forms.map(({ formId }) => formId)).toEqual(['https://payer.example/Questionnaire/oxygen-new|9']);
    expect(forms[0]?.population.warnings).toEqual([expect.stringContaining('expired before it was completed')]);
    expect(namesOf(payer.calls[0])).not.toContain('changedsince');
    const stopped = [...server.ehr.resources.values()].filter((resource) => resource.resourceType === 'QuestionnaireResponse' && resource.status === 'stopped');
    expect(stopped).toHaveLength(1);
    expect(JSON.stringify(stopped)).toContain('qr-coverage');
  });
  it('a payer that sends words instead of a form is heard', async () => {
    await server.store.db.withTables<{ 'cases.prior_auth_case': { document: string; forms_read_for: string | null } }>().updateTable('cases.prior_auth_case').set({ forms_read_for: null, document: sql<string>`jsonb_set(document, '{requirement,questionnaires}', '[]')` }).execute();
    payer.answers.package = () => ({ body: { resourceType: 'Parameters', parameter: [{ name: 'outcome', resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text: 'Call the desk for this one.' } }] } }] } });
    const listed = await (await launch('order-2')).call('GET', '/questionnaires');
    expect(listed.body).toMatchObject({ forms: [], notices: ['Call the desk for this one.'] });
  });
});

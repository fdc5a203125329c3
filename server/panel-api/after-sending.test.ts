import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Extension } from '@medplum/fhirtypes';
import { sql } from 'kysely';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { createCasePort } from '#server/store/case-answers.ts';
import { createCaseStore } from '#server/store/cases.ts';
import { TestPanel, type TestServer, startTestServer } from '#test-fixtures/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function toReady(): Promise<{ readonly panel: TestPanel; readonly caseId: string; readonly version: number }> {
  const panel = await TestPanel.launch(server);
  const [form] = (await panel.call('GET', '/questionnaires')).body.forms;
  await panel.call('POST', '/questionnaires/complete', { formId: form?.formId, version: form?.version, response: { ...form?.response, item: [{ linkId: 'mobile', answer: [{ valueBoolean: true }] }] } });
  const { id, version } = (await panel.call('GET', '/case')).body.case;
  return { panel, caseId: id, version };
}

describe('an order signed anew while its case is prepared', () => {
  it('brings the new determination; answers of a form asked for again stay', async () => {
    const first = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: ['DeviceRequest/order-2'] });
    const [form] = (await first.call('GET', '/questionnaires')).body.forms;
    await first.call('PUT', '/questionnaires/save', { formId: form?.formId, version: form?.version, response: { ...form?.response, item: [{ linkId: 'mobile', answer: [{ valueBoolean: true }] }] } });
    const order = server.ehr.resources.get('DeviceRequest/order-2');
    const signedAnew = JSON.parse(JSON.stringify(order).replace('assertion-1', 'assertion-2'));
    server.ehr.resources.set('DeviceRequest/order-2', signedAnew);
    const second = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: ['DeviceRequest/order-2'] });
    expect((await second.call('GET', '/case')).body.case.requirement.assertionId).toBe('assertion-2');
    const before = server.payerCalls.length;
    const [again] = (await second.call('GET', '/questionnaires')).body.forms;
    expect(server.payerCalls.length).toBe(before + 1);
    expect(again?.response.item).toEqual([expect.objectContaining({ linkId: 'mobile' })]);
  });
});

describe('a service that needs no authorization', () => {
  it('has a case with nothing to do', async () => {
    const order = server.ehr.resources.get('DeviceRequest/order-unsigned');
    const answer: Extension = JSON.parse(JSON.stringify((server.ehr.resources.get('DeviceRequest/order-1') as { extension?: Extension[] }).extension?.[0]).replace('auth-needed', 'no-auth'));
    server.ehr.resources.set('DeviceRequest/order-free', { ...order, id: 'order-free', extension: [answer] } as never);
    const panel = await TestPanel.launch(server, { patient: 'patient-1', fhirContext: ['DeviceRequest/order-free'] });
    const { version, state } = (await panel.call('GET', '/case')).body.case;
    expect(state).toEqual({ kind: 'no-authorization-needed' });
    expect((await panel.call('GET', '/questionnaires')).body.forms).toEqual([]);
    expect(await panel.call('POST', '/pas-bundle/submit', { caseVersion: version })).toMatchObject({ status: 409, body: { error: { code: 'CASE_STEP_NOT_ALLOWED' } } });
  });
});

describe('a request that the payer refused', () => {
  it('can be sent again by a person, and then tells the decision in words', async () => {
    const { panel, caseId, version } = await toReady();
    expect((await panel.call('POST', '/pas-bundle/submit', { caseVersion: version })).body.case.state.kind).toBe('queued');
    const port = createCasePort(createCaseStore(server.store, Date.now, () => 'UTC'), Date.now);
    await server.store.db.withTables<{ 'pas.submission': { case_id: string; status: string } }>().updateTable('pas.submission').set({ status: 'refused' }).execute();
    await server.store.transaction((trx) => port.recordAnswer(trx, caseId, { kind: 'refused', refusedAt: '2026-11-22T10:00:00.000Z', reason: 'HTTP 400' }, 'latest'));
    const refused = (await panel.call('GET', '/case')).body.case;
    expect(refused.state).toMatchObject({ kind: 'refused', reason: 'HTTP 400' });
    expect(await panel.call('POST', '/pas-bundle/submit', { caseVersion: refused.version })).toMatchObject({ status: 200, body: { case: { state: { kind: 'queued' } } } });

    const decision = { decidedAt: '2026-11-22T12:00:00.000Z', items: [{ sequence: 1, decision: { kind: 'denied', reasonCodes: ['X'], explanation: ['No'] } }], overall: 'denied', errors: [] } as const;
    await server.store.transaction((trx) => port.recordAnswer(trx, caseId, { kind: 'decided', submittedAt: '2026-11-22T10:00:00.000Z', decision }, 'latest'));
    expect((await panel.call('GET', '/case')).body).toMatchObject({ decisionWords: { tone: 'bad' }, clock: { kind: 'standard', stoppedAt: decision.decidedAt } });

    // Only a denied order that has like cases among the external reviews shows what became of them.
    const outlook = async () => (await panel.call('GET', '/case')).body.appealOutlook;
    expect(await outlook()).toBeUndefined();
    const coded = { service: { codings: [{ system: CODE_SYSTEMS.hcpcs, code: 'E1390' }], reasonCodes: [{ system: CODE_SYSTEMS.icd10cm, code: 'J44.9' }] } };
    await sql`update cases.prior_auth_case set document = jsonb_set(document, '{service}', document->'service' || ${JSON.stringify(coded.service)}::jsonb) where id = ${caseId}::uuid`.execute(server.store.db);
    expect(await outlook()).toMatchObject({ likenedTo: { diagnosis: 'Respiratory System', treatment: 'Durable Medical Equipment' }, checked: { year: 2016 } });
  });
});

import type { DeviceRequest } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, TestPanel, type TestServer } from '#test-fixtures/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const order = server.ehr.resources.get('DeviceRequest/order-1') as DeviceRequest;
  const [answer] = order.extension ?? [];
  const withoutForm = { ...answer, url: answer?.url ?? '', extension: answer?.extension?.filter(({ url }) => !['doc-needed', 'doc-purpose', 'questionnaire'].includes(url)) ?? [] };
  server.ehr.resources.set('DeviceRequest/order-1', { ...order, reasonReference: [], codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E0277' }] }, extension: [withoutForm] });
  const patient = { reference: 'Patient/patient-1' };
  server.ehr.resources.set('Condition/ulcer', { resourceType: 'Condition', id: 'ulcer', subject: patient, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'L89.153' }], text: 'Pressure ulcer of sacrum, stage 3' } });
  server.ehr.resources.set('Condition/gout', { resourceType: 'Condition', id: 'gout', subject: patient, code: { text: 'Gout' } });
});
afterAll(() => server.close());

it('where the payer has no form, what its criteria rest on is sent, and nothing else of the chart', async () => {
  const panel = await TestPanel.launch(server);
  expect((await panel.call('GET', '/case')).body.case.state).toEqual({ kind: 'ready' });
  const { status, body } = await panel.call('GET', '/pas-bundle/preview');
  expect(status).toBe(200);
  const shown = JSON.stringify(body);
  expect(shown).toContain('Pressure ulcer of sacrum, stage 3');
  expect(shown).not.toContain('Gout');
});

import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openAuditTrail } from '#store/audit.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { SAMPLE_LAUNCH, startTestServer, TestBrowser, type TestServer } from '#test-fixtures/test-server.ts';
import { openRegisteredEhrs } from '../smart/registered-ehrs.ts';
import { createSessions } from '../smart/sessions.ts';
import type { EhrClient } from './ehr-client.ts';
import { sessionEhrOpener } from './session-ehr.ts';

/* A session saves only what is about its patient, whatever the EHR would allow. */

let server: TestServer;
let ehr: EhrClient;
beforeAll(async () => {
  server = await startTestServer();
  const { store, baseUrl } = server;
  const browser = new TestBrowser(baseUrl);
  const { response } = await browser.signIn(`/panel/launch?iss=${encodeURIComponent(server.ehr.base)}&launch=${server.ehr.launch(SAMPLE_LAUNCH)}`);
  const id = new URL(response.headers.get('location') ?? '', baseUrl).searchParams.get('s') ?? '';
  const sessions = createSessions(store, Date.now);
  const audit = await openAuditTrail(store, Date.now, () => undefined);
  const ehrs = await openRegisteredEhrs({ store, audit, now: Date.now, builtIn: [{ fhirBase: server.ehr.base, clientId: 'panel' }], onFileFault: () => undefined });
  await audit.stop();
  const keys = await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now);
  ehr = sessionEhrOpener({ baseUrl, keys, now: Date.now }, sessions, ehrs)(await sessions.resume('panel', id, browser.cookie(`panel_${id}`)));
});
afterAll(() => server.close());

it.each<[string, Resource, boolean]>([
  ['an answered form of this patient', { resourceType: 'QuestionnaireResponse', status: 'completed', subject: { reference: 'Patient/patient-1' } }, true],
  ['an answered form of another', { resourceType: 'QuestionnaireResponse', status: 'completed', subject: { reference: 'Patient/patient-2' } }, false],
  ['a task for another', { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: 'Patient/patient-2' } }, false],
  ['a coverage of another', { resourceType: 'Coverage', status: 'active', beneficiary: { reference: `https://other.example/Patient/patient-2` }, payor: [] }, false],
  ['an order of another, under an id of this one', { resourceType: 'DeviceRequest', id: 'order-1', intent: 'order', subject: { reference: 'Patient/patient-2' } }, false],
])('%s', async (_name, resource, saved) => {
  const before = server.ehr.calls.length;
  const outcome = await ehr.save(resource).then(() => 'saved', (error: unknown) => (error as { readonly code: string }).code);
  expect([outcome, server.ehr.calls.length > before]).toEqual(saved ? ['saved', true] : ['EHR_REFUSED', false]);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenLauncher, startOpenLauncher } from '#test-fixtures/open-launcher.ts';
import { startTestServer, TestBrowser, TestPanel, type TestServer, testRecord } from '#test-fixtures/test-server.ts';

/* The panel launched by an authorization server that shares no code with it and keeps strictly to the text: test-fixtures/open-launcher.ts. */

const SCOPES = 'openid fhirUser launch offline_access patient/*.rs patient/QuestionnaireResponse.cu patient/DeviceRequest.rus';
const CONTEXT = { patient: 'patient-1', encounter: 'enc-9', need_patient_banner: true, fhirContext: ['DeviceRequest/order-1', 'Coverage/coverage-1'] };
const folder = mkdtempSync(join(tmpdir(), 'opa-ehrs-'));
let server: TestServer;
let secretive: OpenLauncher;
let posting: OpenLauncher;
let open: OpenLauncher;
beforeAll(async () => {
  server = await startTestServer({
    async server(baseUrl) {
      secretive = await startOpenLauncher(`${baseUrl}/panel/callback`, testRecord());
      open = await startOpenLauncher(`${baseUrl}/panel/callback`, testRecord(), 'public');
      posting = await startOpenLauncher(`${baseUrl}/panel/callback`, testRecord(), 'secret-post');
      const ehrsFile = join(folder, 'ehrs.json');
      writeFileSync(ehrsFile, JSON.stringify({ ehrs: [
        { name: 'Open launcher', fhirBase: secretive.iss, clientId: secretive.clientId, clientAuthentication: 'client_secret_basic', clientSecret: secretive.clientSecret, scopes: SCOPES },
        { fhirBase: posting.iss, clientId: posting.clientId, clientAuthentication: 'client_secret_post', clientSecret: posting.clientSecret, scopes: SCOPES },
        { fhirBase: `${open.iss}/`, clientId: open.clientId, clientAuthentication: 'none', scopes: SCOPES },
      ] }));
      return { ehrsFile };
    },
  });
});
afterAll(async () => {
  await server.close();
  await Promise.all([secretive.close(), posting.close(), open.close()]);
  rmSync(folder, { recursive: true });
});

async function launchFrom(launcher: OpenLauncher): Promise<TestPanel> {
  const browser = new TestBrowser(server.baseUrl);
  const { response } = await browser.signIn(launcher.launch('/panel/launch', CONTEXT)).catch((error: unknown) => {
    throw new Error(`refused: ${launcher.broken.join(', ')}`, { cause: error });
  });
  const sessionId = new URL(response.headers.get('location') ?? 'none:', server.baseUrl).searchParams.get('s');
  expect([response.status, sessionId, sessionId === null ? await response.text() : '']).toEqual([302, expect.any(String), '']);
  return new TestPanel(browser, sessionId ?? '');
}

describe.each([['with a secret in the header', () => secretive], ['with a secret in the form', () => posting], ['as a public client', () => open]])('an unlike launcher, %s', (_name, launcher) => {
  it('opens the case of its order, in the rights it gave, and keeps to every rule of the text', async () => {
    const panel = await launchFrom(launcher());
    expect((await panel.call('GET', '/case')).body.case).toMatchObject({ ehrBase: launcher().iss, service: { order: 'DeviceRequest/order-1' }, patient: { id: 'patient-1' } });
    expect((await panel.call('GET', '/launch')).body).toMatchObject({ kind: 'case', notGranted: [] });
    expect(launcher().asked.at(-1)).toBe('openid fhirUser launch offline_access patient/*.read patient/QuestionnaireResponse.write patient/DeviceRequest.*');
    expect(launcher().broken).toEqual([]);
  });
  it('renews its token there', async () => {
    const panel = await launchFrom(launcher());
    server.clock.offsetMs = 2 * 3_600_000;
    expect((await panel.call('GET', '/source?reference=Patient/patient-1')).status).toBe(200);
    server.clock.offsetMs = 0;
    expect(launcher().broken).toEqual([]);
  });
});

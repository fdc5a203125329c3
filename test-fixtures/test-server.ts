import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DeviceRequest, Extension, Questionnaire, Resource } from '@medplum/fhirtypes';
import express from 'express';
import { pino } from 'pino';
import { loadPolicies } from '#policies/load-policies.ts';
import { createPayerDirectory, type PayerDtrService } from '#prior-auth/coverage-requirement/payer.ts';
import { type CaseView, type ErrorReply, PANEL_SESSION_HEADER, type PanelReplies } from '#prior-auth/panel-api.ts';
import { createServer } from '#server/server.ts';
import type { EhrRegistration } from '#server/smart/ehr-registration.ts';
import { openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { startJobs } from '#store/jobs.ts';
import { sampleInput } from './pas-submission-input.ts';
import { startTestEhr, type TestEhr } from './test-ehr.ts';
import { openTestStore } from './test-store.ts';

export const TEST_FORM = 'https://payer.example/Questionnaire/oxygen|1';
export const PANEL_SCOPES = 'openid fhirUser launch patient/*.rs patient/QuestionnaireResponse.cu offline_access';

export interface TestServer {
  readonly baseUrl: string;
  readonly store: Store;
  readonly ehr: TestEhr;
  /** The server's clock, epoch ms; tests move it. */
  readonly clock: { offsetMs: number };
  /** How often the payer was asked for its forms. */
  readonly payerCalls: string[];
  close(): Promise<void>;
}

interface TestServerOptions {
  /** More EHRs and settings, told the server's address. */
  readonly server?: (baseUrl: string) => Promise<Pick<Parameters<typeof createServer>[0], 'ehrsFile' | 'adminToken'> & { readonly ehrs?: readonly EhrRegistration[] }>;
  /** Another payer than the one with one form. */
  readonly formPayer?: (base: () => string) => express.Router;
  readonly dtr?: PayerDtrService;
  /** Background work too: the sender and reports to payers. */
  readonly started?: boolean;
}

/** Our server with a small EHR and a payer that gives one form. Nothing is sent to the payer: the sender's background work is not started. */
export async function startTestServer({ formPayer, dtr, started = false, server: more = async () => ({}) }: TestServerOptions = {}): Promise<TestServer> {
  const clock = { offsetMs: 0 };
  const now = () => Date.now() + clock.offsetMs;
  const payerCalls: string[] = [];
  const app = express();
  const http = createHttpServer(app);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  app.use('/test-payer', formPayer?.(() => `${baseUrl}/test-payer`) ?? testPayer(`${baseUrl}/test-payer`, payerCalls));

  const ehr = await startTestEhr(() => `${baseUrl}/.well-known/jwks.json`, testRecord());
  const store = await openTestStore();
  const jobs = await startJobs(store, (error) => {
    throw error;
  });
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });
  const audit = await openAuditTrail(store, now, (error) => log.error({ err: error }, 'audit'));
  const payers = createPayerDirectory([
    { id: 'cascade-medicare', name: 'Cascade Medicare Administrative Contractor (synthetic)', organizationIdentifiers: [{ system: 'https://openpriorauth.org/payer-id', value: 'cascade-medicare' }], matchNames: [], fhirBase: `${baseUrl}/test-payer`, dtr, pasVersion: '2.0.1', subscriptions: 'none', timeZone: 'America/Los_Angeles' },
  ]);
  const { ehrs = [], ...options } = await more(baseUrl);
  const server = await createServer({ ...options, store, jobs, baseUrl, log, now, audit, policies: loadPolicies(), payers, ehrs: [{ fhirBase: ehr.base, clientId: 'panel', scopes: PANEL_SCOPES, worklistClientId: 'worklist' }, ...ehrs] });
  app.use(server.router);
  if (started) await server.start();
  return {
    baseUrl, store, ehr, clock, payerCalls,
    async close() {
      await new Promise<void>((done) => {
        http.close(() => done());
        http.closeAllConnections();
      });
      await server.stop();
      await audit.stop();
      await jobs.stop();
      await ehr.close();
      await store.close();
    },
  };
}

/** A browser that keeps cookies and follows nothing by itself. */
export class TestBrowser {
  readonly #cookies = new Map<string, string>();
  readonly baseUrl: string;

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl;
  }

  async go(url: string, init: RequestInit = {}): Promise<Response> {
    const ours = url.startsWith('/') || url.startsWith(this.baseUrl);
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(url, this.baseUrl), { redirect: 'manual', ...init, headers: { ...(ours && cookie ? { cookie } : {}), ...(init.headers as Record<string, string> | undefined) } });
    if (ours) {
      for (const line of response.headers.getSetCookie()) {
        const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? [];
        if (value === '') this.#cookies.delete(name);
        else this.#cookies.set(name, value);
      }
    }
    return response;
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** Follows the sign-in up to our answer at the callback; gives its address too. */
  async signIn(start: string): Promise<{ readonly callback: string; readonly response: Response }> {
    const leaving = await this.go(start);
    const authorize = leaving.headers.get('location');
    if (!authorize) throw new Error(`sign-in did not start: ${leaving.status} ${await leaving.text()}`);
    const back = (await this.go(authorize)).headers.get('location');
    if (!back) throw new Error('the EHR did not send the browser back');
    return { callback: back, response: await this.go(back) };
  }
}

export const SAMPLE_LAUNCH = { patient: 'patient-1', need_patient_banner: false, fhirContext: [{ reference: 'DeviceRequest/order-1' }, { reference: 'Coverage/coverage-1' }] };

/** Every reply at once: each test looks at the part that its call gives. */
export type TestReply = CaseView & PanelReplies['previewSubmission'] & PanelReplies['chooseSubmission'] & PanelReplies['listFurtherOrders'] & PanelReplies['readPacket'] & PanelReplies['listForms'] & PanelReplies['nextQuestion'] & PanelReplies['searchOptions'] & PanelReplies['readResponseBundle'] & PanelReplies['completeForm'] & PanelReplies['readSource'] & ErrorReply;

export class TestPanel {
  readonly browser: TestBrowser;
  readonly sessionId: string;

  constructor(browser: TestBrowser, sessionId: string) {
    this.browser = browser;
    this.sessionId = sessionId;
  }

  static async launch(server: TestServer, context: Readonly<Record<string, unknown>> = SAMPLE_LAUNCH, browser = new TestBrowser(server.baseUrl)): Promise<TestPanel> {
    const { response } = await browser.signIn(`/panel/launch?iss=${encodeURIComponent(server.ehr.base)}&launch=${server.ehr.launch(context)}`);
    const sessionId = new URL(response.headers.get('location') ?? 'none:', server.baseUrl).searchParams.get('s');
    if (!sessionId) throw new Error(`launch failed: ${response.status} ${await response.text()}`);
    return new TestPanel(browser, sessionId);
  }

  async call(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: TestReply }> {
    const response = await this.browser.go(`/panel/api${path}`, {
      method,
      headers: { [PANEL_SESSION_HEADER]: this.sessionId, ...(method === 'GET' ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }
}

function testPayer(base: string, calls: string[]): express.Router {
  const router = express.Router();
  router.get('/.well-known/smart-configuration', (_request, response) => void response.json({ token_endpoint: `${base}/token` }));
  router.post('/token', (_request, response) => void response.json({ access_token: 'payer-token', token_type: 'Bearer', expires_in: 300 }));
  router.post('/Questionnaire/\\$questionnaire-package', (_request, response) => {
    calls.push('$questionnaire-package');
    response.type('application/fhir+json').json({ resourceType: 'Bundle', type: 'collection', entry: [{ resource: testForm }] });
  });
  // Out of order, so that what is submitted stays queued however soon it is sent.
  router.post('/Claim/\\$submit', (_request, response) => void response.status(503).end());
  return router;
}

export const testForm: Questionnaire = {
  resourceType: 'Questionnaire',
  id: 'oxygen',
  url: 'https://payer.example/Questionnaire/oxygen',
  version: '1',
  title: 'Home oxygen',
  status: 'active',
  extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-launchContext', extension: [{ url: 'name', valueCoding: { system: 'http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext', code: 'patient' } }, { url: 'type', valueCode: 'Patient' }] }],
  item: [
    {
      linkId: 'born',
      text: 'Date of birth',
      type: 'string',
      extension: [{ url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression', valueExpression: { language: 'text/fhirpath', expression: '%patient.gender' } }],
    },
    { linkId: 'mobile', text: 'Is the patient mobile at home?', type: 'boolean', required: true },
  ],
};

export function testRecord(): Resource[] {
  const { patient, coverage, order, practitioner, supporting } = sampleInput();
  const coverageInformation: Extension = {
    url: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information',
    extension: [
      { url: 'coverage', valueReference: { reference: 'Coverage/coverage-1' } },
      { url: 'covered', valueCode: 'covered' },
      { url: 'pa-needed', valueCode: 'auth-needed' },
      { url: 'doc-needed', valueCode: 'clinical' },
      { url: 'doc-purpose', valueCode: 'withpa' },
      { url: 'questionnaire', valueCanonical: TEST_FORM },
      { url: 'date', valueDate: '2026-11-20' },
      { url: 'coverage-assertion-id', valueString: 'assertion-1' },
    ],
  };
  const withAnswer: DeviceRequest = { ...(order as DeviceRequest), extension: [coverageInformation] };
  const other: Resource[] = [
    { resourceType: 'Patient', id: 'patient-2', name: [{ family: 'Other', given: ['Olga'] }] },
    { resourceType: 'Observation', id: 'of-other', status: 'final', code: { text: 'Not yours' }, subject: { reference: 'Patient/patient-2' } },
    { ...withAnswer, id: 'order-of-other', subject: { reference: 'Patient/patient-2' } },
    { ...withAnswer, id: 'order-2' },
    { ...withAnswer, id: 'order-unsigned', extension: [] },
  ];
  const payer: Resource = { resourceType: 'Organization', id: 'payer-in-ehr', name: 'Cascade Medicare Administrative Contractor (synthetic)' };
  return [patient, coverage, withAnswer, payer, ...(practitioner ? [practitioner] : []), ...supporting, ...other];
}

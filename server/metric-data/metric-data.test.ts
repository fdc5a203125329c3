import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PasMetricData } from '#fhir/pas/metric-data.ts';
import type { CaseStateKind } from '#prior-auth/case.ts';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { type FakePayer, startFakePayer } from '#test-fixtures/fake-payer.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createPasSender, type PasSender } from '../pas/sender.ts';
import { createCasePort } from '../store/case-answers.ts';
import { createCaseStore, type CaseStore } from '../store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { collectPasMetrics } from './export-metrics.ts';
import { pasMetricsRouter } from './metrics-router.ts';
import type { PublicMetrics } from './public-metrics.ts';

const ADMIN_TOKEN = 'a-token-for-this-test';
const timeZoneOf = () => 'America/Los_Angeles';
const always = { from: new Date(0), to: new Date(Date.now() + 86_400_000) };
let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let sender: PasSender;
let payer: FakePayer;
let http: Server;
let base: string;

const onError = (error: unknown): never => {
  throw error;
};

beforeAll(async () => {
  store = await openTestStore();
  jobs = await startJobs(store, onError);
  audit = await openAuditTrail(store, Date.now, onError);
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  cases = createCaseStore(store, Date.now, timeZoneOf);
  const app = express();
  await new Promise<void>((resolve) => {
    http = app.listen(0, '127.0.0.1', () => resolve());
  });
  base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  payer = await startFakePayer();
  const log = pino({ enabled: false });
  const payers = createPayerDirectory([
    { id: 'cascade-medicare', name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: payer.fhirBase, pasVersion: '2.0.1', subscriptions: 'none', timeZone: timeZoneOf() },
  ]);
  sender = await createPasSender({ store, jobs, baseUrl: base, log, now: Date.now, audit, payers, keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), cases: createCasePort(cases, Date.now), inquiryIntervalMs: 100, retryBaseMs: 50 });
  app.use(sender.router, pasMetricsRouter({ adminToken: ADMIN_TOKEN, store, audit, log, now: Date.now, timeZoneOf }));
  await sender.start();
});

afterAll(async () => {
  await sender.stop();
  await jobs.stop();
  await audit.stop();
  await payer.close();
  await new Promise((resolve) => {
    http.closeAllConnections();
    http.close(resolve);
  });
  await store.close();
});

async function submitted(order: string, until: CaseStateKind): Promise<string> {
  const input = sampleInput({ order: { ...sampleInput().order, id: order } });
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...opening } = input.case;
  const caseId = await store.transaction(async (trx) => {
    const opened = await cases.open(trx, opening, 'Practitioner/clinician-1');
    const result = await sender.queueSubmission(trx, { ...input, case: opened.case }, 'Practitioner/clinician-1');
    if (result.kind !== 'queued') throw new Error(JSON.stringify(result));
    await cases.change(trx, opened.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
    return opened.case.id;
  });
  await reach(caseId, until);
  return caseId;
}

async function reach(caseId: string, kind: CaseStateKind): Promise<void> {
  for (const end = Date.now() + 8_000; ; ) {
    const { state } = await cases.read(caseId);
    if (state.kind === kind) return;
    if (Date.now() > end) throw new Error(`the case stays ${state.kind}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const last = async (): Promise<PasMetricData | undefined> => (await collectPasMetrics(store, timeZoneOf, always)).at(-1);

it('a failed try and an approval: both exchanges, the item with its result, providers by NPI, and nobody else', async () => {
  payer.planned.push({ kind: 'status', status: 503 }, { kind: 'decide', code: 'A1' });
  await submitted('order-approved', 'decided');
  const record = await last();
  expect(record).toMatchObject({
    source: 'provider-src',
    providerId: { system: 'http://hl7.org/fhir/sid/us-npi', value: '1122334463' },
    groupId: { system: 'http://hl7.org/fhir/sid/us-npi', value: '1245319599' },
    payerId: { value: 'cascade-medicare' },
    exchange: [
      { type: 'initial', with: 'payer', method: 'restful', httpResponse: '503' },
      { type: 'subsequent', httpResponse: '200', responseTime: expect.any(String) },
    ],
    issue: [{ code: 'transient' }],
    itemDetail: [{ trn: 1, item: { coding: [{ code: 'E1390' }] }, assertionId: 'a-1', result: 'approved', responsesRequired: 1, locationType: 'home', finalResponseTime: expect.any(String) }],
    review: { priority: 'standard', dueTime: expect.any(String), approvedAfterAppeal: false },
  });
  for (const named of ['Ada', 'Example', 'patient-1', 'order-approved', 'M-100', '999-00-1111', 'Fairchild']) expect(JSON.stringify(record)).not.toContain(named);
});

it('a pended request: its inquiries are exchanges, and the final answer is the item’s', async () => {
  payer.planned.push({ kind: 'decide', code: 'A4' });
  const caseId = await submitted('order-pended', 'pended');
  expect((await last())?.itemDetail).toMatchObject([{ result: 'pended', responsesRequired: 1 }]);
  expect((await last())?.itemDetail?.[0]).not.toHaveProperty('finalResponseTime');
  payer.decideAll('A3');
  await reach(caseId, 'decided');
  const record = await last();
  expect(record?.exchange.map(({ type }) => type)).toEqual(expect.arrayContaining(['initial', 'query']));
  expect(record?.itemDetail).toMatchObject([{ result: 'denied', responsesRequired: 2, finalResponseTime: expect.any(String) }]);
});

it('a refusal leaves its codes, never the payer’s words', async () => {
  payer.planned.push({ kind: 'status', status: 422 });
  await submitted('order-refused', 'refused');
  const record = await last();
  expect(record).toMatchObject({ exchange: [{ type: 'initial', httpResponse: '422' }], issue: [{ code: 'invalid' }], itemDetail: [] });
  expect(JSON.stringify(record)).not.toContain('Ada');
});

it('an export for the operator only, of the days asked for', async () => {
  const get = (path: string, token = ADMIN_TOKEN) => fetch(`${base}/admin/pas-metrics${path}`, { headers: { authorization: `Bearer ${token}` } });
  expect((await get('', 'wrong')).status).toBe(401);
  expect((await fetch(`${base}/admin/pas-metrics`)).status).toBe(401);
  expect((await get('?from=yesterday')).status).toBe(400);
  expect((await get('?from=2026-11-20&to=2026-11-01')).status).toBe(400);
  const lines = (await (await get('')).text()).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as PasMetricData).source)).toEqual(['provider-src', 'provider-src', 'provider-src']);
  expect(await (await get('?to=2020-01-01')).text()).toBe('');
  const figures = (await (await get('/public')).json()) as PublicMetrics;
  expect(figures.standard).toMatchObject({ requests: 3, decided: 2, approved: 1, denied: 1, pending: 1 });
});

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPayer, type PayerPart } from '#payer/payer.ts';
import type { CaseState } from '#prior-auth/case.ts';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { createCaseStore, type CaseStore } from '../store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { createPasSender, type PasSender } from './sender.ts';

let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let sender: PasSender;
let payer: PayerPart;
let http: Server;

const onError = (error: unknown): never => {
  throw error;
};

beforeAll(async () => {
  store = await openTestStore();
  jobs = await startJobs(store, onError);
  audit = await openAuditTrail(store, Date.now, onError);
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  cases = createCaseStore(store, Date.now, () => 'America/Los_Angeles');
  const app = express();
  await new Promise<void>((resolve) => {
    http = app.listen(0, '127.0.0.1', () => resolve());
  });
  const baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const log = pino({ enabled: false });
  const payers = createPayerDirectory([
    { id: 'cascade-medicare', name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: `${baseUrl}/payer/fhir`, pasVersion: '2.0.1', subscriptions: 'rest-hook', timeZone: 'America/Los_Angeles' },
  ]);
  sender = await createPasSender({ store, jobs, baseUrl, log, now: Date.now, audit, payers, keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), cases: createCasePort(cases, Date.now), inquiryIntervalMs: 600_000 });
  payer = await createPayer({
    db: store.db, baseUrl, log, now: Date.now, reviewDelayMs: 1_500,
    policyFolder: join(import.meta.dirname, '../../policies/library'),
    registeredClients: [{ clientId: 'open-prior-auth-server', jwksUrl: `${baseUrl}/.well-known/jwks.json` }],
  });
  app.use(sender.router, payer.router);
  await sender.start();
  await payer.start();
});

afterAll(async () => {
  await sender.stop();
  await payer.stop();
  await jobs.stop();
  await audit.stop();
  await new Promise((resolve) => {
    http.closeAllConnections();
    http.close(resolve);
  });
  await store.close();
});

async function submitted(order: Order): Promise<string> {
  const input = sampleInput({ order });
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...opening } = input.case;
  return store.transaction(async (trx) => {
    const opened = await cases.open(trx, opening, 'Practitioner/clinician-1');
    const result = await sender.queueSubmission(trx, { ...input, case: opened.case }, 'Practitioner/clinician-1');
    if (result.kind !== 'queued') throw new Error(JSON.stringify(result));
    await cases.change(trx, opened.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
    return opened.case.id;
  });
}

async function reach(caseId: string, kind: CaseState['kind']): Promise<CaseState> {
  const end = Date.now() + 10_000;
  for (;;) {
    const { state } = await cases.read(caseId);
    if (state.kind === kind) return state;
    if (Date.now() > end) throw new Error(`case stays ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('with the payer of this repository', () => {
  it('a request whose answers leave a criterion open is taken, and pended with the payer’s reference and words', async () => {
    const state = await reach(await submitted(sampleInput().order), 'pended');
    expect(state).toMatchObject({ decision: { overall: 'pended', items: [{ sequence: 1, decision: { administrativeReference: expect.any(String), explanation: [expect.any(String)] } }] } });
  });

  it('a pended one is decided after the review, told by notification (the next inquiry is ten minutes away)', async () => {
    const wheelchair = { ...sampleInput().order, id: 'order-2', codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'K0823' }] } } as Order;
    const caseId = await submitted(wheelchair);
    expect(await reach(caseId, 'pended')).toMatchObject({ decision: { overall: 'pended' } });
    expect(await reach(caseId, 'decided')).toMatchObject({ decision: { overall: expect.stringMatching(/approved|denied/) } });
  });
});

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PayerTables } from '#payer/database.ts';
import { createPayer, type PayerPart } from '#payer/payer.ts';
import type { CaseState } from '#prior-auth/case.ts';
import { createPayerDirectory, type Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { type CaseStore, createCaseStore } from '../store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { createPasSender, type PasSender } from './sender.ts';
import type { PasTables } from './submission-table.ts';

const PAYERS = { '2.0.1': { id: 'cascade-medicare', path: '/payer/fhir' }, '2.2.1': { id: 'cascade-2-2-1', path: '/payer/pas-2.2.1/fhir' } } as const;
let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let sender: PasSender;
let payer: PayerPart;
let http: Server;
let isUp = true;
let turnedAway = 0;
let orders = 0;

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
  const payers = createPayerDirectory(
    Object.entries(PAYERS).map(([version, { id, path }]): Payer => ({
      id, name: id, organizationIdentifiers: [], matchNames: [], fhirBase: `${baseUrl}${path}`, pasVersion: version as Payer['pasVersion'], subscriptions: 'rest-hook', timeZone: 'America/Los_Angeles',
    })),
  );
  sender = await createPasSender({
    store, jobs, baseUrl, log, now: Date.now, audit, payers, keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), cases: createCasePort(cases, Date.now),
    inquiryIntervalMs: 600_000, subscriptions: { gapGraceMs: 50 },
  });
  payer = await createPayer({
    db: store.db, baseUrl, log, now: Date.now, reviewDelayMs: 600,
    policyFolder: join(import.meta.dirname, '../../policies/library'),
    registeredClients: [{ clientId: 'open-prior-auth-server', jwksUrl: `${baseUrl}/.well-known/jwks.json` }],
  });
  app.use('/pas/notifications', (_request, response, next) => {
    if (isUp) return next();
    turnedAway += 1;
    response.status(503).end();
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

/** A wheelchair, which the payer pends for its reviewer. */
async function submitted(payerId: string): Promise<string> {
  const order = { ...sampleInput().order, id: `order-${(orders += 1)}`, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'K0823' }] } } as SubmissionInput['order'];
  const input = sampleInput({ order });
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...rest } = input.case;
  const caseId = await store.transaction(async (trx) => {
    const opened = await cases.open(trx, { ...rest, payer: { id: payerId, name: payerId } }, 'Practitioner/clinician-1');
    const result = await sender.queueSubmission(trx, { ...input, case: opened.case }, 'Practitioner/clinician-1');
    if (result.kind !== 'queued') throw new Error(JSON.stringify(result));
    await cases.change(trx, opened.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
    return opened.case.id;
  });
  sender.wake(payerId);
  return caseId;
}

async function until<T>(what: string, find: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + 12_000;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in time: ${what}; ${JSON.stringify(await sender.subscriptionHealth())}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const reach = (caseId: string, kind: CaseState['kind']) => until(`${caseId} ${kind}`, async () => {
  const { state } = await cases.read(caseId);
  return state.kind === kind && state;
});
const healthOf = async (payerId: string) => (await sender.subscriptionHealth()).find((each) => each.payerId === payerId);
const lastAnswer = (caseId: string) => store.db.withTables<PasTables>().selectFrom('pas.answer').select('operation')
  .where('submission_id', 'in', store.db.withTables<PasTables>().selectFrom('pas.submission').select('id').where('case_id', '=', caseId)).orderBy('received_at', 'desc').executeTakeFirstOrThrow();

describe.each(['2.0.1', '2.2.1'] as const)('with the payer of this repository, PAS %s', (version) => {
  const { id } = PAYERS[version];

  it('a pended request is decided by notification', async () => {
    const caseId = await submitted(id);
    await reach(caseId, 'pended');
    expect(await reach(caseId, 'decided')).toMatchObject({ decision: { overall: expect.stringMatching(/approved|denied/) } });
    expect((await lastAnswer(caseId)).operation).toBe(version === '2.0.1' ? 'inquire' : 'notification');
    expect(await healthOf(id)).toMatchObject({ status: 'active', lastEventNumber: 1, missing: 0, left: 0 });
  });

  it('one that was lost for good is noticed by $status and fetched by $events', async () => {
    isUp = false;
    turnedAway = 0;
    const before = (await healthOf(id))?.lastEventNumber ?? 0;
    const caseId = await submitted(id);
    const payerDb = store.db.withTables<PayerTables>();
    await reach(caseId, 'pended');
    await until('the payer has tried', async () => turnedAway > 0);
    // As a payer that gives up at once.
    await payerDb.updateTable('payer.subscription_event').set({ state: 'failed' }).where('state', '=', 'waiting').execute();
    isUp = true;
    expect((await cases.read(caseId)).state.kind).toBe('pended');
    await store.db.withTables<PasTables>().updateTable('pas.subscription').set({ next_at: new Date().toISOString() }).where('payer_id', '=', id).execute();
    await reach(caseId, 'decided');
    expect(await healthOf(id)).toMatchObject({ status: 'active', lastEventNumber: before + 1, missing: 0, eventsOffered: true });
  });
});

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
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { createCaseStore, type CaseStore } from '../store/cases.ts';
import { createFormStore } from '../store/forms.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { answerAsk } from './case-actions/answer-ask.ts';
import type { CaseActionParts } from './case-actions/case-action.ts';
import { createPasSender, type PasSender } from './sender.ts';

let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let sender: PasSender;
let payer: PayerPart;
let http: Server;
let baseUrl: string;
let parts: Omit<CaseActionParts, 'sender'>;
const REVIEWER_TOKEN = 'a-reviewer-token-of-this-test-only';

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
  baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const log = pino({ enabled: false });
  const payers = createPayerDirectory([
    { id: 'cascade-medicare', name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: `${baseUrl}/payer/fhir`, pasVersion: '2.0.1', subscriptions: 'rest-hook', timeZone: 'America/Los_Angeles' },
    { id: 'cascade-2-2-1', name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: `${baseUrl}/payer/pas-2.2.1/fhir`, pasVersion: '2.2.1', subscriptions: 'rest-hook', timeZone: 'America/Los_Angeles' },
  ]);
  parts = { store, cases, forms: createFormStore(store, Date.now), audit, log, now: Date.now, timeZoneOf: () => 'America/Los_Angeles' };
  sender = await createPasSender({ store, jobs, baseUrl, log, now: Date.now, audit, payers, keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), cases: createCasePort(cases, Date.now), inquiryIntervalMs: 600_000 });
  payer = await createPayer({
    db: store.db, baseUrl, log, now: Date.now, reviewDelayMs: 1_500,
    reviewerToken: REVIEWER_TOKEN,
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

async function submitted(order: Order, payerId = 'cascade-medicare'): Promise<string> {
  const sample = sampleInput({ order });
  const input = { ...sample, case: { ...sample.case, payer: { ...sample.case.payer, id: payerId }, service: { ...sample.case.service, order: `DeviceRequest/${order.id}` } } };
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

  it.each([['2.0.1', 'cascade-medicare'], ['2.2.1', 'cascade-2-2-1']])('in PAS %s what a reviewer asks for reaches the case, is answered by attachment, and the decision follows', async (version, payerId) => {
    const caseId = await submitted({ ...sampleInput().order, id: `asked-${version}` }, payerId);
    await reach(caseId, 'pended');
    const call = { caseId, by: { reference: 'Practitioner/nurse-1', name: 'Nora Nurse' }, expectedVersion: null };
    const reviewer = { name: 'R. Reviewer' };
    const items = (await review('')) as { items: { id: string; submittedAt: string }[] };
    const item = items.items.toSorted((a, b) => a.id.localeCompare(b.id)).find(({ id }) => !seen.has(id))?.id ?? '';
    seen.add(item);
    await review(`/${item}/claim`, { reviewer });
    await review(`/${item}/ask`, { kind: 'attachment', codes: [{ system: 'http://loinc.org', code: '11506-3' }], text: 'Please send the progress note.', due: '2099-01-01', reviewer });
    const ask = await eventually(async () => asksOf(caseId).then((asks) => asks.find(({ state }) => state === 'open')));
    expect(ask).toMatchObject({ wants: { kind: 'attachment', codes: [{ code: '11506-3' }] }, due: '2099-01-01', control: { value: expect.any(String) } });
    await answerAsk({ ...parts, sender }, call, { askId: ask.id, contents: [{ resource: { resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { contentType: 'text/plain', data: 'bm90ZQ==' } }] } }] });
    await eventually(async () => asksOf(caseId).then((asks) => asks.find(({ state }) => state === 'answered')));
    await review(`/${item}/decision`, { decision: 'approve', reviewer });
    expect(await reach(caseId, 'decided')).toMatchObject({ decision: { overall: 'approved' } });
  });
});

const seen = new Set<string>();

async function asksOf(caseId: string): Promise<readonly InformationRequest[]> {
  const { state } = await cases.read(caseId);
  return state.kind === 'pended' ? (state.asks ?? []) : [];
}

async function eventually<T>(find: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 8_000;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function review(path: string, body?: object): Promise<unknown> {
  const init = { headers: { authorization: `Bearer ${REVIEWER_TOKEN}`, 'content-type': 'application/json' }, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) };
  const reply = await fetch(`${baseUrl}/payer/review/queue${path}`, init);
  const answer: unknown = await reply.json();
  if (!reply.ok) throw new Error(`${reply.status} ${JSON.stringify(answer)}`);
  return answer;
}

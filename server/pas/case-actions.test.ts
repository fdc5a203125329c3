import type { Bundle, Claim, CommunicationRequest, Parameters } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explainState } from '#prior-auth/case-words.ts';
import { mayDo } from '#prior-auth/case-action.ts';
import type { CaseState, CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { type FakePayer, startFakePayer } from '#test-fixtures/fake-payer.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { type CaseStore, createCaseStore } from '../store/cases.ts';
import { createFormStore } from '../store/forms.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { answerAsk } from './case-actions/answer-ask.ts';
import type { CaseActionParts } from './case-actions/case-action.ts';
import { cancelRequest, changeRequest } from './case-actions/change-request.ts';
import { checkNow } from './case-actions/check-now.ts';
import { holdRequest } from './case-actions/hold-request.ts';
import { recordDecision } from './case-actions/record-decision.ts';
import { readAuthorizations, recordUse } from './case-actions/record-use.ts';
import { releaseRequest } from './case-actions/release-request.ts';
import { renewAuthorization, requestAgain } from './case-actions/request-again.ts';
import { resendRequest } from './case-actions/resend-request.ts';
import { switchBack } from './case-actions/switch-back.ts';
import { switchToManual } from './case-actions/switch-to-manual.ts';
import { withdrawRequest } from './case-actions/withdraw-request.ts';
import { createPasSender, type PasSender } from './sender.ts';
import type { PasTables } from './submission-table.ts';

const PAYER_ID = 'cascade-medicare';
const BY = { reference: 'Practitioner/nurse-1', name: 'Nora Nurse' };
let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let payer: FakePayer;
let senders: readonly PasSender[];
let sender: PasSender;
let parts: CaseActionParts;
let orders = 0;

beforeAll(async () => {
  store = await openTestStore();
  const fail = (error: unknown) => {
    throw error;
  };
  jobs = await startJobs(store, fail);
  audit = await openAuditTrail(store, Date.now, fail);
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  const timeZoneOf = () => 'America/Los_Angeles';
  cases = createCaseStore(store, Date.now, timeZoneOf);
  payer = await startFakePayer();
  const keys = await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now);
  const payers = createPayerDirectory([
    { id: PAYER_ID, name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: payer.fhirBase, pasVersion: '2.0.1', subscriptions: 'none', timeZone: 'America/Los_Angeles', quirks: { breakerFailures: 1_000, breakerRestMs: 10 } },
  ]);
  const log = pino({ enabled: false });
  const make = () => createPasSender({ store, jobs, baseUrl: 'http://127.0.0.1:1', log, now: Date.now, audit, payers, keys, cases: createCasePort(cases, Date.now), inquiryIntervalMs: 60_000, retryBaseMs: 40, timeoutMs: 2_000 });
  // Two processes on one database, as far as a test can have them: each has its own lines, timers and connections to the payer.
  senders = [await make(), await make()];
  for (const each of senders) await each.start();
  [sender] = senders as [PasSender, PasSender];
  parts = { store, cases, forms: createFormStore(store, Date.now), sender, audit, log, now: Date.now, timeZoneOf };
});

afterEach(() => {
  payer.planned.length = 0;
  payer.steady = { kind: 'decide', code: 'A1' };
  payer.submits.length = 0;
  payer.attachments.length = 0;
});

afterAll(async () => {
  for (const each of senders) await each.stop();
  await jobs.stop();
  await audit.stop();
  await payer.close();
  await store.close();
});

async function openCase(state: CaseState = { kind: 'ready' }): Promise<SubmissionInput> {
  const input = sampleInput({ order: { ...sampleInput().order, id: `order-${(orders += 1)}` } as SubmissionInput['order'] });
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...opening } = input.case;
  const opened = await store.transaction((trx) => cases.open(trx, { ...opening, service: { ...opening.service, order: `DeviceRequest/order-${orders}` }, state }, BY.reference));
  return { ...input, case: opened.case };
}

async function submit(input: SubmissionInput): Promise<string> {
  await store.transaction(async (trx) => {
    const result = await sender.queueSubmission(trx, input, BY.reference);
    if (result.kind !== 'queued') throw new Error(JSON.stringify(result));
    await cases.change(trx, input.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
  });
  return input.case.id;
}

async function until<T>(read: () => Promise<T | undefined>, ms = 8_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

const reach = <K extends CaseStateKind>(caseId: string, kind: K): Promise<PriorAuthCase & { readonly state: Extract<CaseState, { kind: K }> }> =>
  until(async () => {
    const found = await cases.read(caseId);
    return found.state.kind === kind ? (found as PriorAuthCase & { readonly state: Extract<CaseState, { kind: K }> }) : undefined;
  });

const call = (caseId: string) => ({ caseId, by: BY, expectedVersion: null });
const actionsOf = async (caseId: string) => (await audit.ofCase(caseId)).map(({ action }) => action);
const claimOf = (body: string | undefined) => (JSON.parse(body ?? '{}') as Bundle).entry?.[0]?.resource as Claim;
const rows = (caseId: string) => store.db.withTables<PasTables>().selectFrom('pas.submission').select(['id', 'status', 'attempts', 'purpose']).where('case_id', '=', caseId).orderBy('id').execute();

/** The payer takes nothing until the test lets it. */
async function whilePaused<T>(work: () => Promise<T>): Promise<T> {
  await sender.pauseLine(PAYER_ID, BY, 'outage');
  const done = await work();
  await sender.resumeLine(PAYER_ID, BY);
  return done;
}

describe('before it left', () => {
  it('a request is held, let go and sent; each step is audited', async () => {
    const caseId = await whilePaused(async () => {
      const id = await submit(await openCase());
      const held = await holdRequest(parts, call(id));
      expect(held.state).toMatchObject({ kind: 'held', heldBy: 'Nora Nurse', attempts: 0 });
      expect(explainState(held)).toMatchObject({ mustAct: 'us', headline: 'Held back by Nora Nurse' });
      await expect(holdRequest(parts, call(id))).rejects.toMatchObject({ code: 'CASE_STEP_NOT_ALLOWED', message: expect.stringContaining('held') });
      return id;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(payer.submits).toHaveLength(0);
    await releaseRequest(parts, call(caseId));
    await reach(caseId, 'decided');
    expect(await actionsOf(caseId)).toEqual(expect.arrayContaining(['request-held', 'request-released', 'pas-bundle-sent']));
  });

  it('is taken back only as long as the payer cannot have it', async () => {
    const input = await openCase();
    await whilePaused(async () => {
      const id = await submit(input);
      expect((await withdrawRequest(parts, call(id))).state.kind).toBe('ready');
      expect(await rows(id)).toMatchObject([{ status: 'withdrawn' }]);
    });
    expect(payer.submits).toHaveLength(0);
    payer.steady = { kind: 'status', status: 500 };
    await submit(input);
    const tried = await until(async () => {
      const found = await cases.read(input.case.id);
      return found.state.kind === 'queued' && found.state.attempts > 0 ? found : undefined;
    });
    expect(mayDo(tried, 'withdraw')).toMatchObject({ kind: 'may-not', reason: 'may-have-arrived' });
    await expect(withdrawRequest(parts, call(input.case.id))).rejects.toMatchObject({ code: 'CASE_STEP_NOT_ALLOWED' });
    payer.steady = { kind: 'decide', code: 'A1' };
    await reach(input.case.id, 'decided');
  });

  it('a waiting request is sent now instead of later, with the same bytes', async () => {
    payer.steady = { kind: 'status', status: 500 };
    const id = await submit(await openCase());
    await until(async () => {
      const later = new Date(Date.now() + 60_000).toISOString();
      return store.db.withTables<PasTables>().updateTable('pas.submission').set({ next_at: later }).where('case_id', '=', id).where('lease_until', 'is', null).where('attempts', '>', 0).returning('id').executeTakeFirst();
    });
    payer.steady = { kind: 'decide', code: 'A1' };
    expect((await resendRequest(parts, call(id))).state.kind).toBe('queued');
    await reach(id, 'decided');
    expect(new Set(payer.submits).size).toBe(1);
    expect(await actionsOf(id)).toContain('request-resent');
  });
});

describe('by hand', () => {
  it('a queued request waits under its identifiers, and goes with the same bytes when switched back', async () => {
    const id = await whilePaused(async () => {
      const caseId = await submit(await openCase());
      const manual = await switchToManual(parts, call(caseId), { reference: 'FAX-77', submittedAt: '2026-11-20T10:00:00.000Z' });
      expect(manual.state).toMatchObject({ kind: 'manual', by: 'Nora Nurse', reference: 'FAX-77', was: { kind: 'queued' } });
      return caseId;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(payer.submits).toHaveLength(0);
    await switchBack(parts, call(id));
    await reach(id, 'decided');
    expect(payer.submits).toHaveLength(1);
  });

  it('a decision is entered for each item, and is never shown as the payer’s electronic word', async () => {
    const { case: opened } = await openCase();
    await switchToManual(parts, call(opened.id), {});
    await expect(recordDecision(parts, call(opened.id), { items: [{ kind: 'approved', sequence: 2 }], learnedBy: 'telephone' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const decided = await recordDecision(parts, call(opened.id), { items: [{ kind: 'approved', sequence: 1, authorizationNumber: 'T-1' }], learnedBy: 'telephone', note: 'Spoke to R.' });
    if (decided.state.kind !== 'decided') throw new Error(decided.state.kind);
    expect(sayDecision(decided.state.decision)).toMatchObject({ headline: 'Approved', entered: expect.stringContaining('Entered by Nora Nurse, learned by telephone') });
    expect(explainState(decided).details[0]).toContain('The payer’s system has not said so');
    expect(mayDo(decided, 'change-request')).toMatchObject({ reason: 'decided-by-hand' });
    expect(await actionsOf(opened.id)).toEqual(expect.arrayContaining(['switched-to-manual', 'decision-entered']));
  });

  it('what the payer’s system decides meanwhile goes before', async () => {
    payer.planned.push({ kind: 'decide', code: 'A4' });
    const id = await submit(await openCase());
    await reach(id, 'pended');
    await switchToManual(parts, call(id), {});
    payer.decideAll('A3');
    await checkNow(parts, call(id));
    expect((await reach(id, 'decided')).state.decision).toMatchObject({ overall: 'denied' });
  });
});

describe('at the payer', () => {
  it('quantity changed, then all cancelled, without asking the EHR; then asked for again in a new case', async () => {
    const id = await submit(await openCase());
    await reach(id, 'decided');
    await expect(changeRequest(parts, call(id), { change: { cancel: [], change: [] } })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(changeRequest(parts, call(id), { change: { cancel: [], change: [{ sequence: 9, quantity: { value: 1 } }] } })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const changing = await changeRequest(parts, call(id), { change: { cancel: [], change: [{ sequence: 1, quantity: { value: 5 } }] } });
    expect(changing.state).toMatchObject({ kind: 'queued', purpose: 'update', before: { kind: 'decided' } });
    await reach(id, 'decided');
    expect(claimOf(payer.submits[1]).item?.[0]?.quantity?.value).toBe(5);
    await cancelRequest(parts, call(id));
    const cancelled = await reach(id, 'cancelled');
    expect(mayDo(cancelled, 'cancel-request')).toMatchObject({ kind: 'may-not' });
    const again = await requestAgain(parts, call(id));
    expect(again).toMatchObject({ follows: { caseId: id, why: 'cancelled' }, service: cancelled.service });
    expect((await requestAgain(parts, call(id))).id).toBe(again.id);
    const { id: _i, version: _v, createdAt: _c, updatedAt: _u, ...opening } = again;
    expect((await store.transaction((trx) => cases.open(trx, opening, BY.reference))).case.id).toBe(again.id);
  });

  it('after a denial: no change, a new case', async () => {
    payer.planned.push({ kind: 'decide', code: 'A3' });
    const id = await submit(await openCase());
    await reach(id, 'decided');
    await expect(changeRequest(parts, call(id), { change: { cancel: [], change: [{ sequence: 1, quantity: { value: 5 } }] } })).rejects.toMatchObject({ message: expect.stringContaining('denial') });
    expect((await requestAgain(parts, call(id))).follows).toEqual({ caseId: id, why: 'denied' });
  });

  it('what was authorized is counted as it is used, and renewed', async () => {
    const id = await submit(await openCase());
    const decided = await reach(id, 'decided');
    const [before] = await readAuthorizations(parts, decided);
    expect(before).toMatchObject({ sequence: 1, number: 'AUTH0001', used: 0 });
    const [after] = await recordUse(parts, call(id), { sequence: 1, quantity: 1, usedOn: '2026-11-22' });
    expect(after).toMatchObject({ used: 1, left: before?.left == null ? null : before.left - 1 });
    await expect(recordUse(parts, call(id), { sequence: 1, quantity: -2, usedOn: '2026-11-22' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(recordUse(parts, call(id), { sequence: 4, quantity: 1, usedOn: '2026-11-22' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect((await renewAuthorization(parts, call(id))).follows).toEqual({ caseId: id, why: 'renewal', authorizationNumber: 'AUTH0001' });
  });
});

describe('what the payer asks for', () => {
  const ask: CommunicationRequest = {
    resourceType: 'CommunicationRequest', status: 'active', identifier: [{ system: 'https://payer.example.org/acn', value: 'ACN-1' }],
    category: [{ coding: [{ system: 'https://codesystem.x12.org/005010/755', code: '15' }] }], payload: [{ contentString: 'Please send the sleep study.' }],
  };
  const document = { resourceType: 'DocumentReference', id: 'd1', status: 'current', subject: { reference: 'Patient/p1' }, author: [{ reference: 'Practitioner/x' }], content: [{ attachment: { contentType: 'text/plain', data: 'c3R1ZHk=' } }] } as const;

  async function asked() {
    payer.planned.push({ kind: 'decide', code: 'A4', asks: [ask] });
    const id = await submit(await openCase());
    const pended = await reach(id, 'pended');
    expect(explainState(pended)).toMatchObject({ mustAct: 'us', details: ['The payer asks: Please send the sleep study.'] });
    return { id, askId: pended.state.asks?.[0]?.id ?? '' };
  }

  it('is answered by attachment: the same bytes until the payer takes them, and no reference of ours', async () => {
    const { id, askId } = await asked();
    payer.attachmentStatuses.push(503, 503);
    const sending = await answerAsk(parts, call(id), { askId, contents: [{ resource: structuredClone(document) as never }] });
    expect(sending.state).toMatchObject({ asks: [{ state: 'open', answer: { kind: 'sending', by: 'Nora Nurse' } }] });
    await expect(answerAsk(parts, call(id), { askId, contents: [{ resource: structuredClone(document) as never }] })).rejects.toMatchObject({ code: 'CASE_STEP_NOT_ALLOWED' });
    await until(async () => (((await cases.read(id)).state as Extract<CaseState, { kind: 'pended' }>).asks?.[0]?.state === 'answered' ? true : undefined));
    expect(payer.attachments).toHaveLength(3);
    expect(new Set(payer.attachments).size).toBe(1);
    const { parameter = [] } = JSON.parse(payer.attachments[0] ?? '') as Parameters;
    expect(parameter.find(({ name }) => name === 'TrackingId')?.valueIdentifier).toEqual({ system: 'https://payer.example.org/acn', value: 'ACN-1' });
    expect(parameter.map(({ name }) => name)).toEqual(['TrackingId', 'AdminRefNumber', 'AttachTo', 'PayerId', 'OrganizationId', 'ProviderId', 'MemberId', 'Attachment', 'Final']);
    expect(payer.attachments[0]).not.toMatch(/Patient\/|Practitioner\//);
    expect(await actionsOf(id)).toEqual(expect.arrayContaining(['information-queued', 'information-sent']));
  });

  it('refused (4XX) is final, says so, and may be answered again', async () => {
    const { id, askId } = await asked();
    payer.attachmentStatuses.push(422);
    await answerAsk(parts, call(id), { askId, contents: [{ resource: structuredClone(document) as never }] });
    const refused = await until(async () => {
      const found = await cases.read(id);
      return found.state.kind === 'pended' && found.state.asks?.[0]?.answer?.kind === 'refused' ? found : undefined;
    });
    expect(payer.attachments).toHaveLength(1);
    expect(explainState(refused).details[0]).toContain('HTTP 422');
    expect(mayDo(refused, 'answer-ask')).toEqual({ kind: 'may' });
  });

  it('a document without its content, an unknown ask and nothing at all are refused before anything leaves', async () => {
    const { id, askId } = await asked();
    await expect(answerAsk(parts, call(id), { askId: 'other', contents: [] })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(answerAsk(parts, call(id), { askId, contents: [] })).rejects.toMatchObject({ code: 'PAS_BUNDLE_INCOMPLETE' });
    await expect(answerAsk(parts, call(id), { askId, contents: [{ resource: { ...document, content: [{ attachment: { url: 'Binary/1' } }] } as never }] })).rejects.toMatchObject({ code: 'PAS_BUNDLE_INCOMPLETE', message: expect.stringContaining('content') });
    expect(payer.attachments).toHaveLength(0);
  });
});

describe('an outage of the payer', () => {
  it('is noticed, tried with one request at a time, and drains in the order of queueing; two processes send nothing twice', async () => {
    payer.steady = { kind: 'status', status: 503 };
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await submit(await openCase()));
    const down = await until(async () => {
      const progress = await sender.drainProgress(PAYER_ID);
      return progress.line === 'down' && progress.waiting === 12 ? progress : undefined;
    });
    expect(down).toMatchObject({ lastError: expect.stringContaining('503'), nextTryAt: expect.any(String), oldestQueuedAt: expect.any(String) });
    const before = payer.submits.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(payer.submits.length - before).toBeLessThan(12);
    const failed = payer.submits.length;
    payer.steady = { kind: 'decide', code: 'A1' };
    for (const id of ids) await reach(id, 'decided');
    expect(await sender.drainProgress(PAYER_ID)).toMatchObject({ line: 'open', waiting: 0, drained: null, downSince: null });
    const taken = payer.submits.slice(failed).map((body) => claimOf(body).identifier?.[0]?.value ?? '');
    expect(new Set(taken).size).toBe(12);
    expect(taken).toHaveLength(12);
    const queuedOrder = await store.db.withTables<PasTables>().selectFrom('pas.submission').select('claim_identifier').where('case_id', 'in', ids).orderBy('queued_at').orderBy('id').execute();
    // The one that tried the payer comes first; four at a time in each process keep the order but for neighbours.
    const places = taken.slice(1).map((claim) => queuedOrder.findIndex(({ claim_identifier }) => claim_identifier === claim));
    for (const [index, place] of places.entries()) expect(Math.abs(place - index)).toBeLessThanOrEqual(9);
    expect(places.indexOf(Math.min(...places))).toBeLessThan(8);
  });

  it('two processes and forty requests at once: each reaches the payer once', async () => {
    const inputs = [];
    for (let count = 0; count < 40; count += 1) inputs.push(await openCase());
    await Promise.all(inputs.map((input) => submit(input)));
    for (let times = 0; times < 10; times += 1) for (const each of senders) each.wake(PAYER_ID);
    for (const input of inputs) await reach(input.case.id, 'decided');
    expect(payer.submits).toHaveLength(40);
    expect(new Set(payer.submits).size).toBe(40);
  });
});

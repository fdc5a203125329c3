import type { AddressInfo } from 'node:net';
import type { Bundle, Claim } from '@medplum/fhirtypes';
import type { Server } from 'node:http';
import express from 'express';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { CaseState, CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import type { RequestChange } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { type FakePayer, notificationBundle, startFakePayer } from '#test-fixtures/fake-payer.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { createCaseStore, type CaseStore } from '../store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { createPasSender, type PasSender } from './sender.ts';
import type { QueuedChange } from './queue-submission.ts';
import type { PasTables } from './submission-table.ts';

const PAYER_ID = 'cascade-medicare';
let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let payer: FakePayer;
let http: Server;
let baseUrl: string;
let sender: PasSender;
let makeSender: () => Promise<PasSender>;
let router: express.Router;
let orders = 0;

beforeAll(async () => {
  store = await openTestStore();
  jobs = await startJobs(store, (error) => {
    throw error;
  });
  audit = await openAuditTrail(store, Date.now, (error) => {
    throw error;
  });
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  cases = createCaseStore(store, Date.now, () => 'America/Los_Angeles');
  const app = express();
  app.use((request, response, next) => router(request, response, next));
  await new Promise<void>((resolve) => {
    http = app.listen(0, '127.0.0.1', () => resolve());
  });
  baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  payer = await startFakePayer({ jwksUrl: () => `${baseUrl}/.well-known/jwks.json` });
  const keys = await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now);
  const payers = createPayerDirectory([
    { id: PAYER_ID, name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: payer.fhirBase, pasVersion: '2.0.1', subscriptions: 'rest-hook', timeZone: 'America/Los_Angeles' },
  ]);
  makeSender = async () => {
    const made = await createPasSender({
      store, jobs, baseUrl, log: pino({ enabled: false }), now: Date.now, audit, payers, keys,
      cases: createCasePort(cases, Date.now),
      inquiryIntervalMs: 60_000,
      retryBaseMs: 50,
      timeoutMs: 2_000,
    });
    router = made.router;
    return made;
  };
  sender = await makeSender();
  await sender.start();
});

afterEach(() => {
  payer.planned.length = 0;
  payer.steady = { kind: 'decide', code: 'A1' };
  payer.submits.length = 0;
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

async function openCase(): Promise<SubmissionInput> {
  const input = sampleInput({ order: { ...sampleInput().order, id: `order-${(orders += 1)}` } as SubmissionInput['order'] });
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...opening } = input.case;
  const opened = await store.transaction((trx) => cases.open(trx, opening, 'Practitioner/clinician-1'));
  return { ...input, case: opened.case };
}

async function submit(input: SubmissionInput) {
  return store.transaction(async (trx) => {
    const result = await sender.queueSubmission(trx, input, 'Practitioner/clinician-1');
    if (result.kind === 'queued') {
      await cases.change(trx, input.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
    }
    return result;
  });
}

async function reach<K extends CaseStateKind>(caseId: string, kind: K, ms = 8_000): Promise<Extract<CaseState, { kind: K }> & { readonly whole: PriorAuthCase }> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await cases.read(caseId);
    if (found.state.kind === kind) return { ...(found.state as Extract<CaseState, { kind: K }>), whole: found };
    if (Date.now() > end) throw new Error(`case stays ${JSON.stringify(found.state)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const none: RequestChange = { cancel: [], change: [], add: [] };

/** A person changes or cancels what the payer has. */
async function resubmit(input: SubmissionInput, change: QueuedChange) {
  return store.transaction(async (trx) => {
    const result = await sender.queueSubmission(trx, input, 'Practitioner/clinician-1', change);
    if (result.kind === 'queued') {
      const { state } = await cases.read(input.case.id, trx);
      if (state.kind !== 'pended' && state.kind !== 'decided') throw new Error(state.kind);
      await cases.change(trx, input.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0, purpose: change.purpose, before: state } }) });
    }
    return result;
  });
}

describe('a request that the payer has', () => {
  const rows = (caseId: string) => store.db.withTables<PasTables>().selectFrom('pas.submission').select(['purpose', 'status', 'previous_id', 'id']).where('case_id', '=', caseId).orderBy('id').execute();

  it('is changed: the payer sees the same items, and the new version stands in place of the old', async () => {
    payer.planned.push({ kind: 'decide', code: 'A4' });
    const input = await openCase();
    await submit(input);
    const pended = await reach(input.case.id, 'pended');
    expect(await resubmit(input, { purpose: 'update', change: { ...none, change: [{ sequence: 1, quantity: { value: 3, unit: 'months' } }] } })).toMatchObject({ kind: 'queued' });
    expect((await reach(input.case.id, 'decided')).decision.overall).toBe('approved');
    const [first, second] = await rows(input.case.id);
    expect([first, second]).toMatchObject([{ purpose: 'new', status: 'replaced' }, { purpose: 'update', status: 'decided', previous_id: first?.id }]);
    const [before, after] = payer.submits.map((body) => (JSON.parse(body) as Bundle).entry?.[0]?.resource as Claim);
    expect(after?.item?.[0]).toMatchObject({ sequence: 1, quantity: { value: 3 }, extension: expect.arrayContaining([before?.item?.[0]?.extension?.[0]]) });
    expect(pended.submittedAt).toBeTruthy();
  });

  it('stands as it was when the payer refuses the change', async () => {
    const input = await openCase();
    await submit(input);
    await reach(input.case.id, 'decided');
    payer.planned.push({ kind: 'status', status: 422, body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule' }] } });
    await resubmit(input, { purpose: 'update', change: { ...none, change: [{ sequence: 1, quantity: { value: 3 } }] } });
    const state = await reach(input.case.id, 'decided');
    expect(state).toMatchObject({ decision: { overall: 'approved' }, lastChange: { purpose: 'update', reason: expect.stringContaining('422') } });
    expect((await rows(input.case.id)).map(({ status }) => status)).toEqual(['decided', 'refused']);
  });

  it('is cancelled, once, and cannot be changed after', async () => {
    const input = await openCase();
    await submit(input);
    await reach(input.case.id, 'decided');
    expect(await resubmit(input, { purpose: 'cancel' })).toMatchObject({ kind: 'queued' });
    await reach(input.case.id, 'cancelled');
    expect((await rows(input.case.id)).map(({ status }) => status)).toEqual(['replaced', 'cancelled']);
    expect(await resubmit(input, { purpose: 'cancel' })).toMatchObject({ kind: 'problems', problems: [{ code: 'NO_REQUEST_AT_PAYER' }] });
  });

  it('that was never sent cannot be changed', async () => {
    expect(await resubmit(await openCase(), { purpose: 'cancel' })).toMatchObject({ kind: 'problems', problems: [{ code: 'NO_REQUEST_AT_PAYER' }] });
  });
});

const rowOf = (caseId: string) => store.db.withTables<PasTables>().selectFrom('pas.submission').selectAll().where('case_id', '=', caseId).executeTakeFirstOrThrow();
const claimIdOf = async (caseId: string) => (await rowOf(caseId)).claim_identifier;

describe('a submission', () => {
  it('is sent once, with a verified client assertion, and its decision reaches the case', async () => {
    const input = await openCase();
    expect(await submit(input)).toMatchObject({ kind: 'queued' });
    const state = await reach(input.case.id, 'decided');
    expect(state.decision).toMatchObject({ overall: 'approved', items: [{ sequence: 1, decision: { kind: 'approved', authorizationNumber: 'AUTH0001' } }] });
    expect(payer.submits).toHaveLength(1);
    expect((await audit.ofCase(input.case.id)).map(({ action }) => action)).toEqual(expect.arrayContaining(['pas-bundle-queued', 'pas-bundle-sent', 'payer-decision-received']));
    const answers = await store.db.withTables<PasTables>().selectFrom('pas.answer').select('body').where('submission_id', '=', (await rowOf(input.case.id)).id).execute();
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ resourceType: 'Bundle' });
  });

  it('asked for twice is queued once', async () => {
    const input = await openCase();
    const first = await submit(input);
    expect(await submit(input)).toMatchObject({ kind: first.kind === 'queued' ? 'already-queued' : 'never' });
    await reach(input.case.id, 'decided');
    expect(new Set(payer.submits).size).toBe(1);
  });

  it('rolled back with its transaction leaves nothing behind', async () => {
    const input = await openCase();
    await expect(
      store.transaction(async (trx) => {
        await sender.queueSubmission(trx, input, 'Practitioner/clinician-1');
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(payer.submits).toHaveLength(0);
    await expect(rowOf(input.case.id)).rejects.toThrow('no result');
  });

  it('that is incomplete or invalid never leaves, and says what to do', async () => {
    const input = await openCase();
    const { subscriberId: _none, ...coverage } = input.coverage;
    expect(await submit({ ...input, coverage })).toMatchObject({ kind: 'problems', problems: [{ code: 'MEMBER_ID_MISSING' }] });
    const broken = { ...input, evidence: [{ reference: 'Observation/broken', display: 'x' }], supporting: [...input.supporting, { resourceType: 'Observation', id: 'broken', status: 'nonsense', code: { text: 'x' } } as never] };
    const refusal = await submit(broken);
    expect(refusal).toMatchObject({ kind: 'problems', problems: [{ code: 'PAS_BUNDLE_INVALID' }] });
    expect(JSON.stringify(refusal)).toContain('Observation.status');
    expect(sender.preview(broken).problems).toHaveLength(1);
    expect(sender.preview(input)).toMatchObject({ problems: [], items: [{ code: 'E1390' }] });
    expect(payer.submits).toHaveLength(0);
  });
});

describe('exactly once in effect', () => {
  it.each([
    ['the connection is lost after the payer took it', [{ kind: 'accept-and-drop' }]],
    ['the answer comes after our timeout', [{ kind: 'accept-slowly', ms: 2_500 }]],
    ['the payer fails twice', [{ kind: 'status', status: 500 }, { kind: 'status', status: 503 }]],
    ['the payer is busy', [{ kind: 'status', status: 429 }]],
    ['the answer is no FHIR', [{ kind: 'garbage', body: '<html>bad gateway' }]],
  ] as const)('%s: the same bytes go again, the payer sees one request', async (_case, planned) => {
    const input = await openCase();
    payer.planned.push(...planned);
    await submit(input);
    const state = await reach(input.case.id, 'decided');
    expect(state.decision.overall).toBe('approved');
    expect(payer.submits).toHaveLength(planned.length + 1);
    expect(new Set(payer.submits).size).toBe(1);
    expect(payer.accepted().filter((id) => id === JSON.parse(payer.submits[0] ?? '').entry[0].resource.identifier[0].value)).toHaveLength(1);
    // A connection that broke while it lay idle is opened again within one try.
    expect((await rowOf(input.case.id)).attempts).toBeLessThanOrEqual(planned.length + 1);
  });

  it('looked for many times at once: one sending', async () => {
    const input = await openCase();
    await submit(input);
    for (let times = 0; times < 8; times += 1) sender.wake(PAYER_ID);
    await reach(input.case.id, 'decided');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(payer.submits).toHaveLength(1);
  });

  it('a process killed while sending (lease taken, answer never stored): the next process sends the same bytes', async () => {
    const input = await openCase();
    payer.planned.push({ kind: 'status', status: 500 });
    await submit(input);
    while (payer.submits.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const db = store.db.withTables<PasTables>();
    // The embedded engine's restart frees the lease; on PostgreSQL, where others may live, it runs out.
    const future = new Date(Date.now() + (store.engine === 'pglite' ? 90_000 : 1_000)).toISOString();
    await db.updateTable('pas.submission').set({ status: 'queued', lease_until: future, next_at: future }).where('case_id', '=', input.case.id).execute();
    await sender.stop();
    sender = await makeSender();
    await sender.start();
    await reach(input.case.id, 'decided');
    expect(new Set(payer.submits).size).toBe(1);
  });

  it('a token that the payer no longer takes is replaced once', async () => {
    const input = await openCase();
    payer.revokeTokens();
    const before = payer.tokenRequests;
    await submit(input);
    await reach(input.case.id, 'decided');
    expect(payer.tokenRequests).toBe(before + 1);
  });

  it.each([400, 401, 403, 404, 422])('%d is final: refused, with the codes and without the payer’s free text', async (status) => {
    const input = await openCase();
    payer.steady = { kind: 'status', status };
    await submit(input);
    const state = await reach(input.case.id, 'refused');
    expect(state.reason).toContain(`HTTP ${status}, invalid Bundle.entry[1]`);
    expect(state.reason).not.toContain('Ada');
    expect(payer.submits).toHaveLength(status === 401 ? 2 : 1);
    payer.steady = { kind: 'decide', code: 'A3' };
    await store.transaction((trx) => cases.change(trx, input.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'ready' } }) }));
    // Corrected and submitted anew: a new request with new identifiers.
    expect(await submit(input)).toMatchObject({ kind: 'queued' });
    await reach(input.case.id, 'decided');
  });

  it('an unknown review action is kept open and never shown as approved', async () => {
    const input = await openCase();
    payer.steady = { kind: 'decide', code: 'A2' };
    await submit(input);
    expect((await reach(input.case.id, 'pended')).decision.overall).toBe('unreadable');
  });
});

describe('a pended submission', () => {
  it('is followed by an event notification, once, and gaps are noticed', async () => {
    payer.steady = { kind: 'decide', code: 'A4' };
    const inputs = [await openCase(), await openCase()] as const;
    for (const input of inputs) await submit(input);
    for (const input of inputs) expect((await reach(input.case.id, 'pended')).decision.items[0]?.decision).toMatchObject({ kind: 'pended', administrativeReference: 'PEND0001' });
    expect(payer.subscriptions).toHaveLength(1);
    expect(payer.subscriptions[0]?.handshakeStatus).toBe(200);
    const { status } = await store.db.withTables<PasTables>().selectFrom('pas.subscription').select('status').executeTakeFirstOrThrow();
    expect(status).toBe('active');

    payer.decideAll('A1');
    const asked = payer.inquiries.length;
    const first = notificationBundle({ type: 'event-notification', events: [{ number: 1, focus: `${payer.fhirBase}/ClaimResponse/response-${await claimIdOf(inputs[0].case.id)}` }] });
    expect(await payer.notify(first)).toBe(200);
    const decided = await reach(inputs[0].case.id, 'decided');
    expect(decided.decision.overall).toBe('approved');
    expect((await cases.read(inputs[1].case.id)).state.kind).toBe('pended');
    expect(payer.inquiries).toHaveLength(asked + 1);

    expect(await payer.notify(first)).toBe(200);
    expect(await payer.notify(notificationBundle({ type: 'heartbeat', count: 1 }))).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(payer.inquiries).toHaveLength(asked + 1);

    // Event 2 was lost: event 3 names nothing of ours, and every pended case is asked about.
    expect(await payer.notify(notificationBundle({ type: 'event-notification', events: [{ number: 3, focus: 'ClaimResponse/somebody-else' }] }))).toBe(200);
    await reach(inputs[1].case.id, 'decided');
  });

  it('is followed by inquiry when no notification comes', async () => {
    payer.steady = { kind: 'decide', code: 'A4' };
    const input = await openCase();
    await submit(input);
    await reach(input.case.id, 'pended');
    payer.decideAll('A3');
    await store.db.withTables<PasTables>().updateTable('pas.submission').set({ next_at: new Date().toISOString() }).where('case_id', '=', input.case.id).execute();
    expect((await reach(input.case.id, 'decided')).decision.overall).toBe('denied');
  });

  it('keeps its case when the inquiry brings nothing of ours', async () => {
    payer.steady = { kind: 'decide', code: 'A4' };
    const input = await openCase();
    await submit(input);
    await reach(input.case.id, 'pended');
    payer.decideAll('A2');
    await jobs.send('pas-inquire', { submissionId: (await rowOf(input.case.id)).id });
    while (!(await rowOf(input.case.id)).last_error) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await cases.read(input.case.id)).state.kind).toBe('pended');
  });
});

describe('the notification endpoint refuses', () => {
  const good: unknown = notificationBundle({ type: 'heartbeat' });
  it.each<[string, { readonly header?: string; readonly contentType?: string }, unknown, number]>([
    ['no secret', { header: '' }, good, 401],
    ['a wrong secret', { header: 'Bearer wrong' }, good, 401],
    ['text that is not JSON', {}, '{"resourceType":', 400],
    ['another resource', {}, { resourceType: 'Patient' }, 400],
    ['an array', {}, [], 400],
    ['a bundle without entries', {}, { resourceType: 'Bundle', type: 'history', entry: [] }, 400],
    ['an unknown type', {}, notificationBundle({ type: 'nonsense' }), 400],
    ['another content type', { contentType: 'text/plain' }, good, 415],
    ['six megabytes', {}, { resourceType: 'Bundle', padding: 'x'.repeat(6_000_000) }, 413],
  ])('%s', async (_name, options, body, status) => {
    expect(await payer.notify(body, options)).toBe(status);
  });

  it('an unknown payer, and GET', async () => {
    expect((await fetch(`${baseUrl}/pas/notifications/nobody`, { method: 'POST' })).status).toBe(404);
    const get = await fetch(`${baseUrl}/pas/notifications/${PAYER_ID}`);
    expect(get.status).toBe(405);
    expect(await get.json()).toMatchObject({ resourceType: 'OperationOutcome' });
  });

  it('and the key set shows no private part', async () => {
    const { keys } = (await (await fetch(`${baseUrl}/.well-known/jwks.json`)).json()) as { keys: Record<string, unknown>[] };
    expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-384', use: 'sig' });
    expect(keys[0]).not.toHaveProperty('d');
  });
});

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle } from '@medplum/fhirtypes';
import express from 'express';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CaseState, CaseStateKind } from '#prior-auth/case.ts';
import { createPayerDirectory, type Payer, type PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { type FakeEvent, type FakePayer, notificationBundle, startFakePayer } from '#test-fixtures/fake-payer.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { type CaseStore, createCaseStore } from '../store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { createPasSender, type PasSender } from './sender.ts';
import type { PasTables } from './submission-table.ts';

const ORGANIZATION = '1245319599';
let store: Store;
let jobs: Jobs;
let audit: AuditTrail;
let cases: CaseStore;
let http: Server;
let sender: PasSender;
let orders = 0;
let payersMade = 0;
/** Each test has a payer of its own, under an id of its own. */
let payer: FakePayer;
let payerId: string;
const configured = new Map<string, Payer>();
const clock = { aheadMs: 0 };

const fault = (error: unknown): never => {
  throw error;
};
const now = () => Date.now() + clock.aheadMs;

beforeAll(async () => {
  store = await openTestStore();
  jobs = await startJobs(store, fault);
  audit = await openAuditTrail(store, Date.now, fault);
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  cases = createCaseStore(store, now, () => 'America/Los_Angeles');
  const directory = () => createPayerDirectory([...configured.values()]);
  const payers: PayerDirectory = {
    get payers() {
      return directory().payers;
    },
    find: (organization) => directory().find(organization),
    byId: (id) => directory().byId(id),
    forCoverage: (id, coverage) => directory().forCoverage(id, coverage),
  };
  const app = express();
  await new Promise<void>((resolve) => {
    http = app.listen(0, '127.0.0.1', () => resolve());
  });
  sender = await createPasSender({
    store, jobs, baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, log: pino({ enabled: false }), now, audit, payers,
    keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), cases: createCasePort(cases, now),
    inquiryIntervalMs: 600_000, retryBaseMs: 50, timeoutMs: 2_000, subscriptions: { gapGraceMs: 50 },
  });
  app.use(sender.router);
  await sender.start();
});

beforeEach(async () => {
  payer = await startFakePayer();
  payer.steady = { kind: 'decide', code: 'A4' };
});

afterEach(async () => {
  clock.aheadMs = 0;
  const db = store.db.withTables<PasTables>();
  await db.deleteFrom('pas.subscription').where('payer_id', '=', payerId).execute();
  await db.updateTable('pas.submission').set({ next_at: null }).where('payer_id', '=', payerId).execute();
  await payer.close();
});

afterAll(async () => {
  await sender.stop();
  await jobs.stop();
  await audit.stop();
  await new Promise((resolve) => {
    http.closeAllConnections();
    http.close(resolve);
  });
  await store.close();
});

function configure(facts: Partial<Payer> = {}): void {
  configured.set(payerId, { id: payerId, name: payerId, organizationIdentifiers: [], matchNames: [], fhirBase: payer.fhirBase, pasVersion: '2.0.1', subscriptions: 'rest-hook', timeZone: 'America/Los_Angeles', ...facts });
}

function open(facts: Partial<Payer> = {}): void {
  payerId = `payer-${(payersMade += 1)}`;
  configure(facts);
}

/** A pended request: the case's id and how the payer names it. */
async function pended(change: (input: SubmissionInput) => SubmissionInput = (input) => input): Promise<{ readonly caseId: string; readonly claim: string }> {
  const input = change(sampleInput({ order: { ...sampleInput().order, id: `order-${(orders += 1)}` } as SubmissionInput['order'] }));
  const { id: _id, version: _version, createdAt: _c, updatedAt: _u, ...rest } = input.case;
  const opening = { ...rest, payer: { id: payerId, name: payerId } };
  const caseId = await store.transaction(async (trx) => {
    const opened = await cases.open(trx, opening, 'Practitioner/clinician-1');
    const result = await sender.queueSubmission(trx, { ...input, case: opened.case }, 'Practitioner/clinician-1');
    if (result.kind !== 'queued') throw new Error(JSON.stringify(result));
    await cases.change(trx, opened.case.id, { expectedVersion: null, who: 'test', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
    return opened.case.id;
  });
  sender.wake(payerId);
  await reach(caseId, 'pended');
  const { claim_identifier } = await store.db.withTables<PasTables>().selectFrom('pas.submission').select('claim_identifier').where('case_id', '=', caseId).executeTakeFirstOrThrow();
  return { caseId, claim: claim_identifier };
}

async function until<T>(what: string, find: () => Promise<T | undefined | false> | T | undefined | false, ms = 8_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in time: ${what}; ${JSON.stringify(await sender.subscriptionHealth())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function reach<K extends CaseStateKind>(caseId: string, kind: K): Promise<Extract<CaseState, { kind: K }>> {
  return until(`${caseId} ${kind}`, async () => {
    const { state } = await cases.read(caseId);
    return state.kind === kind && (state as Extract<CaseState, { kind: K }>);
  });
}

const healths = async () => (await sender.subscriptionHealth()).filter((each) => each.payerId === payerId);
const health = async () => (await healths())[0];
/** The handshake was taken, and the answer to our POST too. */
const isActive = () => until('active', async () => (await subscriptionRows().where('status', '=', 'active').where('connection', 'is not', null).executeTakeFirst()) !== undefined && payer.subscriptions.at(-1)?.status === 'active');
const subscriptionRows = () => store.db.withTables<PasTables>().selectFrom('pas.subscription').select('id').where('payer_id', '=', payerId);
const notes = () => store.db.withTables<PasTables>().selectFrom('pas.subscription_event').select(['event_number', 'state', 'note', 'source']).where('subscription', 'in', subscriptionRows()).orderBy('event_number').execute();
const answers = (caseId: string) => store.db.withTables<PasTables>().selectFrom('pas.answer').select('operation')
  .where('submission_id', 'in', store.db.withTables<PasTables>().selectFrom('pas.submission').select('id').where('case_id', '=', caseId)).orderBy('received_at').execute();
const lookAgain = () => store.db.withTables<PasTables>().updateTable('pas.submission').set({ next_at: new Date().toISOString() }).where('payer_id', '=', payerId).execute();
const settled = () => until('every event is worked off', async () => (await notes()).every(({ state }) => state !== 'waiting'));
const full = (...events: FakeEvent[]) => payer.notify(payer.notificationOf(events, 'full-resource'));
const decided = (claim: string, code: string): FakeEvent => {
  payer.decideAll(code);
  return payer.happens(claim);
};
const soonDue = () => store.db.withTables<PasTables>().updateTable('pas.subscription').set({ next_at: new Date().toISOString() }).where('payer_id', '=', payerId).execute();

describe('PAS 2.2.1: the notification carries the answer', () => {
  beforeEach(() => open({ pasVersion: '2.2.1' }));

  it('the Subscription: full-resource, its profile, one filter by org-identifier, rest-hook, a secret', async () => {
    await pended();
    await isActive();
    expect(payer.subscriptions).toHaveLength(1);
    expect(payer.subscriptions[0]?.body).toMatchObject({
      resourceType: 'Subscription',
      meta: { profile: ['http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-subscription'] },
      criteria: 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic',
      _criteria: { extension: [{ url: expect.stringContaining('backport-filter-criteria'), valueString: `org-identifier=${ORGANIZATION}` }] },
      channel: { type: 'rest-hook', payload: 'application/fhir+json', header: [expect.stringMatching(/^Authorization: Bearer [\w-]{43}$/)], _payload: { extension: [{ url: expect.stringContaining('backport-payload-content'), valueCode: 'full-resource' }] } },
    });
  });

  it.each(['full-resource', 'flat'] as const)('%s: the decision reaches the case with its event number, and nobody inquires', async (content) => {
    const { caseId, claim } = await pended();
    await isActive();
    expect(await payer.notify(payer.notificationOf([decided(claim, 'A1')], content))).toBe(200);
    expect((await reach(caseId, 'decided')).decision).toMatchObject({ overall: 'approved', items: [{ decision: { authorizationNumber: 'AUTH0001' } }] });
    expect(payer.inquiries).toHaveLength(0);
    expect(await notes()).toMatchObject([{ event_number: 1, state: 'done', note: null }]);
    expect(await health()).toMatchObject({ lastEventNumber: 1, missing: 0, waiting: 0, left: 0 });
    expect((await answers(caseId)).map(({ operation }) => operation)).toEqual(['submit', 'notification']);
    expect((await audit.ofCase(caseId)).filter(({ action }) => action === 'payer-decision-received')).toHaveLength(2);
  });

  it('told many times at once, it is recorded once', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    const event = decided(claim, 'A1');
    expect(await Promise.all(Array.from({ length: 6 }, () => full(event)))).toEqual(Array.from({ length: 6 }, () => 200));
    await reach(caseId, 'decided');
    await settled();
    expect(await notes()).toHaveLength(1);
    expect(await answers(caseId)).toHaveLength(2);
  });

  it('reordered: the later event stands, the one before it changes nothing', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    const first = decided(claim, 'A4');
    const second = decided(claim, 'A3');
    await full(second);
    expect((await reach(caseId, 'decided')).decision.overall).toBe('denied');
    await full(first);
    await until('the first is there', async () => (await notes()).length === 2);
    await settled();
    expect((await cases.read(caseId)).state).toMatchObject({ kind: 'decided', decision: { overall: 'denied' } });
    expect(await health()).toMatchObject({ lastEventNumber: 2, missing: 0, left: 0 });
  });

  it('lost ones are fetched by $events, with their content', async () => {
    const [one, two, three] = [await pended(), await pended(), await pended()];
    await isActive();
    decided(one.claim, 'A1');
    payer.happens(two.claim);
    await full(payer.happens(three.claim));
    for (const { caseId } of [one, two, three]) await reach(caseId, 'decided');
    await settled();
    expect((await notes()).map(({ event_number, source }) => [event_number, source])).toEqual([[1, 'events'], [2, 'events'], [3, 'notification']]);
    expect(payer.inquiries).toHaveLength(0);
    expect(await health()).toMatchObject({ missing: 0, eventsOffered: true });
  });

  it('a heartbeat that counts more than was told finds the last ones', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    decided(claim, 'A1');
    expect(await payer.notify(notificationBundle({ type: 'heartbeat', count: 1 }))).toBe(200);
    await reach(caseId, 'decided');
  });

  it('an event without its content is fetched by $events', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    await payer.notify(payer.notificationOf([decided(claim, 'A1')], 'id-only'));
    await reach(caseId, 'decided');
    expect(payer.inquiries).toHaveLength(0);
  });

  it('waiting is not by inquiry; a lost event where the payer has no $events is', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    await lookAgain();
    await until('looked at and left', async () => new Date((await store.db.withTables<PasTables>().selectFrom('pas.submission').select('next_at').where('case_id', '=', caseId).executeTakeFirstOrThrow()).next_at ?? 0).getTime() > Date.now() + 3_000_000);
    expect(payer.inquiries).toHaveLength(0);
    payer.offers.events = false;
    decided(claim, 'A1');
    await payer.notify(notificationBundle({ type: 'heartbeat', count: 1 }));
    await reach(caseId, 'decided');
    expect(payer.inquiries).toHaveLength(1);
    expect(await health()).toMatchObject({ eventsOffered: false, missing: 0 });
  });

  it('an answer about nothing of ours, or that cannot be read, is left for a person', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    const event = decided(claim, 'A2');
    const stranger = JSON.parse(JSON.stringify(event.answer).replaceAll(/urn:uuid:[0-9a-f-]{36}/g, 'urn:uuid:00000000-0000-4000-8000-000000000000').replaceAll(/"valueIdentifier":\{[^}]*\}/g, '"valueIdentifier":{"value":"x"}')) as Bundle;
    await full({ ...event, answer: stranger });
    await full({ ...event, number: 2 });
    await settled();
    expect((await notes()).map(({ state, note }) => [state, note])).toEqual([['left', 'about no request of ours'], ['left', 'PAYER_ANSWER_UNREADABLE: unreadable']]);
    expect((await cases.read(caseId)).state.kind).toBe('pended');
    expect(await health()).toMatchObject({ left: 2 });
  });
});

describe('PAS 2.0.1: the notification is an id', () => {
  beforeEach(() => open());

  it('a gap is fetched by $events, and each is inquired about', async () => {
    const [one, two] = [await pended(), await pended()];
    await isActive();
    decided(one.claim, 'A1');
    await payer.notify(payer.notificationOf([payer.happens(two.claim)], 'id-only'));
    for (const { caseId } of [one, two]) await reach(caseId, 'decided');
    expect((await notes()).map(({ source }) => source)).toEqual(['events', 'notification']);
    expect(payer.inquiries).toHaveLength(2);
  });

  it('content that rides along is not believed', async () => {
    const { caseId, claim } = await pended();
    await isActive();
    const event = decided(claim, 'A1');
    payer.decideAll('A3');
    await full(event);
    expect((await reach(caseId, 'decided')).decision.overall).toBe('denied');
  });
});

describe('the filter is spelled as the payer wants it', () => {
  it.each(['orgIdentifier', 'identifier', 'org-identifier'] as const)('%s', async (subscriptionFilter) => {
    open({ subscriptionFilter });
    await pended();
    await isActive();
    expect(payer.subscriptions[0]?.body).toMatchObject({ _criteria: { extension: [{ valueString: `${subscriptionFilter}=${ORGANIZATION}` }] } });
  });

  const anotherOrganization = (input: SubmissionInput): SubmissionInput => JSON.parse(JSON.stringify(input).replaceAll(ORGANIZATION, '1679576722')) as SubmissionInput;

  it('one subscription for each organization, each with its own secret', async () => {
    open();
    await pended();
    await pended(anotherOrganization);
    await until('two', () => payer.subscriptions.length === 2);
    expect(new Set(payer.subscriptions.map(({ header }) => header)).size).toBe(2);
    expect((await healths()).map(({ organizations }) => organizations)).toEqual([[ORGANIZATION], ['1679576722']]);
  });

  it('or one that lists them all, written again when one is added', async () => {
    open({ subscriptionFor: 'all-organizations' });
    await pended();
    await isActive();
    await pended(anotherOrganization);
    await until('both are listed', () => JSON.stringify(payer.subscriptions[0]?.body).includes(`org-identifier=${ORGANIZATION},1679576722`));
    expect(payer.subscriptions).toHaveLength(1);
  });
});

describe('a subscription is kept', () => {
  it.each(['error', 'off'] as const)('%s at the payer: $status says so, it is renewed, and what was missed is fetched', async (status) => {
    open({ pasVersion: '2.2.1' });
    const { caseId, claim } = await pended();
    await isActive();
    const [subscription] = payer.subscriptions;
    Object.assign(subscription ?? {}, { status });
    decided(claim, 'A1');
    clock.aheadMs = 3_600_000;
    await reach(caseId, 'decided');
    expect(subscription?.status).toBe('active');
    expect(payer.subscriptions).toHaveLength(1);
  });

  it('gone at the payer: a new one is made, and pended requests are asked about', async () => {
    open({ pasVersion: '2.2.1' });
    const { caseId, claim } = await pended();
    await isActive();
    decided(claim, 'A1');
    Object.assign(payer.subscriptions[0] ?? {}, { status: 'deleted' });
    await soonDue();
    await reach(caseId, 'decided');
    await until('a new one', () => payer.subscriptions.length === 2 && payer.subscriptions[1]?.status === 'active');
    expect(payer.inquiries.length).toBeGreaterThan(0);
  });

  it('where $status is not offered, the Subscription itself is read', async () => {
    open();
    await pended();
    await isActive();
    payer.offers.status = false;
    Object.assign(payer.subscriptions[0] ?? {}, { status: 'error' });
    clock.aheadMs = 3_600_000;
    await until('renewed', () => payer.subscriptions[0]?.status === 'active');
    expect(payer.subscriptions).toHaveLength(1);
  });

  it('its secret is replaced; the old one is taken until the payer has used the new', async () => {
    open();
    await pended();
    await isActive();
    const old = payer.subscriptions[0]?.header;
    clock.aheadMs = 91 * 86_400_000;
    await until('another secret', () => payer.subscriptions[0]?.header !== old && payer.subscriptions[0]?.handshakeStatus === 200);
    const heartbeat = notificationBundle({ type: 'heartbeat' });
    expect(await payer.notify(heartbeat)).toBe(200);
    expect(await payer.notify(heartbeat, { header: old?.replace('Authorization: ', '') ?? '' })).toBe(401);
  });

  it('refused by the payer: pended requests are followed by inquiry', async () => {
    payer.offers.subscriptions = false;
    open({ pasVersion: '2.2.1' });
    const { caseId } = await pended();
    payer.decideAll('A1');
    await until('refused', async () => (await health())?.status === 'error');
    await lookAgain();
    await reach(caseId, 'decided');
    expect(await health()).toMatchObject({ lastError: 'PAYER_REFUSED: HTTP 422' });
  });

  it('taken back when the payer is removed, and its notifications are refused', async () => {
    open();
    await pended();
    await isActive();
    configured.delete(payerId);
    await soonDue();
    await until('taken back', () => payer.subscriptions[0]?.status === 'deleted');
    await until('forgotten', async () => (await healths()).length === 0);
    expect(await payer.notify(notificationBundle({ type: 'heartbeat' }))).toBe(404);
  });

  it('made anew where the payer now takes another version', async () => {
    open();
    await pended();
    await isActive();
    configure({ pasVersion: '2.2.1' });
    await soonDue();
    await until('a full-resource one', () => payer.subscriptions.length === 2 && payer.subscriptions[1]?.status === 'active');
    expect(payer.subscriptions[0]?.status).toBe('deleted');
    expect(JSON.stringify(payer.subscriptions[1]?.body)).toContain('full-resource');
  });
});

describe('the notification route refuses', () => {
  const TOPIC = 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic';
  it('what is no notification, whoever is not the payer, and what is too large; nothing is stored', async () => {
    open();
    const { claim } = await pended();
    await isActive();
    const good = payer.notificationOf([payer.happens(claim)], 'id-only');
    const text = JSON.stringify(good);
    const rows: readonly (readonly [string, { readonly header?: string; readonly contentType?: string }, unknown, number])[] = [
      ['no secret', { header: '' }, good, 401],
      ['a wrong secret', { header: 'Bearer wrong' }, good, 401],
      ['a wrong secret and junk', { header: 'Bearer wrong' }, 'junk', 401],
      ['another scheme', { header: 'Basic eDp5' }, good, 401],
      ['another content type', { contentType: 'text/plain' }, good, 415],
      ['junk', {}, '{"resourceType":', 400],
      ['another topic', {}, text.replaceAll(TOPIC, 'http://example.org/topic'), 400],
      ['no type', {}, text.replaceAll('"event-notification"', '"nonsense"'), 400],
      ['an answer of ours', {}, { ...good, type: 'collection' }, 400],
      ['six megabytes', {}, { resourceType: 'Bundle', padding: 'x'.repeat(6_000_000) }, 413],
    ];
    for (const [name, options, body, status] of rows) expect([name, await payer.notify(body, options)]).toEqual([name, status]);
    expect(await notes()).toEqual([]);
    expect(await payer.notify(good)).toBe(200);
  });
});

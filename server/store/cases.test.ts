import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASE_STEPS, type CaseState, type CaseStateKind, type PriorAuthCase } from '#prior-auth/case.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { WorklistQuery } from '#prior-auth/worklist-api.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from './case-answers.ts';
import { type CaseOpening, createCaseStore } from './cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from './migrations.ts';
import { readWorklist } from './worklist.ts';

const EHR = 'https://ehr.example/fhir';
let clock = Date.parse('2026-11-20T10:00:00Z');
const now = () => (clock += 1000);
let store: Store;
const cases = () => createCaseStore(store, now, () => 'America/Los_Angeles');

beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
});
afterAll(() => store.close());

let orders = 0;
function opening(changes: Partial<CaseOpening> = {}): CaseOpening {
  const { id: _id, version: _version, createdAt: _createdAt, updatedAt: _updatedAt, ...sample } = sampleInput().case;
  return { ...sample, ehrBase: EHR, service: { ...sample.service, order: `DeviceRequest/${(orders += 1)}` }, ...changes };
}
const open = async (changes: Partial<CaseOpening> = {}) => (await store.transaction((trx) => cases().open(trx, opening(changes), 'Practitioner/1'))).case;

function decided(kind: 'approved' | 'denied' | 'pended', decidedAt = '2026-11-21T10:00:00.000Z'): PayerDecision {
  const item = { approved: { kind: 'approved' }, denied: { kind: 'denied', reasonCodes: ['A'], explanation: [] }, pended: { kind: 'pended', explanation: [] } } as const;
  return { decidedAt, items: [{ sequence: 1, decision: item[kind] }], overall: kind, errors: [] };
}
const submittedAt = '2026-11-20T12:00:00.000Z';
const STATES: { readonly [K in CaseStateKind]: readonly [CaseState, CaseState] } = {
  'no-authorization-needed': [{ kind: 'no-authorization-needed' }, { kind: 'no-authorization-needed' }],
  questionnaire: [{ kind: 'questionnaire', missing: 1 }, { kind: 'questionnaire', missing: 2 }],
  ready: [{ kind: 'ready' }, { kind: 'ready' }],
  queued: [{ kind: 'queued', queuedAt: submittedAt, attempts: 0 }, { kind: 'queued', queuedAt: submittedAt, attempts: 1 }],
  pended: [{ kind: 'pended', submittedAt, decision: decided('pended') }, { kind: 'pended', submittedAt, decision: decided('pended', '2026-11-22T10:00:00.000Z') }],
  decided: [{ kind: 'decided', submittedAt, decision: decided('approved') }, { kind: 'decided', submittedAt, decision: decided('denied') }],
  held: [{ kind: 'held', heldAt: submittedAt, heldBy: 'Practitioner/1', queuedAt: submittedAt }, { kind: 'held', heldAt: submittedAt, heldBy: 'Practitioner/2', queuedAt: submittedAt }],
  cancelled: [{ kind: 'cancelled', cancelledAt: submittedAt, submittedAt, decision: decided('approved') }, { kind: 'cancelled', cancelledAt: submittedAt, submittedAt, decision: decided('denied') }],
  manual: [{ kind: 'manual', since: submittedAt, by: 'Practitioner/1' }, { kind: 'manual', since: submittedAt, by: 'Practitioner/1', reference: 'R1' }],
  refused: [{ kind: 'refused', refusedAt: submittedAt, reason: 'a' }, { kind: 'refused', refusedAt: submittedAt, reason: 'b' }],
};

describe('which state may follow which', () => {
  const kinds = Object.keys(CASE_STEPS) as CaseStateKind[];
  it.each(kinds.flatMap((from) => kinds.map((to) => [from, to] as const)))('%s -> %s', async (from, to) => {
    const [before] = STATES[from];
    const [, after] = STATES[to];
    const { id } = await open({ state: before });
    const [result] = await Promise.allSettled([store.transaction((trx) => cases().change(trx, id, { expectedVersion: 1, who: 'x', change: () => ({ state: after }) }))]);
    const allowed = CASE_STEPS[from].includes(to) || JSON.stringify(before) === JSON.stringify(after);
    expect(result).toMatchObject(allowed ? { status: 'fulfilled', value: { state: after } } : { status: 'rejected', reason: { code: 'CASE_STEP_NOT_ALLOWED' } });
    expect((await cases().read(id)).state).toEqual(allowed ? after : before);
  });
});

describe('the case of an order', () => {
  it('is one, however often it is opened', async () => {
    const same = opening();
    const opened = await Promise.all([1, 2, 3].map(() => store.transaction((trx) => cases().open(trx, same, 'x'))));
    expect(new Set(opened.map((each) => each.case.id)).size).toBe(1);
    expect(opened.filter((each) => each.opened)).toHaveLength(1);
    const elsewhere = await store.transaction((trx) => cases().open(trx, { ...same, ehrBase: 'https://other.example/fhir' }, 'x'));
    expect(elsewhere.opened).toBe(true);
  });

  it('changes once for two writers of the same version', async () => {
    const { id } = await open({ state: { kind: 'ready' } });
    const write = () => store.transaction((trx) => cases().change(trx, id, { expectedVersion: 1, who: 'x', change: () => ({ state: { kind: 'questionnaire', missing: 1 } }) }));
    const results = await Promise.allSettled([write(), write()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')).toMatchObject({ reason: { code: 'CASE_CONFLICT' } });
    expect((await cases().history(id)).map(({ state }) => state)).toEqual(['ready', 'questionnaire']);
  });

  it.each(['nonsense', '0193f000-0000-7000-8000-00000000ffff', "' or 1=1 --"])('unknown: %s', async (id) => {
    await expect(cases().read(id)).rejects.toMatchObject({ code: 'CASE_NOT_FOUND' });
    await expect(store.transaction((trx) => cases().change(trx, id, { expectedVersion: null, who: 'x', change: () => undefined }))).rejects.toMatchObject({ code: 'CASE_NOT_FOUND' });
  });
});

describe('what the payer answers', () => {
  const queued = () => open({ state: { kind: 'queued', queuedAt: submittedAt, attempts: 0 } });
  const port = () => createCasePort(cases(), now);
  const answer = (id: string, given: Parameters<ReturnType<typeof port>['recordAnswer']>[2]) => store.transaction((trx) => port().recordAnswer(trx, id, given, 'latest'));
  const outcomes = () => store.db.withTables<{ 'learning.label': { label: string; record: unknown; recorded_at: Date; id: string } }>().selectFrom('learning.label').selectAll().orderBy('id').execute();

  it('counts attempts while queued and leaves any other case alone', async () => {
    const { id } = await queued();
    await store.transaction((trx) => port().recordAttempt(trx, id, 'HTTP 503'));
    expect((await cases().read(id)).state).toMatchObject({ attempts: 1, lastError: 'HTTP 503' });
    await answer(id, { kind: 'decided', submittedAt, decision: decided('approved') });
    await store.transaction((trx) => port().recordAttempt(trx, id, 'late'));
    expect((await cases().read(id)).state.kind).toBe('decided');
  });

  it('is told twice without effect, and the first final answer stays', async () => {
    const { id } = await queued();
    const before = (await outcomes()).length;
    await answer(id, { kind: 'pended', submittedAt, decision: decided('pended') });
    await answer(id, { kind: 'pended', submittedAt, decision: decided('pended') });
    expect((await cases().read(id)).version).toBe(2);
    expect(await outcomes()).toHaveLength(before);
    for (const kind of ['denied', 'denied', 'approved'] as const) await answer(id, { kind: 'decided', submittedAt, decision: decided(kind) });
    expect((await cases().read(id)).state).toMatchObject({ kind: 'decided', decision: { overall: 'denied' } });
    const recorded = (await outcomes()).slice(before);
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toMatchObject({ label: 'denied', record: { payerId: 'cascade-medicare', decidedInMonth: '2026-11' } });
    expect(JSON.stringify(recorded)).not.toMatch(/Ada|Example|patient-1|DeviceRequest/);
  });

  it('a repeated refusal does not undo what staff did since', async () => {
    const { id } = await queued();
    await answer(id, { kind: 'refused', refusedAt: submittedAt, reason: 'HTTP 400' });
    await store.transaction((trx) => cases().change(trx, id, { expectedVersion: null, who: 'x', change: () => ({ state: { kind: 'ready' } }) }));
    await answer(id, { kind: 'refused', refusedAt: submittedAt, reason: 'HTTP 400' });
    expect((await cases().read(id)).state.kind).toBe('ready');
    await expect(answer(id, { kind: 'pended', submittedAt, decision: decided('pended') })).rejects.toMatchObject({ code: 'CASE_STEP_NOT_ALLOWED' });
  });
});

describe('the worklist', () => {
  const ehrBase = 'https://worklist.example/fhir';
  const names = (slice: { readonly cases: readonly { readonly case: PriorAuthCase }[] }) => slice.cases.map(({ case: { patient } }) => patient.name);

  beforeAll(async () => {
    for (let index = 0; index < 120; index += 1) await open({ ehrBase, patient: { id: `p${index}`, name: `Patient ${String(index).padStart(3, '0')}` }, state: { kind: index % 3 === 0 ? 'ready' : 'questionnaire', missing: 1 } });
    await open({ ehrBase, patient: { id: 'w', name: 'Walter 100%_Wood', medicalRecordNumber: 'MRN-7' }, state: { kind: 'pended', submittedAt, decision: decided('pended') } });
    await open({ ehrBase, patient: { id: 'u', name: 'Ursula Urgent' }, service: { ...opening().service, priority: 'stat' }, state: { kind: 'pended', submittedAt, decision: decided('pended') } });
  });

  const read = (query: Partial<WorklistQuery>, after?: string) => readWorklist(store, { ehrBase, nowMs: Date.parse('2026-11-22T10:00:00Z') }, { sort: 'updated', ...query }, after);

  it.each([
    ['updated', ['Ursula Urgent', 'Walter 100%_Wood', 'Patient 119']],
    ['clock', ['Ursula Urgent', 'Walter 100%_Wood']],
  ] as const)('reads every case once, by %s', async (sort, first) => {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await read({ sort }, after);
      seen.push(...names(page));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toHaveLength(122);
    expect(new Set(seen).size).toBe(122);
    expect(seen.slice(0, first.length)).toEqual(first);
  });

  it.each([
    ['walter', ['Walter 100%_Wood']],
    ['mrn-7 wood', ['Walter 100%_Wood']],
    ['100%_ wood', ['Walter 100%_Wood']],
    ['%', []],
    ["' or true --", []],
    ['WÄLTER', ['Walter 100%_Wood']],
    ['patient 007', ['Patient 007']],
  ])('finds %s', async (q, found) => {
    expect(names(await read({ q }))).toEqual(found);
  });

  it.each(['x', Buffer.from('["2026","x"]').toString('base64url'), Buffer.from('["updated","now()","0193f000-0000-7000-8000-000000000009"]').toString('base64url'), Buffer.from('["touch","2026-11-22","0193f000-0000-7000-8000-000000000009"]').toString('base64url')])('refuses a foreign cursor: %s', async (after) => {
    await expect(read({}, after)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

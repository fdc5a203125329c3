import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaseState, PriorAuthCase } from '#prior-auth/case.ts';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { pastDecisionsOf, pastKeys } from '#prior-auth/learning/past-decisions.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import { seededRandom } from '#models/seeded-random.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { createCasePort } from '../store/case-answers.ts';
import { createCaseStore } from '../store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { type CountedDecision, countDecision, openDecisionHistory, replayPastDecisions } from './history.ts';
import { createLabels } from './labels.ts';
import { createTrainingTables, foldRare } from './training-table.ts';

const START = Date.parse('2026-01-05T10:00:00Z');
const DAY = 86_400_000;
let clock = START;
const now = () => clock;
let store: Store;
let audit: AuditTrail;
beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  audit = await openAuditTrail(store, now, (error) => expect.fail(String(error)));
});
afterAll(async () => {
  await audit.stop();
  await store.close();
});

const facts: DenialRiskFacts = {
  payerId: 'cascade-medicare', policyId: 'home-oxygen', serviceFamily: 'dme-respiratory', criteriaMet: 1, criteriaNotMet: 1, criteriaUnknown: 1, urgent: false, patientAgeYears: 78,
  newestEvidenceAgeDays: 30, hasReasonCode: true, quantityToLimitRatio: null, paNeeded: true, requesterKnown: true, procedure: 'hcpcs:E1390', requesterSpecialty: null, evidenceCount: 2, reasonCodeCount: 1, renewal: false, askedAgain: false,
};
const caseStore = () => createCaseStore(store, now, () => 'UTC');
const port = (sandbox = false) => createCasePort(caseStore(), now, () => sandbox);
let orders = 0;

async function submitted(more: { readonly facts?: Partial<DenialRiskFacts>; readonly further?: PriorAuthCase['further']; readonly birthDate?: string } = {}): Promise<string> {
  const { id: _id, version: _version, createdAt: _createdAt, updatedAt: _updatedAt, ...sample } = sampleInput().case;
  const state: CaseState = { kind: 'queued', queuedAt: new Date(clock).toISOString(), attempts: 0 };
  const opened = await store.transaction((trx) => caseStore().open(trx, { ...sample, service: { ...sample.service, order: `DeviceRequest/${(orders += 1)}` }, state, ...(more.further ? { further: more.further } : {}) }, 'Practitioner/1'));
  const risk = { probability: 0.3, band: 'medium', reasons: [], modelVersion: 'm1', simulated: true, history: { asOf: new Date(clock).toISOString(), decisions: 1 } };
  await sql`update cases.prior_auth_case set risk = ${JSON.stringify(risk)}::jsonb, risk_facts = ${JSON.stringify({ ...facts, ...more.facts })}::jsonb where id = ${opened.case.id}::uuid`.execute(store.db);
  return opened.case.id;
}

function decision(kinds: readonly ('approved' | 'denied' | 'pended')[], identifier = 'r1'): PayerDecision {
  const said = { approved: { kind: 'approved' }, denied: { kind: 'denied', reasonCodes: ['50'], explanation: ['Ada Example has no test'] }, pended: { kind: 'pended', explanation: [] } } as const;
  return { decidedAt: new Date(clock).toISOString(), claimResponseIdentifier: identifier, items: kinds.map((kind, index) => ({ sequence: index + 1, decision: said[kind] })), overall: kinds[0] ?? 'pended', errors: [] };
}
const answer = (id: string, kinds: readonly ('approved' | 'denied')[], sandbox = false) =>
  store.transaction((trx) => port(sandbox).recordAnswer(trx, id, { kind: 'decided', submittedAt: new Date(clock - 2 * DAY).toISOString(), decision: decision(kinds, `r${clock}`) }, 'latest'));
const setState = (id: string, state: CaseState) => store.transaction((trx) => caseStore().change(trx, id, { expectedVersion: null, who: 'x', change: () => ({ state }) }));
const labels = () => createLabels({ store, audit, now });
const versionsOf = async (id: string) => (await labels().of(id)).map(({ itemSequence, version, cause, label }) => `${itemSequence}.${version} ${cause} ${label}`);
const denials = async (key = 'cascade-medicare') => {
  const { rows } = await sql<{ decisions: number; denials: number }>`select decisions, denials from learning.past_decisions where level = 'payer' and key = ${key}`.execute(store.db);
  return rows[0] ? [rows[0].decisions, rows[0].denials] : [0, 0];
};

describe('labels', () => {
  it('have versions: a correction, an update, an appeal, an override each stay beside what was said before', async () => {
    const before = await denials();
    const id = await submitted();
    await answer(id, ['denied']);
    clock += DAY;
    await answer(id, ['denied']);
    expect(await versionsOf(id)).toEqual(['1.1 decision denied']);
    expect(await denials()).toEqual([before[0] as number + 1, before[1] as number + 1]);
    clock += DAY;
    await labels().recordAppeal({ caseId: id, itemSequence: 1, by: 'Practitioner/2', why: 'external review', result: 'overturned', decidedOn: new Date(clock).toISOString().slice(0, 10) });
    expect(await denials()).toEqual([before[0] as number + 1, before[1] as number + 1]);
    clock += DAY;
    await answer(id, ['approved']);
    expect(await denials()).toEqual([before[0] as number + 1, before[1] as number]);
    clock += DAY;
    await setState(id, { kind: 'queued', queuedAt: new Date(clock).toISOString(), attempts: 0, purpose: 'update' });
    clock += DAY;
    await answer(id, ['denied']);
    clock += DAY;
    await labels().override({ caseId: id, itemSequence: 1, by: 'Practitioner/3', why: 'denied as a duplicate', label: 'excluded' });
    expect(await versionsOf(id)).toEqual(['1.1 decision denied', '1.2 appeal overturned', '1.3 correction approved', '1.4 update denied', '1.5 override excluded']);
    expect(await denials()).toEqual(before);
    expect((await audit.ofCase(id)).map(({ action }) => action)).toEqual(['appeal-recorded', 'label-overridden']);
    expect((await labels().of(id)).at(-1)).toMatchObject({ recordedBy: 'Practitioner/3', why: 'denied as a duplicate', record: { label: 'approved', decisionDays: 2 } });
  });

  it('are of each item, and of its own service', async () => {
    const id = await submitted({ further: [{ ...sampleInput().case.service, order: 'DeviceRequest/x', codings: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E0601' }] }] });
    await answer(id, ['approved', 'denied']);
    expect((await labels().of(id)).map(({ record, label }) => [record.procedure, label, record.facts === null])).toEqual([['hcpcs:E1390', 'approved', false], ['hcpcs:E0601', 'denied', true]]);
  });

  it.each([
    ['an appeal where nothing was denied', ['approved'], 1, '2030-01-01'],
    ['an appeal decided before the denial', ['denied'], 1, '2020-01-01'],
    ['an appeal that is still to come', ['denied'], 1, '2099-01-01'],
    ['an item that is not there', ['denied'], 7, '2026-02-01'],
  ] as const)('refuse %s', async (_name, said, itemSequence, decidedOn) => {
    const id = await submitted();
    await answer(id, said);
    await expect(labels().recordAppeal({ caseId: id, itemSequence, by: 'Practitioner/2', why: 'x', result: 'upheld', decidedOn })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('refuse an override of what the payer has not decided', async () => {
    const id = await submitted();
    await expect(labels().override({ caseId: id, itemSequence: 1, by: 'Practitioner/2', why: 'x', label: 'denied' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('go back with the transaction that takes the answer', async () => {
    const id = await submitted();
    const before = await denials();
    await expect(store.transaction(async (trx) => {
      await port().recordAnswer(trx, id, { kind: 'decided', submittedAt: new Date(clock).toISOString(), decision: decision(['denied']) }, 'latest');
      throw new Error('no');
    })).rejects.toThrow('no');
    expect([await versionsOf(id), await denials()]).toEqual([[], before]);
  });
});

describe('past decisions', () => {
  it('as of any moment are those learned of until then: random histories, replayed', async () => {
    const random = seededRandom(7);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const events: CountedDecision[] = [];
    // Later than all that other tests wrote, so that this window holds these alone.
    let at = Date.parse('2031-01-01T00:00:00Z');
    for (let index = 0; index < 160; index += 1) {
      at += random() < 0.2 ? 0 : Math.floor(random() * 10 * DAY);
      const denied = Number(random() < 0.4);
      const correction = index > 0 && random() < 0.15;
      events.push({
        facts: { payerId: pick(['p1', 'p2']), serviceFamily: pick(['f1', 'f2', null]), procedure: pick(['cpt:1', 'cpt:2', null]), requesterSpecialty: pick(['s1', null]) },
        change: correction ? { decisions: 0, denials: denied === 1 ? 1 : -1, days: 0, timed: 0 } : { decisions: 1, denials: denied, days: 3 * random(), timed: 1 }, at: new Date(at).toISOString(),
      });
    }
    for (const event of events) await store.transaction((trx) => countDecision(trx, event));
    const replay = await replayPastDecisions(store.db, at + DAY);
    const expected = (asked: CountedDecision['facts'], t: number) => {
      const seen = events.filter((event) => Date.parse(event.at) <= t && Date.parse(event.at) > t - 365 * DAY);
      return pastDecisionsOf(asked, new Date(t).toISOString(), (level, key) => {
        const mine = seen.filter((event) => pastKeys(event.facts)[level] === key);
        return mine.length === 0 ? undefined : mine.reduce((sum, { change }) => ({ decisions: sum.decisions + change.decisions, denials: sum.denials + change.denials, days: sum.days + change.days, timed: sum.timed + change.timed }), { decisions: 0, denials: 0, days: 0, timed: 0 });
      });
    };
    const near = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_key, each: unknown) => (typeof each === 'number' ? (Number.isNaN(each) ? 'unknown' : Number(each.toFixed(9))) : each)));
    for (let index = 0; index < 120; index += 1) {
      const t = Date.parse(pick(events).at) + pick([-1, 0, 1, 5 * DAY]);
      const asked = { payerId: pick(['p1', 'p2', 'p9', null]), serviceFamily: pick(['f1', null]), procedure: pick(['cpt:1', 'cpt:9']), requesterSpecialty: pick(['s1', null]) };
      expect(near(replay.at(asked, t))).toEqual(near(expected(asked, t)));
      if (index % 12 > 0) continue;
      const served = await openDecisionHistory({ store, now: () => t, log: { warn: () => undefined } });
      served.stop();
      expect(near(served.past({ ...facts, ...asked }))).toEqual(near(expected(asked, t)));
    }
  });

  it('of a level that was never met are the wider ones with count 0, and unknown where the order does not say', async () => {
    const served = await openDecisionHistory({ store, now: () => Date.parse('2031-06-01T00:00:00Z'), log: { warn: () => undefined } });
    const past = served.past({ ...facts, payerId: 'never-met', procedure: null, requesterSpecialty: 's1' });
    served.stop();
    expect(past?.levels.payer).toEqual({ ...past?.levels.overall, decisionCount: 0 });
    expect(past?.levels.procedure).toEqual({ denialRate: Number.NaN, decisionCount: Number.NaN, decisionDays: Number.NaN });
    expect(past?.asOf).toBe('2031-06-01T00:00:00.000Z');
  });

  it('are sums that two writers at once do not spoil', async () => {
    const event = (payerId: string): CountedDecision => ({ facts: { payerId, serviceFamily: 'together', procedure: null, requesterSpecialty: null }, change: { decisions: 1, denials: 1, days: 0, timed: 0 }, at: new Date(clock).toISOString() });
    await Promise.all(Array.from({ length: 12 }, (_, index) => store.transaction((trx) => countDecision(trx, event(index % 2 === 0 ? 'a' : 'b')))));
    const { rows } = await sql<{ decisions: number }>`select decisions from learning.past_decisions where level = 'service_family' and key = 'together'`.execute(store.db);
    expect(rows).toEqual([{ decisions: 12 }]);
  });
});

describe('the training table', () => {
  const tables = () => createTrainingTables({ store, audit, now });

  it('names nobody, folds what is rare, keeps the month alone, and leads back', async () => {
    clock = Date.parse('2026-06-03T09:00:00Z');
    const random = seededRandom(3);
    const ids: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      clock += 2 * DAY;
      const id = await submitted({ facts: { patientAgeYears: 40 + (index % 4) * 10, newestEvidenceAgeDays: Math.floor(random() * 90), procedure: index === 0 ? 'hcpcs:E9998' : 'hcpcs:E1390' } });
      clock += DAY;
      await answer(id, [random() < 0.4 ? 'denied' : 'approved'], true);
      ids.push(id);
    }
    const request = { kind: 'denial-risk', simulated: true, by: 'trainer', limits: { leastRows: 20, leastOfLabel: 5 } } as const;
    const made = await tables().make(request);
    const { table } = made;
    expect(made.faults).toEqual([]);
    expect(table.labels).toHaveLength(40);
    expect(table.simulated).toBe(true);
    expect(table.source).toContain('simulated');
    expect([...table.times].every((time) => new Date(time).getUTCDate() === 1 && new Date(time).getUTCHours() === 0)).toBe(true);
    expect([...table.times]).toEqual([...table.times].sort((a, b) => a - b));
    expect(new Set(table.groups['age_band'])).toEqual(new Set(['other', '35', '45', '55', '65'].filter((band) => table.groups['age_band']?.includes(band))));
    const sizes = Object.values(table.groups).flatMap((values) => [...new Set(values)].filter((value) => value !== 'other').map((value) => values.filter((each) => each === value).length));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(11);
    expect(JSON.stringify({ ...table, rows: [...table.rows] })).not.toMatch(/Ada|Example|patient-1|DeviceRequest|Practitioner|no test/);
    for (const id of ids) expect(JSON.stringify(table.rowIds)).not.toContain(id);

    const again = await tables().make(request);
    expect([again.id, again.dataHash]).toEqual([made.id, made.dataHash]);

    const [entry] = await tables().decisionOf(table.rowIds[0] as string, 'Practitioner/9');
    expect(ids).toContain(entry?.caseId);
    expect((await tables().rowsOf(entry?.caseId as string, 'Practitioner/9')).map(({ rowId }) => rowId)).toEqual([table.rowIds[0]]);
    expect((await audit.ofCase(entry?.caseId as string)).at(-1)).toMatchObject({ action: 'training-lineage-viewed', who: 'Practitioner/9' });
    expect(await tables().rowsOf("' or 1=1 --", 'Practitioner/9')).toEqual([]);
    expect((await tables().make({ ...request, simulated: false })).table.rowIds.filter((id) => table.rowIds.includes(id))).toEqual([]);

    const ring = await openKeyRing(store, 'learning', ['ES256'], now);
    await store.transaction((trx) => ring.rotateWithin(trx, { leadMs: 0, overlapMs: 0 }));
    const rotated = await tables().make(request);
    expect(rotated.id).not.toBe(made.id);
    expect(rotated.table.rowIds.filter((id) => table.rowIds.includes(id))).toEqual([]);
    expect((await tables().decisionOf(rotated.table.rowIds[0] as string, 'x'))).toHaveLength(1);
  });

  it('holds only what was learned of until then, and shows each row the past as it then was', async () => {
    const until = Date.parse('2026-06-30T00:00:00Z');
    const early = await tables().make({ kind: 'denial-risk', simulated: true, by: 'trainer', untilMs: until });
    const all = await tables().make({ kind: 'denial-risk', simulated: true, by: 'trainer' });
    expect(early.table.labels.length).toBeLessThan(all.table.labels.length);
    const width = all.table.features.length;
    const rowOf = ({ table }: typeof all, id: string) => [...table.rows.subarray(table.rowIds.indexOf(id) * width, (table.rowIds.indexOf(id) + 1) * width)];
    for (const id of early.table.rowIds) expect(rowOf(all, id)).toEqual(rowOf(early, id));
    const late = all.table.features.indexOf('payer_decision_count');
    expect(Math.max(...all.table.rowIds.map((id) => rowOf(all, id)[late] as number).filter((count) => !Number.isNaN(count)))).toBeGreaterThan(30);
  });

  it('of appeals has the denied items whose appeal has ended; an override takes a row out', async () => {
    const id = await submitted();
    await answer(id, ['denied']);
    const request = { kind: 'appeal', simulated: false, by: 'trainer' } as const;
    const before = (await tables().make(request)).table.labels.length;
    await labels().recordAppeal({ caseId: id, itemSequence: 1, by: 'Practitioner/2', why: 'x', result: 'partly-overturned', decidedOn: new Date(clock).toISOString().slice(0, 10) });
    const made = await tables().make(request);
    expect(made.table.labels).toHaveLength(before + 1);
    const [entry] = await tables().rowsOf(id, 'x');
    expect(made.table.labels[made.table.rowIds.indexOf(entry?.rowId as string)]).toBe(1);
    await labels().override({ caseId: id, itemSequence: 1, by: 'Practitioner/2', why: 'x', label: 'excluded' });
    expect((await tables().make(request)).table.labels).toHaveLength(before);
  });

  it.each([
    [['a', 'a', 'b'], 2, ['other', 'other', 'other']],
    [['a', 'a', 'a', 'b', 'b', 'c'], 2, ['a', 'a', 'a', 'other', 'other', 'other']],
    [['a', 'a', 'b', 'b'], 2, ['a', 'a', 'b', 'b']],
    [[], 2, []],
  ])('folds %j', (values, least, expected) => {
    expect(foldRare(values, least)).toEqual(expected);
  });
});

describe('past decisions of a sandbox', () => {
  it('are taken into account for its payers alone', async () => {
    const [real, sandbox] = await Promise.all([false, true].map((simulated) => openDecisionHistory({ store, now, log: { warn: () => undefined }, isSandboxPayer: () => simulated })));
    const id = await submitted();
    clock += DAY;
    await answer(id, ['denied'], true);
    for (const each of [real, sandbox]) await each?.refresh();
    const seen = [real, sandbox].map((each) => each?.past(facts));
    for (const each of [real, sandbox]) each?.stop();
    expect(seen.map((past) => past?.simulated)).toEqual([undefined, true]);
    const counts = seen.map((past) => past?.levels.overall.decisionCount);
    expect(counts[1]).toBe(41);
    expect(counts[0]).not.toBe(counts[1]);
  });
});

describe('the wall between hook traffic and learning', () => {
  const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).map((name) => [name, readFileSync(join(import.meta.dirname, name), 'utf8')] as const);
  it.each(sources)('%s imports nothing of the hook service and reads none of its tables', (_name, text) => {
    expect(text).not.toMatch(/cds-hooks/);
    expect(text).not.toMatch(/\bcds\.[a-z_]+|['"`\s]crd\.[a-z_]+/);
  });
  it('the compiler refuses such an import', () => {
    const { references } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'tsconfig.json'), 'utf8'));
    expect(JSON.stringify(references)).not.toContain('cds-hooks');
  });
});

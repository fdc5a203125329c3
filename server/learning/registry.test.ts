import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrainingTable } from '#models/dataset.ts';
import { type ModelBundle, sha256, versionOf } from '#models/model-file.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { ignorantModel, smallModel, smallTable } from '#test-fixtures/trained-models.ts';
import { createGate, type GateEvidence } from './gate.ts';
import { type ModelRegistry, openModelRegistry } from './registry.ts';
import type { ModelPerson } from './roles.ts';

let table: TrainingTable;
let shipped: ModelBundle;
let better: ModelBundle;
let other: ModelBundle;
let ignorant: ModelBundle;
beforeAll(async () => {
  table = smallTable();
  store = await openTestStore();
  audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
  [shipped, better, other, ignorant] = await Promise.all([smallModel(table, 1), smallModel(table, 2), smallModel(table, 3), ignorantModel(table)]);
});

const trainer: ModelPerson = { name: 'tara', role: 'trainer' };
const approver: ModelPerson = { name: 'ada', role: 'approver' };
const viewer: ModelPerson = { name: 'vic', role: 'viewer' };
const why = 'A test of the registry';

let store: Store;
let audit: AuditTrail;
let registry: ModelRegistry;
let evidence: GateEvidence | undefined;
const open = (on: Store, trail: AuditTrail, more: { approveOwn?: boolean; shipped?: readonly ModelBundle[]; pollMs?: number } = {}) =>
  openModelRegistry({ store: on, audit: trail, now: Date.now, gate: createGate(async () => evidence), shipped: [shipped], onFault: (error) => expect.fail(String(error)), ...more });
beforeEach(async () => {
  evidence = { table, faults: [] };
  registry = await open(store, audit);
});
afterEach(async () => {
  await registry.stop();
  await sql`truncate models.version, models.head, models.gate_report, models.change, audit.event`.execute(store.db);
});
afterAll(async () => {
  await audit.stop();
  await store.close();
});

const register = (bundle: ModelBundle, by = trainer) => registry.register(bundle, { by, why, origin: 'trained' });
const promote = (bundle: ModelBundle, by = approver) => registry.promote(bundle.file.version, { by, why });
async function makeLive(bundle: ModelBundle): Promise<void> {
  await register(bundle);
  for (const to of ['shadow', 'canary', 'live'] as const) expect(await promote(bundle)).toMatchObject({ kind: 'promoted', model: { stage: to } });
}
const stages = async () => Object.fromEntries((await registry.list('denial-risk')).map(({ version, stage }) => [version, stage]));

describe('stages', () => {
  it('begin with the shipped model live; the others go up one by one, each past the gate', async () => {
    expect((await registry.liveModel('denial-risk'))?.file.version).toBe(shipped.file.version);
    let heard = 0;
    registry.source('denial-risk').onChange(() => (heard += 1));
    await register(better);
    expect((await promote(better)).report).toMatchObject({ passed: true, against: shipped.file.version, simulated: true, to: 'shadow' });
    const source = registry.source('denial-risk');
    expect(await source.current()).toMatchObject({ live: { version: shipped.file.version }, canary: null, shadows: [{ version: better.file.version }] });
    expect((await registry.promote(better.file.version, { by: approver, why, canaryShare: 0.25 })).model).toMatchObject({ stage: 'canary', canaryShare: 0.25 });
    expect(await source.current()).toMatchObject({ live: { version: shipped.file.version }, canary: { share: 0.25, model: { version: better.file.version } }, shadows: [] });
    await promote(better);
    const live = (await source.current()).live;
    expect([live?.version, sha256(live?.onnx ?? ''), JSON.parse(live?.json ?? '')]).toEqual([better.file.version, better.file.onnxSha256, better.file]);
    expect(await stages()).toEqual({ [shipped.file.version]: 'retired', [better.file.version]: 'live' });
    expect(heard).toBe(4);
    expect((await registry.reportsOf(better.file.version)).map(({ to, passed }) => [to, passed])).toEqual([['shadow', true], ['canary', true], ['live', true]]);
  });

  it('go back one live model after the other; each step is kept with who and why, also in the audit trail', async () => {
    await makeLive(better);
    const back = () => registry.rollback('denial-risk', { by: approver, why: 'Odd scores' });
    await back();
    expect((await registry.changes('denial-risk')).map(({ version, what, to, who }) => `${version === better.file.version ? 'new' : 'shipped'} ${what} ${to} ${who}`)).toEqual([
      'shipped registered live open-prior-auth', 'new registered candidate tara', 'new promoted shadow ada', 'new promoted canary ada', 'shipped replaced retired ada', 'new promoted live ada',
      'new replaced retired ada', 'shipped rolled-back live ada',
    ]);
    const { rows } = await queryAudit(store);
    expect(rows.filter(({ action }) => action.startsWith('model-')).map(({ action, who }) => `${action} ${who}`)).toContain('model-rolled-back ada');
    await makeLive(other);
    const newer = await open(store, audit, { shipped: [better] });
    await newer.stop();
    expect((await registry.liveModel('denial-risk'))?.file.version).toBe(other.file.version);
    expect((await back()).version).toBe(shipped.file.version);
    await expect(back()).rejects.toMatchObject({ code: 'MODEL_STEP_NOT_ALLOWED' });
  });

  it('have one canary at a time, and room again when it is retired', async () => {
    for (const bundle of [better, other]) {
      await register(bundle);
      await promote(bundle);
    }
    await promote(better);
    await expect(promote(other)).rejects.toMatchObject({ code: 'MODEL_STEP_NOT_ALLOWED', message: expect.stringContaining(better.file.version) });
    await registry.retire(better.file.version, { by: approver, why });
    expect(await promote(other)).toMatchObject({ kind: 'promoted' });
  });

  it('are those of the newer program’s model when only an earlier shipped one is live', async () => {
    const again = await open(store, audit, { shipped: [other] });
    await again.stop();
    expect(await stages()).toEqual({ [shipped.file.version]: 'retired', [other.file.version]: 'live' });
  });
});

async function queryAudit(on: Store) {
  const rows = await on.db.withTables<{ 'audit.event': { action: string; who: string; recorded: string; id: string } }>().selectFrom('audit.event').select(['action', 'who']).orderBy('recorded').execute();
  return { rows };
}

describe('the gate', () => {
  it('refuses a model that knows nothing, keeps why, and leaves it where it was', async () => {
    await register(ignorant);
    const refused = await promote(ignorant);
    expect(refused.kind).toBe('refused');
    expect(refused.report.checks.filter(({ passed }) => !passed).map(({ code }) => code)).toEqual(expect.arrayContaining(['area-under-roc', 'no-worse-than-live']));
    expect(await stages()).toMatchObject({ [ignorant.file.version]: 'candidate' });
    expect((await registry.changes('denial-risk')).at(-1)).toMatchObject({ what: 'refused', to: 'shadow', gateReport: refused.report.id });
  });

  it.each<[string, () => GateEvidence, string]>([
    ['too few later rows', () => ({ table: firstRows(1_000), faults: [] }), 'enough-rows'],
    ['data that a test stopped', () => ({ table, faults: [{ check: 'leakage', message: 'criteria_met knows the answer.' }] }), 'data-tests'],
    ['a table with other features', () => ({ table: { ...table, features: table.features.map((name) => `${name}_2`) }, faults: [] }), 'reads-the-table'],
  ])('refuses %s', async (_what, given, code) => {
    await register(better);
    evidence = given();
    const { kind, report } = await promote(better);
    expect([kind, report.checks.find((check) => check.code === code)?.passed]).toEqual(['refused', false]);
  });

  it('says so when there is nothing to measure on', async () => {
    await register(better);
    evidence = undefined;
    await expect(promote(better)).rejects.toMatchObject({ code: 'MODEL_GATE_NO_DATA' });
  });

  it('refuses an ONNX file that says something else than the trees', async () => {
    const { onnx } = ignorant;
    const changed = { ...better.file, onnxSha256: sha256(onnx) };
    const bundle = { onnx, file: { ...changed, version: versionOf(changed) } };
    await register(bundle);
    expect((await promote(bundle)).report.checks.find(({ code }) => code === 'runtime-agrees')).toMatchObject({ passed: false });
  });

  const firstRows = (count: number): TrainingTable => ({
    ...table, rows: table.rows.slice(0, count * table.features.length), labels: table.labels.slice(0, count), times: table.times.slice(0, count), rowIds: table.rowIds.slice(0, count),
    groups: Object.fromEntries(Object.entries(table.groups).map(([name, values]) => [name, values.slice(0, count)])),
  });
});

describe('roles', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ['a viewer registers', () => register(better, viewer), 'MODEL_ROLE_NEEDED'],
    ['a trainer promotes', async () => [await register(better), await promote(better, trainer)], 'MODEL_ROLE_NEEDED'],
    ['a trainer rolls back', () => registry.rollback('denial-risk', { by: trainer, why }), 'MODEL_ROLE_NEEDED'],
    ['an approver approves the own model', async () => [await register(better, approver), await promote(better, approver)], 'MODEL_OWN_APPROVAL'],
    ['a stage is left out', async () => [await register(better), await registry.promote(better.file.version, { by: approver, why, to: 'live' })], 'MODEL_STEP_NOT_ALLOWED'],
    ['a live model is promoted', () => promote(shipped), 'MODEL_STEP_NOT_ALLOWED'],
    ['the live model is retired', () => registry.retire(shipped.file.version, { by: approver, why }), 'MODEL_STEP_NOT_ALLOWED'],
    ['nothing was live before', () => registry.rollback('denial-risk', { by: approver, why }), 'MODEL_STEP_NOT_ALLOWED'],
    ['no model of the kind is live', () => registry.rollback('appeal', { by: approver, why }), 'MODEL_STEP_NOT_ALLOWED'],
    ['there is no such version', () => registry.promote('0123456789ab', { by: approver, why }), 'MODEL_NOT_FOUND'],
    ['the version is no version', () => registry.find("%' or 1=1"), 'MODEL_NOT_FOUND'],
  ])('%s: refused', async (_what, step, code) => {
    const before = await stages();
    await expect(step()).rejects.toMatchObject({ code });
    expect(await stages()).toMatchObject(before);
  });

  it('let one person approve the own model where that is configured', async () => {
    const own = await open(store, audit, { approveOwn: true });
    await own.register(better, { by: approver, why, origin: 'trained' });
    expect(await own.promote(better.file.version, { by: approver, why })).toMatchObject({ kind: 'promoted' });
    await own.stop();
  });
});

describe('a bundle', () => {
  const changed = (edit: (file: ModelBundle['file']) => object): ModelBundle => {
    const file = { ...better.file, ...edit(better.file) };
    return { onnx: better.onnx, file: { ...file, version: versionOf(file) } };
  };
  it.each<[string, () => ModelBundle, string]>([
    ['another ONNX file', () => ({ ...better, onnx: ignorant.onnx }), 'ONNX file'],
    ['content changed after the training', () => ({ ...better, file: { ...better.file, bands: { medium: 0.01, high: 0.02 } } }), 'hash'],
    ['other features', () => changed((file) => ({ features: file.features.slice(1) })), 'feature list'],
    ['no rows to check itself', () => changed(() => ({ selfCheck: [] })), 'no rows'],
    ['stored rows that it does not give', () => changed((file) => ({ selfCheck: file.selfCheck.map(({ row, margin }) => ({ row, margin: margin + 1 })) })), 'stored rows'],
  ])('with %s is not registered', async (_what, bundle, words) => {
    await expect(register(bundle())).rejects.toMatchObject({ code: 'MODEL_BUNDLE_INVALID', message: expect.stringContaining(words) });
    expect(Object.keys(await stages())).toHaveLength(1);
  });

  it('registered twice is one version', async () => {
    await register(better);
    await register(better, approver);
    expect((await registry.list('denial-risk')).map(({ version, registeredBy }) => [version, registeredBy])).toContainEqual([better.file.version, 'tara']);
    expect((await registry.changes('denial-risk')).filter(({ what }) => what === 'registered')).toHaveLength(2);
  });
});

describe('at once', () => {
  it('of two promotions of a model one is done and one is refused', async () => {
    await register(better);
    const both = await Promise.allSettled([promote(better), promote(better)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'MODEL_STAGE_CHANGED' } });
    expect(await stages()).toMatchObject({ [better.file.version]: 'shadow' });
  });

  it('other processes on PostgreSQL see a rollback, and only one of them changes', async (context) => {
    if (store.engine !== 'postgresql') return context.skip('one process at a time has the embedded database');
    const second = await openStore({ dataDir: 'memory', databaseUrl: store.pool?.options.connectionString });
    const trail = await openAuditTrail(second, Date.now, (error) => expect.fail(String(error)));
    const elsewhere = await open(second, trail, { pollMs: 50 });
    try {
      await makeLive(better);
      const heard = new Promise<void>((resolve) => void elsewhere.source('denial-risk').onChange(resolve));
      await registry.rollback('denial-risk', { by: approver, why });
      await heard;
      await expect.poll(async () => (await elsewhere.source('denial-risk').current()).live?.version).toBe(shipped.file.version);
      await register(other);
      const both = await Promise.allSettled([promote(other), elsewhere.promote(other.file.version, { by: approver, why })]);
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    } finally {
      await elsewhere.stop();
      await trail.stop();
      await second.close();
    }
  });
});


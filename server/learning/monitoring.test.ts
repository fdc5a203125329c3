import { sql } from 'kysely';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ModelFile, modelFile } from '#models/model-file.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import { simulateDecisions } from '#models/simulate/simulate-decisions.ts';
import { simulatedTable } from '#models/simulate/simulated-table.ts';
import type { LearningAlert, MonitoringReport } from '#prior-auth/learning-api.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { type Jobs, startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { monitoredDecisions, recordMonitored } from '#test-fixtures/monitored-decisions.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '../store/migrations.ts';
import { GATE_RULES } from './gate.ts';
import { type Monitoring, openMonitoring } from './monitoring.ts';
import { monitoringMetrics } from './monitoring-metrics.ts';
import { readBundle } from './registered-model.ts';
import { type ModelRegistry, openModelRegistry } from './registry.ts';
import { createTrainingRuns, type TrainingRuns } from './training-runs.ts';
import { createTriggers, type Triggers } from './triggers.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const DRIFT_FROM = START + 300 * DAY;
const log = pino({ level: 'silent' });
let clock = START;
const now = () => clock;
let store: Store;
let audit: AuditTrail;
let jobs: Jobs;
let registry: ModelRegistry;
let file: ModelFile;
let monitoring: Monitoring;
const reports: MonitoringReport[] = [];

beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  audit = await openAuditTrail(store, now, (error) => expect.fail(String(error)));
  jobs = await startJobs(store, () => undefined);
  const { json, onnx } = await shippedModel();
  file = modelFile.parse(JSON.parse(json));
  const gate: Parameters<typeof openModelRegistry>[0]['gate'] = async (candidate, live, to) => ({
    kind: candidate.file.kind, version: candidate.file.version, against: live?.file.version ?? null, to, passed: true, simulated: true, data: { source: 'test', rows: 1, from: '', to: '' }, rules: GATE_RULES[candidate.file.kind], checks: [], evaluation: null,
  });
  registry = await openModelRegistry({ store, audit, now, gate, shipped: [readBundle(json, onnx)] });
  monitoring = await openMonitoring({ store, audit, log, now, liveModel: (kind) => registry.liveModel(kind), onReport: (report) => void reports.push(report), retentionDays: 60 });
  const told = monitoredDecisions(file, 8_000, 3, { from: START, days: 340, drifts: [{ kind: 'older-evidence', from: DRIFT_FROM, factor: 3 }], untold: 5_500 });
  await recordMonitored(store, monitoring.scores, file.version, told);
}, 60_000);
afterAll(async () => {
  await monitoring.stop();
  await registry.stop();
  await jobs.stop();
  await audit.stop();
  await store.close();
});

const check = (day: number) => {
  clock = START + day * DAY;
  return monitoring.check('denial-risk');
};
const named = (alerts: readonly LearningAlert[]) => alerts.map(({ threshold, subject }) => `${threshold} ${subject}`);

describe('a model in service', () => {
  it('raises nothing while the world is as it was', async () => {
    expect(named(await check(299))).toEqual([]);
    const report = reports.at(-1);
    expect(report).toMatchObject({ version: file.version, simulated: true, alerts: [] });
    expect(report?.scores).toBeGreaterThan(500);
    expect(report?.decided).toBeGreaterThan(500);
    expect(report?.areaUnderRoc?.value).toBeGreaterThan(0.75);
    expect(report?.subgroups.map(({ group }) => group)).toEqual(['patient_age', 'patient_sex', 'payer', 'service_family']);
  });

  it('finds planted drift within the window, once; a person acknowledges and closes it, and it is silent for a week', async () => {
    const opened = await check(322);
    expect(named(opened)).toContain('input-drift newest_evidence_age_days');
    expect(named(await check(322.01))).toEqual([]);
    expect((await monitoring.report('denial-risk')).history.map(({ at }) => at.slice(0, 10))).toEqual(['2026-10-27', '2026-11-19']);
    const found = opened.find(({ subject }) => subject === 'newest_evidence_age_days');
    const id = String(found?.id);
    expect(await monitoring.alerts.acknowledge(id, 'ana', 'looking into it')).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'ana', note: 'looking into it' } });
    await expect(monitoring.alerts.acknowledge(id, 'ana', 'again')).rejects.toMatchObject({ code: 'ALERT_CHANGED' });
    expect(await monitoring.alerts.close(id, 'ana', 'known')).toMatchObject({ state: 'closed' });
    await expect(monitoring.alerts.close(id, 'ana', 'again')).rejects.toMatchObject({ code: 'ALERT_CHANGED' });
    for (const wrong of ['0193f000-0000-7000-8000-000000000000', 'no id', "'"]) await expect(monitoring.alerts.close(wrong, 'ana', 'x')).rejects.toMatchObject({ code: 'ALERT_NOT_FOUND' });
    expect(named(await check(324))).toEqual([]);
    expect(named(await check(330))).toContain('input-drift newest_evidence_age_days');
  });

  it('closes by itself what has been under its limit for a day', async () => {
    await monitoring.changeThreshold({ name: 'input-drift', limit: 5, why: 'test' }, 'bo');
    await check(330.5);
    expect((await monitoring.alerts.list('denial-risk')).filter(({ state }) => state !== 'closed').length).toBeGreaterThan(0);
    await check(332);
    const alerts = await monitoring.alerts.list('denial-risk');
    expect(alerts.find(({ subject, closed }) => subject === 'newest_evidence_age_days' && closed?.by === 'monitor')).toBeDefined();
    expect((await monitoring.report('denial-risk')).thresholds.find(({ name }) => name === 'input-drift')).toMatchObject({ limit: 5, changed: { by: 'bo' } });
  });

  it('keeps nothing of a score that names a case, and not for ever', async () => {
    const { rows } = await sql<{ case_key: string; features: unknown[] }>`select * from monitoring.score limit 5`.execute(store.db);
    for (const row of rows) {
      expect(Object.keys(row).sort()).toEqual(['case_key', 'features', 'kind', 'probability', 'scored_at', 'took_ms', 'version']);
      expect(row.case_key).toMatch(/^[0-9a-f]{64}$/);
      expect(row.features.every((value) => value === null || typeof value === 'number')).toBe(true);
    }
    monitoring.scores.record({ version: file.version, stage: 'live', shownVersion: file.version, probability: 0.5, shownProbability: 0.5, tookMs: 1, atMs: clock });
    await monitoring.scores.prune();
    const left = await sql<{ oldest: Date; all: number }>`select min(scored_at) as oldest, count(*)::int as all from monitoring.score`.execute(store.db);
    expect(new Date(left.rows[0]?.oldest ?? 0).getTime()).toBeGreaterThanOrEqual(clock - 60 * DAY);
  });

  it('shows gauges that say simulated, and an empty report where no model is live', async () => {
    const metrics = new Registry();
    const show = monitoringMetrics(metrics);
    show(await monitoring.report('denial-risk'));
    const text = await metrics.metrics();
    expect(text).toMatch(/learning_input_drift_psi\{[^}]*simulated="true"[^}]*feature="newest_evidence_age_days"\} [0-9.]+/);
    expect(text).toMatch(/learning_area_under_roc\{kind="denial-risk",simulated="true"\} 0\.\d+/);
    expect(await monitoring.report('appeal')).toMatchObject({ version: null, scores: 0, features: [], areaUnderRoc: null });
    expect(await monitoring.check('appeal')).toEqual([]);
  });
});

describe('retrainings', () => {
  let runs: TrainingRuns;
  const triggersOf = (rows: number): Triggers =>
    createTriggers({ store, jobs, log, now, runs, registry, tables: { make: async () => ({ id: 't', table: simulatedTable(simulateDecisions(rows, 11)), dataHash: 'ab'.repeat(32), faults: [] }) } });
  const ended = (id: string, state: string) => vi.waitFor(async () => expect((await runs.list()).find((run) => run.id === id)?.state).toBe(state), { timeout: 15_000, interval: 50 });
  beforeAll(() => { runs = createTrainingRuns({ store, jobs, audit, now }); });

  it('end at the gate as a candidate; one at a time; stopped by a person; given up at a shutdown and begun again', async () => {
    const triggers = triggersOf(3_000);
    await triggers.start();
    const first = await triggers.ask('denial-risk', 'try it', 'ana');
    await expect(triggers.ask('denial-risk', 'and again', 'bo')).rejects.toMatchObject({ code: 'TRAINING_BUSY' });
    await ended(first.id, 'done');
    const [done] = await runs.list('denial-risk');
    expect(done).toMatchObject({ cause: 'asked', askedBy: 'ana', passed: true, progress: 1 });
    expect(await registry.find(String(done?.version))).toMatchObject({ stage: 'candidate', registeredBy: 'retraining', simulated: true });
    expect((await registry.liveModel('denial-risk'))?.file.version).toBe(file.version);

    const second = await triggers.ask('denial-risk', 'to be stopped', 'ana');
    await ended(second.id, 'running');
    await runs.stop(second.id, 'bo');
    await ended(second.id, 'stopped');
    await expect(runs.stop(second.id, 'bo')).rejects.toMatchObject({ code: 'TRAINING_NOT_FOUND' });

    const third = await triggers.ask('denial-risk', 'over a shutdown', 'ana');
    await ended(third.id, 'running');
    await triggers.stop();
    expect((await runs.list()).find(({ id }) => id === third.id)).toMatchObject({ state: 'waiting', endedAt: null });
    await runs.stop(third.id, 'ana');
    await ended(third.id, 'stopped');
  }, 40_000);

  it('begin by themselves on drift, on a falling AUC and on schedule, and not again within a week', async () => {
    const alert = (threshold: LearningAlert['threshold']): LearningAlert => ({ id: 'x', threshold, subject: null, version: file.version, state: 'open', value: 0.4, limit: 0.2, openedAt: new Date(clock).toISOString(), seenAt: '', acknowledged: null, closed: null });
    const triggers = triggersOf(100);
    const report = { ...(reports.at(-1) as MonitoringReport), decided: 500, alerts: [] };
    const caused = async (alerts: readonly LearningAlert[], decided = 500) => {
      await triggers.consider({ ...report, decided }, alerts);
      const [run] = await runs.list();
      if (run?.state !== 'waiting') return null;
      await runs.stop(run.id, 'test');
      await sql`delete from monitoring.training`.execute(store.db);
      return run.cause;
    };
    expect(await caused([alert('input-drift')])).toBeNull(); // a training ended less than a week ago
    await sql`delete from monitoring.training`.execute(store.db);
    expect(await caused([alert('input-drift')], 20)).toBeNull();
    expect(await caused([alert('latency-p99-ms')])).toBeNull();
    expect(await caused([alert('input-drift')])).toBe('drift');
    expect(await caused([alert('input-drift'), alert('auc-fall')])).toBe('auc-fall');
    clock = Date.parse(file.trainedAt) + 31 * DAY;
    expect(await caused([])).toBe('schedule');
  });
});

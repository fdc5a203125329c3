import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { ModelBundle } from '#models/model-file.ts';
import { measureWindow } from '#models/monitor/measure-window.ts';
import { DEFAULT_LIMITS, findingsOf } from '#models/monitor/thresholds.ts';
import type { LearningAlert, ModelKind, MonitoringPoint, MonitoringReport, Threshold, ThresholdChange } from '#prior-auth/learning-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { type Alerts, createAlerts } from './alerts.ts';
import { readWindow } from './decided-scores.ts';
import { MONITORING_MIGRATIONS, type MonitoringTables } from './monitoring-tables.ts';
import { openScoreLog, type ScoreLog } from './score-log.ts';

export interface MonitoringOptions {
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly log: Logger;
  readonly now: () => number;
  /** Of the registry. */
  readonly liveModel: (kind: ModelKind) => Promise<Pick<ModelBundle, 'file'> | undefined>;
  /** Hears every report of a check: gauges, triggers. */
  readonly onReport?: (report: MonitoringReport, opened: readonly LearningAlert[]) => void | Promise<void>;
  /** The window that rolls on, in days. */
  readonly windowDays?: number;
  readonly checkMs?: number;
  /** Scores are kept this long, in days. */
  readonly retentionDays?: number;
}

export interface Monitoring {
  /** Where the served models' scores go. */
  readonly scores: ScoreLog;
  readonly alerts: Alerts;
  /** Measured now, over the window that ends now. */
  report(kind: ModelKind): Promise<MonitoringReport>;
  /** Measures, opens and closes alerts, keeps the day's point. */
  check(kind: ModelKind): Promise<readonly LearningAlert[]>;
  changeThreshold(change: ThresholdChange, who: string): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;
const HISTORY_DAYS = 180;
/** The model whose scores are recorded. */
const SCORED: ModelKind = 'denial-risk';

export async function openMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { store, audit, log, now, liveModel, onReport, windowDays = 30, checkMs = 15 * 60_000, retentionDays = 365 } = options;
  await migratePart(store, 'monitoring', MONITORING_MIGRATIONS);
  const db = store.db.withTables<MonitoringTables>();
  const scores = await openScoreLog({ store, kind: SCORED, log, now, retentionDays });
  const alerts = createAlerts({ store, audit, now });

  const thresholds = async (): Promise<readonly Threshold[]> => {
    const changed = await db.selectFrom('monitoring.threshold').selectAll().execute();
    return DEFAULT_LIMITS.map((limit) => {
      const own = changed.find(({ name }) => name === limit.name);
      return own ? { ...limit, limit: own.limit_value, changed: { by: own.changed_by, at: new Date(own.changed_at).toISOString() } } : { ...limit, changed: null };
    });
  };
  const history = async (kind: ModelKind): Promise<readonly MonitoringPoint[]> => {
    const since = new Date(now() - HISTORY_DAYS * DAY_MS).toISOString().slice(0, 10);
    const points = await db.selectFrom('monitoring.point').select('point').where('kind', '=', kind).where('day', '>=', sql<string>`${since}::date`).orderBy('day').execute();
    return points.map(({ point }) => point);
  };
  const measure = async (kind: ModelKind) => {
    const [live, limits] = await Promise.all([liveModel(kind), thresholds(), scores.flush()]);
    const to = new Date(now());
    const from = new Date(to.getTime() - windowDays * DAY_MS);
    const file = live?.file;
    const rows = file ? await readWindow(store, file, scores.caseKey, from, to) : { scored: [], decided: [], simulated: false };
    const reference = file?.reference ?? null;
    const areaAtTraining = file?.measures.areaUnderRoc.value ?? null;
    const measured = measureWindow(rows.scored, rows.decided, reference, file?.bands.high ?? 1);
    return {
      measured,
      findings: findingsOf(measured, areaAtTraining, limits),
      head: {
        kind, version: file?.version ?? null, simulated: (file?.simulated ?? false) || rows.simulated, at: to.toISOString(),
        window: { days: windowDays, from: from.toISOString(), to: to.toISOString() },
        reference: reference && { source: reference.source, rows: reference.rows },
        areaAtTraining, thresholds: limits,
      },
    };
  };
  const complete = async ({ head, measured }: Awaited<ReturnType<typeof measure>>): Promise<MonitoringReport> => ({ ...head, ...measured, history: await history(head.kind), alerts: await alerts.list(head.kind) });

  const check = async (kind: ModelKind): Promise<readonly LearningAlert[]> => {
    const found = await measure(kind);
    const { version } = found.head;
    if (version === null) return [];
    const opened = await alerts.take(kind, version, found.findings);
    for (const { threshold, subject, value, limit } of opened) log.warn({ kind, version, threshold, subject, value, limit }, 'a learning figure is over its limit');
    const point = pointOf(found.head.at, version, found.measured);
    await db
      .insertInto('monitoring.point')
      .values({ kind, day: found.head.at.slice(0, 10), point: JSON.stringify(point) })
      .onConflict((conflict) => conflict.columns(['kind', 'day']).doUpdateSet({ point: sql`excluded.point` }))
      .execute();
    await onReport?.(await complete(found), opened);
    return opened;
  };
  let timer: NodeJS.Timeout | undefined;
  let checking: Promise<unknown> = Promise.resolve();
  const checkAll = (): void => {
    checking = check(SCORED).then(() => scores.prune()).catch((error: unknown) => log.error({ err: error }, 'the models could not be checked'));
  };
  return {
    scores,
    alerts,
    report: async (kind) => complete(await measure(kind)),
    check,
    changeThreshold: ({ name, limit, why }, who) =>
      store.transaction(async (trx) => {
        const values = { limit_value: limit, changed_by: who, changed_at: new Date(now()).toISOString() };
        await trx.withTables<MonitoringTables>().insertInto('monitoring.threshold').values({ name, ...values }).onConflict((conflict) => conflict.column('name').doUpdateSet(values)).execute();
        await audit.recordWithin(trx, { action: 'learning-threshold-changed', who, details: { threshold: name, limit, why } });
      }),
    start() {
      timer = setInterval(checkAll, checkMs);
      timer.unref();
      checkAll();
    },
    async stop() {
      clearInterval(timer);
      await checking;
      await scores.stop();
    },
  };
}

function pointOf(at: string, version: string, { scores, decided, features, score, label, calibrationError, areaUnderRoc }: ReturnType<typeof measureWindow>): MonitoringPoint {
  return {
    at, version, scores, decided,
    greatestPsi: features.length === 0 ? null : Math.max(0, ...features.flatMap(({ judged, psi }) => (judged ? [psi] : []))),
    scorePsi: score?.psi ?? null,
    denialRate: label?.rate.value ?? null,
    calibrationError: calibrationError?.value ?? null,
    areaUnderRoc: areaUnderRoc?.value ?? null,
  };
}

import { sql } from 'kysely';
import type { DecidedRow, ScoredRow } from '#models/monitor/measure-window.ts';
import type { ModelFile } from '#models/model-file.ts';
import { denialLabel, type LabelVersion } from '#prior-auth/learning/labels.ts';
import type { OutcomeRecord } from '#prior-auth/learning/outcome-record.ts';
import type { Store } from '#store/database.ts';
import type { MonitoringTables } from './monitoring-tables.ts';

export interface WindowRows {
  readonly scored: readonly ScoredRow[];
  readonly decided: readonly DecidedRow[];
  /** One of the decisions is a sandbox payer's. */
  readonly simulated: boolean;
}

/** A decision may come so long after its score. */
const SCORE_LIFE_DAYS = 90;
/** The newest of a busier window: enough for any figure, and few enough to measure in a second. */
const MOST_ROWS = 20_000;

/** Scores of a version in the window, and the payers' decisions learned of in the window with the score that the version had given. */
export async function readWindow(store: Store, { version, features, encoders }: Pick<ModelFile, 'version' | 'features' | 'encoders'>, caseKey: (caseId: string) => string, from: Date, to: Date): Promise<WindowRows> {
  const columnOfAge = features.slice(0, features.length - 2 * encoders.length).indexOf('patient_age_band_years');
  const since = new Date(from.getTime() - SCORE_LIFE_DAYS * 86_400_000);
  const scores = await store.db
    .withTables<MonitoringTables>()
    .selectFrom('monitoring.score')
    .select(['case_key', 'features', 'probability', 'took_ms', 'scored_at'])
    .where('version', '=', version)
    .where('scored_at', '>', sql<Date>`${since.toISOString()}::timestamptz`)
    .where('scored_at', '<=', sql<Date>`${to.toISOString()}::timestamptz`)
    .orderBy('scored_at', 'desc')
    .limit(MOST_ROWS)
    .execute();
  const byCase = new Map(scores.map(({ case_key, features: values, probability, took_ms, scored_at }) => {
    const row = Float32Array.from(values, (value) => value ?? Number.NaN);
    return [case_key, { scoredAt: scored_at, row, probability, tookMs: took_ms, groups: { patient_age: ageLevel(row[columnOfAge] ?? Number.NaN) } }] as const;
  }));
  const decisions = await readDecisions(store, from, to);
  const decided = decisions.flatMap(({ caseId, denied, record, decidedAt }) => {
    const score = byCase.get(caseKey(caseId));
    if (score === undefined || score.scoredAt > decidedAt) return [];
    const groups = { ...score.groups, patient_sex: record.patientSex ?? 'unknown', payer: record.payerId, service_family: record.facts?.serviceFamily ?? 'unknown' };
    return [{ ...score, groups, denied, simulated: record.simulated }];
  });
  return { scored: [...byCase.values()].filter(({ scoredAt }) => scoredAt > from), decided, simulated: decided.some(({ simulated }) => simulated) };
}

interface Decision {
  readonly caseId: string;
  /** Of any item of the case: it is the case that was scored. */
  readonly denied: boolean;
  readonly record: OutcomeRecord;
  readonly decidedAt: Date;
}

interface LabelRow {
  readonly case_id: string;
  readonly item_sequence: number;
  readonly version: number;
  readonly cause: LabelVersion['cause'];
  readonly label: LabelVersion['label'];
  readonly record: OutcomeRecord;
  readonly recorded_at: Date | string;
}

/** Cases whose first decision was learned of in the window, by the label that stands. */
async function readDecisions(store: Store, from: Date, to: Date): Promise<readonly Decision[]> {
  const { rows } = await sql<LabelRow>`
    select case_id, item_sequence, version, cause, label, record, recorded_at from learning.label
    where recorded_at <= ${to.toISOString()}::timestamptz and case_id in (
      select case_id from learning.label group by case_id
      having min(recorded_at) > ${from.toISOString()}::timestamptz and min(recorded_at) <= ${to.toISOString()}::timestamptz
      order by min(recorded_at) desc limit ${MOST_ROWS})
    order by case_id, item_sequence, version`.execute(store.db);
  return grouped(rows, ({ case_id }) => case_id).flatMap((own) => {
    const standing = grouped(own, ({ item_sequence }) => item_sequence).flatMap((item) => denialLabel(item) ?? []);
    const known = standing.filter(({ label }) => label !== 'excluded');
    const [first] = known;
    if (first === undefined) return [];
    const decidedAt = new Date(Math.min(...own.map(({ recorded_at }) => new Date(recorded_at).getTime())));
    return [{ caseId: first.case_id, denied: known.some(({ label }) => label === 'denied'), record: first.record, decidedAt }];
  });
}

function grouped<R>(rows: readonly R[], keyOf: (row: R) => string | number): R[][] {
  const groups = new Map<string | number, R[]>();
  for (const row of rows) {
    const own = groups.get(keyOf(row));
    if (own) own.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return [...groups.values()];
}

function ageLevel(bandFrom: number): string {
  if (Number.isNaN(bandFrom)) return 'unknown';
  return bandFrom < 18 ? '0-17' : bandFrom < 45 ? '18-44' : bandFrom < 65 ? '45-64' : '65+';
}

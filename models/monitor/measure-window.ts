import type { Drift, FeatureDrift, MonitoringReport } from '#prior-auth/learning-api.ts';
import { figuresOf } from '../evaluate/measures.ts';
import { calibrationOver } from './calibration-over.ts';
import { countInBins, jensenShannon, ks, psi, shares } from './drift.ts';
import { wilson } from './intervals.ts';
import type { Histogram, MonitoringReference } from './reference.ts';
import { equalisedOdds, levelRates, parity } from './subgroups.ts';

/** One scored item as monitoring keeps it. */
export interface ScoredRow {
  /** In the order of the reference's features; NaN is unknown. */
  readonly row: ArrayLike<number>;
  readonly probability: number;
  /** Audit groups and the level of each. */
  readonly groups: Readonly<Record<string, string>>;
  readonly tookMs: number;
}

/** Its score is of whenever; the payer's answer is of the window. */
export interface DecidedRow extends ScoredRow {
  readonly denied: boolean;
}

export type MeasuredWindow = Pick<MonitoringReport, 'scores' | 'decided' | 'features' | 'score' | 'label' | 'calibration' | 'calibrationError' | 'areaUnderRoc' | 'subgroups' | 'latency'>;

const SEED = 20_261_122;

/** Everything that is measured of one window. `high`: probability from which a risk is called high. Drift needs a reference; the rest does not. */
export function measureWindow(rows: readonly ScoredRow[], decided: readonly DecidedRow[], reference: MonitoringReference | null, high: number): MeasuredWindow {
  const probabilities = Float64Array.from(decided, ({ probability }) => probability);
  const labels = Uint8Array.from(decided, ({ denied }) => Number(denied));
  const denials = labels.reduce((sum, label) => sum + label, 0);
  const figures = decided.length === 0 ? null : figuresOf(probabilities, labels, SEED);
  return {
    scores: rows.length,
    decided: decided.length,
    features: reference === null || rows.length === 0 ? [] : reference.features.map((feature, column) => featureDrift(feature, rows.map(({ row }) => row[column] ?? Number.NaN), reference.rows)),
    score: reference === null || rows.length === 0 ? null : driftOf(reference.scores, rows.map(({ probability }) => probability)),
    label: reference === null || decided.length === 0 ? null : { rate: wilson(denials, decided.length), referenceRate: reference.positives / reference.rows },
    calibration: calibrationOver(probabilities, labels),
    calibrationError: figures?.calibrationError ?? null,
    areaUnderRoc: denials === 0 || denials === decided.length ? null : (figures?.areaUnderRoc ?? null),
    subgroups: [...new Set([...rows, ...decided].flatMap(({ groups }) => Object.keys(groups)))].sort().map((group) => {
      const of = <R extends ScoredRow>(all: readonly R[]) => all.flatMap((row) => (row.groups[group] === undefined ? [] : [{ ...row, level: row.groups[group], selected: row.probability >= high }]));
      const [scored, known] = [of(rows), of(decided)];
      // What only the decision tells (the patient's sex) is audited over the decided rows.
      const audited = scored.length > 0 ? scored : known;
      return { group, levels: levelRates(audited, known), parityGap: parity(audited), oddsGap: equalisedOdds(known) };
    }),
    latency: latencyOf(rows.map(({ tookMs }) => tookMs)),
  };
}

/**
 * Past decisions move slowly by themselves, counts by growing, and take so few values at a time (one a payer) that a step of a thousandth empties a bin: shown, never
 * alarmed. A payer that denies more is seen in the labels and the calibration.
 */
const movesByItself = (feature: string): boolean => /_(decision_count|denial_rate|decision_days)$/.test(feature);

function featureDrift({ name, unknown, ...histogram }: MonitoringReference['features'][number], values: readonly number[], referenceRows: number): FeatureDrift {
  return { feature: name, judged: !movesByItself(name), unknownShare: values.filter(Number.isNaN).length / values.length, referenceUnknownShare: unknown / referenceRows, ...driftOf(histogram, values) };
}

function driftOf({ edges, counts }: Histogram, values: readonly number[]): Drift {
  const current = countInBins(values, edges);
  const [was, is] = [shares(counts), shares(current)];
  const known = values.some((value) => !Number.isNaN(value)) && counts.some((count) => count > 0);
  return {
    psi: known ? psi(counts, current) : 0,
    jensenShannon: known ? jensenShannon(counts, current) : 0,
    ks: known ? ks(counts, current) : 0,
    bins: was.map((share, bin) => ({ from: edges[bin - 1] ?? null, to: edges[bin] ?? null, reference: share, current: is[bin] ?? 0 })),
  };
}

function latencyOf(times: number[]): MeasuredWindow['latency'] {
  if (times.length === 0) return null;
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] as number;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

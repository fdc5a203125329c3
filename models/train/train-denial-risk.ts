import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { DENIAL_RISK_FEATURES, type DenialHistory, toFeatureRow } from '#prior-auth/learning/features.ts';
import { calibrate } from '../calibration.ts';
import { figuresOf } from '../evaluate/measures.ts';
import { marginOf } from '../forest.ts';
import { type ModelFile, sha256, versionOf } from '../model-file.ts';
import { trainForest } from './boost.ts';
import { fitCalibration } from './calibration-fit.ts';
import { writeOnnx } from './onnx.ts';

export interface LabelledDecision {
  readonly facts: DenialRiskFacts;
  readonly denied: boolean;
}

const SETTINGS = { trees: 40, depth: 4, learningRate: 0.15, lambda: 1, minChildWeight: 5, rowShare: 1, columnShare: 1, earlyStoppingTrees: 0, seed: 1 } as const;
/** Pseudo-decisions that pull a small group's rate towards the overall one. */
const SMOOTHING = 50;

/** Trains on the first 60 % in time, calibrates on the next 20 %, measures on the last 20 %. Rows must be in time order. */
export function trainDenialRisk(decisions: readonly LabelledDecision[], about: { source: string; seed: number; simulated: boolean }): { onnx: Buffer; file: ModelFile } {
  const trainEnd = Math.floor(decisions.length * 0.6);
  const calibrateEnd = Math.floor(decisions.length * 0.8);
  const training = decisions.slice(0, trainEnd);
  const history = denialHistory(training);
  const rows = decisions.map((decision) => toFeatureRow(decision.facts, history));
  const labels = Uint8Array.from(decisions, (decision) => Number(decision.denied));

  const columns = DENIAL_RISK_FEATURES.map((_, feature) => Float32Array.from(rows.slice(0, trainEnd), (row) => row[feature] as number));
  const forest = trainForest({ columns, labels: labels.slice(0, trainEnd), learnRows: trainEnd, monotone: new Int8Array(columns.length) }, SETTINGS);
  const margins = Float64Array.from(rows, (row) => marginOf(forest, row));
  const calibration = fitCalibration(margins.subarray(trainEnd, calibrateEnd), labels.subarray(trainEnd, calibrateEnd));
  const tested = margins.slice(calibrateEnd).map((margin) => calibrate(calibration, margin));
  const testLabels = labels.slice(calibrateEnd);
  const onnx = writeOnnx(forest, DENIAL_RISK_FEATURES.length, { name: 'denial-risk', simulated: String(about.simulated) });
  const file: Omit<ModelFile, 'version'> = {
    kind: 'denial-risk',
    onnxSha256: sha256(onnx),
    simulated: about.simulated,
    trainedAt: '2026-11-22T00:00:00Z',
    trainedOn: { source: about.source, rows: decisions.length, from: '2026-01-01T00:00:00Z', to: '2026-11-22T00:00:00Z' },
    features: [...DENIAL_RISK_FEATURES],
    encoders: [],
    calibration,
    bands: { medium: 0.15, high: 0.4 },
    history,
    forest,
    selfCheck: rows.slice(calibrateEnd, calibrateEnd + 40).map((row, index) => ({
      row: Array.from(row, (value) => (Number.isNaN(value) ? null : value)),
      margin: margins[calibrateEnd + index] as number,
    })),
    measures: { split: 'last 20 % in time', testRows: testLabels.length, baseRate: testLabels.reduce((sum, label) => sum + label, 0) / testLabels.length, ...figuresOf(tested, testLabels, about.seed) },
    lineage: { dataHash: '', codeHash: '', parameters: {}, seed: about.seed },
  };
  return { onnx, file: { ...file, version: versionOf(file) } };
}

/** Smoothed denial shares of the rows given, by payer, family and both. */
function denialHistory(decisions: readonly LabelledDecision[]): DenialHistory {
  const overall = decisions.filter((decision) => decision.denied).length / decisions.length;
  const table = (keyOf: (facts: DenialRiskFacts) => string | null): Record<string, number> => {
    const groups = new Map<string, { count: number; denied: number }>();
    for (const { facts, denied } of decisions) {
      const key = keyOf(facts);
      if (key === null) continue;
      const group = groups.get(key) ?? { count: 0, denied: 0 };
      groups.set(key, { count: group.count + 1, denied: group.denied + Number(denied) });
    }
    return Object.fromEntries([...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { count, denied }]) => [key, (denied + SMOOTHING * overall) / (count + SMOOTHING)]));
  };
  return {
    byPayer: table((facts) => facts.payerId),
    byFamily: table((facts) => facts.serviceFamily),
    byPayerAndFamily: table((facts) => (facts.payerId && facts.serviceFamily ? `${facts.payerId}|${facts.serviceFamily}` : null)),
  };
}

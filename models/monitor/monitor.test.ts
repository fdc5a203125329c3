import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DENIAL_RISK_FEATURES } from '#prior-auth/learning/features.ts';
import { tableOf, type TrainingTable } from '../dataset.ts';
import { scoreTable } from '../evaluate/score-table.ts';
import { modelFile } from '../model-file.ts';
import { shippedModel } from '../serve/shipped-model.ts';
import { type PlantedDrift, simulateDecisions } from '../simulate/simulate-decisions.ts';
import { simulatedTable } from '../simulate/simulated-table.ts';
import { calibrationOver, errorByChance } from './calibration-over.ts';
import { countInBins, jensenShannon, ks, psi } from './drift.ts';
import { difference, wilson, zForPairs } from './intervals.ts';
import { type DecidedRow, measureWindow } from './measure-window.ts';
import { monitoringReference, referenceOf } from './reference.ts';
import { equalisedOdds, levelRates, parity } from './subgroups.ts';
import { DEFAULT_LIMITS, findingsOf } from './thresholds.ts';

describe('distances, by hand', () => {
  it('counts into bins that are open below and closed above; unknown is nowhere', () => {
    expect([...countInBins([-1, 0, 0.5, 1, 2, Number.NaN], [0, 1])]).toEqual([2, 2, 1]);
  });
  it.each([
    ['equal shares', [50, 50], [5, 5], 0],
    // (25.5 - 50.5)/101 * ln(25.5/50.5) + (75.5 - 50.5)/101 * ln(75.5/50.5)
    ['a quarter moved', [50, 50], [25, 75], 0.26867],
    // an empty bin: (0.5/101 - 0.5) ln(…) + (100.5/101 - 0.5) ln(…)
    ['all moved to one bin', [50, 50], [0, 100], 2.6254],
  ])('PSI of %s', (_what, reference, current, expected) => expect(psi(reference, current)).toBeCloseTo(expected, 4));
  it.each([
    ['equal shares', [3, 3], [1, 1], 0, 0],
    ['nothing shared', [1, 0], [0, 1], 1, 1],
    // m = (0.75, 0.25); (log2(4/3) * 1 + 0.5 log2(2/3) + 0.5 log2(2)) / 2 = 0.31128; its root
    ['half shared', [1, 0], [1, 1], 0.55792, 0.5],
  ])('Jensen-Shannon and KS of %s', (_what, reference, current, distance, greatest) => {
    expect(jensenShannon(reference, current)).toBeCloseTo(distance, 4);
    expect(ks(reference, current)).toBeCloseTo(greatest, 10);
  });
  it('are symmetric, never negative, and Jensen-Shannon and KS never above 1', () => {
    const counts = fc.array(fc.nat(500), { minLength: 4, maxLength: 4 });
    fc.assert(fc.property(counts, counts, (a, b) => {
      expect(psi(a, b)).toBeCloseTo(psi(b, a), 9);
      expect(psi(a, b)).toBeGreaterThanOrEqual(-1e-12);
      for (const distance of [jensenShannon(a, b), ks(a, b)]) expect(distance >= 0 && distance <= 1 + 1e-9).toBe(true);
      expect(jensenShannon(a, b)).toBeCloseTo(jensenShannon(b, a), 9);
    }));
  });
});

describe('intervals', () => {
  it('are those of the books', () => {
    expect(wilson(5, 10).low).toBeCloseTo(0.2366, 4);
    expect(wilson(0, 10).high).toBeCloseTo(0.2775, 4);
    // Newcombe 1998, example (a): 56/70 - 48/80
    const gap = difference(wilson(56, 70), wilson(48, 80));
    expect([gap.value, gap.low, gap.high].map((each) => Number(each.toFixed(4)))).toEqual([0.2, 0.0524, 0.3339]);
    expect(zForPairs(1)).toBeCloseTo(1.96, 2);
    expect(zForPairs(10)).toBeCloseTo(2.807, 2);
  });
});

describe('calibration and subgroups, by hand', () => {
  it('bins by tenths', () => {
    const bins = calibrationOver([0.12, 0.18, 0.95, 1], [0, 1, 1, 1]);
    expect(bins.map(({ from, count, predicted, observed }) => [from, count, predicted, observed.value])).toEqual([[0.1, 2, 0.15, 0.5], [0.9, 2, 0.975, 1]]);
    expect(errorByChance(calibrationOver(Array.from({ length: 100 }, () => 0.5), Array.from({ length: 100 }, (_none, row) => row % 2)))).toBeCloseTo(Math.sqrt(2 / Math.PI) * 0.05, 6);
  });
  it('compares levels of enough rows, and shows the others', () => {
    const rows = (level: string, count: number, selected: number, denied: boolean) => Array.from({ length: count }, (_none, row) => ({ level, selected: row < selected, denied }));
    const all = [...rows('a', 100, 60, true), ...rows('b', 100, 20, true), ...rows('c', 5, 5, true), ...rows('a', 50, 5, false), ...rows('b', 50, 5, false)];
    expect(parity(all)?.value).toBeCloseTo(65 / 150 - 25 / 150, 10);
    expect(equalisedOdds(all)?.value).toBeCloseTo(0.4, 10);
    expect(levelRates(all, all).map(({ level, rows: count, truePositiveRate, falsePositiveRate }) => [level, count, truePositiveRate?.value, falsePositiveRate?.value])).toEqual([['a', 150, 0.6, 0.1], ['b', 150, 0.2, 0.1], ['c', 5, 1, undefined]]);
    expect(parity(rows('a', 100, 60, true))).toBeNull();
  });
  it('a single value in the reference has a bin of its own, so that a second one is seen', () => {
    const table: TrainingTable = { features: ['flag'], rows: new Float32Array(50), labels: new Uint8Array(50), times: new Float64Array(50), groups: {}, rowIds: [], simulated: true, source: 'hand' };
    const reference = monitoringReference.parse(referenceOf(table, Array.from({ length: 50 }, (_none, row) => row / 50)));
    const scored = Array.from({ length: 50 }, () => ({ row: [1], probability: 0.5, groups: {}, tookMs: 1 }));
    expect(measureWindow(scored, [], reference, 0.4).features[0]?.psi).toBeGreaterThan(2);
  });
});

describe('windows of simulated decisions', async () => {
  const file = modelFile.parse(JSON.parse((await shippedModel()).json));
  const width = DENIAL_RISK_FEATURES.length;
  const WINDOW = 600;
  const from = Date.UTC(2025, 0, 1);
  const rowsOf = (drifts: readonly PlantedDrift[]) => {
    const table = simulatedTable(simulateDecisions(20_000, 5, { from, days: 600, drifts }));
    const scores = scoreTable(file, table).model;
    const rows = Array.from(scores, (probability, row): DecidedRow => ({
      row: table.rows.subarray(row * width, (row + 1) * width), probability, denied: table.labels[row] === 1, tookMs: 1,
      groups: { patient_sex: table.groups['sex']?.[row] ?? 'unknown', patient_age: Number(table.groups['age_band']?.[row]) >= 65 ? '65+' : '18-64', payer: table.groups['payer']?.[row] ?? 'unknown' },
    }));
    return { table, scores, rows };
  };
  const stable = rowsOf([]);
  const reference = referenceOf(tableOf(stable.table, Array.from({ length: 6_000 }, (_none, row) => 8_000 + row)), stable.scores.subarray(8_000, 14_000));
  const areaAtTraining = file.measures.areaUnderRoc.value;
  const findings = (rows: readonly DecidedRow[]) => findingsOf(measureWindow(rows, rows, reference, file.bands.high), areaAtTraining, DEFAULT_LIMITS);

  it('stable data raise no alarm: at most 2 of 100 windows', () => {
    const alarmed = Array.from({ length: 100 }, (_none, window) => findings(stable.rows.slice(14_000 + window * 54, 14_000 + window * 54 + WINDOW))).filter((found) => found.length > 0);
    expect(alarmed.length).toBeLessThanOrEqual(2);
  });
  it.each<[string, PlantedDrift, string]>([
    ['evidence that is three times as old', { kind: 'older-evidence', from: from + 480 * 86_400_000, factor: 3 }, 'input-drift newest_evidence_age_days'],
    ['a payer that turns strict', { kind: 'stricter-payer', from: from + 480 * 86_400_000, payerId: 'evergreen-health', logOdds: 4 }, 'calibration-error null'],
  ])('planted drift is found in its first window: %s', (_what, drift, expected) => {
    const { rows } = rowsOf([drift]);
    const first = Math.round((480 / 600) * rows.length) + 60;
    expect(findings(rows.slice(first, first + WINDOW)).map(({ threshold, subject }) => `${threshold} ${subject}`)).toContain(expected);
  });
});

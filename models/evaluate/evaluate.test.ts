import { beforeAll, describe, expect, it } from 'vitest';
import { boostingTable } from '#test-fixtures/boosting-table.ts';
import { tableOf, type TrainingTable } from '../dataset.ts';
import type { ModelBundle } from '../model-file.ts';
import { seededRandom } from '../seeded-random.ts';
import { trainModel } from '../train/train-model.ts';
import { bootstrap } from './bootstrap.ts';
import { evaluate } from './evaluate.ts';
import { areaUnderRoc, figuresOf } from './measures.ts';
import { subgroupTable } from './subgroups.ts';

describe('the figures, by hand', () => {
  it.each<[string, number[], number[], number]>([
    ['all in order', [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1],
    ['all against it', [0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0],
    ['all tied', [0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5],
    ['three pairs of four, one tied', [0.1, 0.4, 0.4, 0.9], [0, 0, 1, 1], 3.5 / 4],
    ['one label only', [0.1, 0.4], [1, 1], Number.NaN],
  ])('AUC: %s', (_what, scores, labels, expected) => {
    expect(areaUnderRoc(Float64Array.from(scores), Uint8Array.from(labels))).toEqual(expected);
  });

  it('Brier, log loss and calibration error', () => {
    const figures = figuresOf(Float64Array.of(0.2, 0.25, 0.9), Uint8Array.of(0, 1, 1), 1);
    expect(figures.brier.value).toBeCloseTo((0.04 + 0.5625 + 0.01) / 3, 12);
    expect(figures.logLoss.value).toBeCloseTo(-(Math.log(0.8) + Math.log(0.25) + Math.log(0.9)) / 3, 12);
    expect(figures.calibrationError.value).toBeCloseTo((Math.abs(0.45 - 1) + Math.abs(0.9 - 1)) / 3, 12);
  });

  it('rates of each subgroup, none where there are no rows to take it over', () => {
    const rows = subgroupTable({ sex: ['f', 'f', 'f', 'm'] }, Float64Array.of(0.9, 0.1, 0.6, 0.7), Uint8Array.of(1, 1, 0, 1), 0.5, 1);
    expect(rows).toMatchObject([
      { group: 'sex', level: 'f', rows: 3, selectionRate: { value: 2 / 3 }, truePositiveRate: { value: 1 / 2 }, falsePositiveRate: { value: 1 } },
      { group: 'sex', level: 'm', rows: 1, selectionRate: { value: 1 }, truePositiveRate: { value: 1 }, falsePositiveRate: null },
    ]);
  });
});

describe('the bootstrap', () => {
  it('gives the interval that theory gives for a share', () => {
    const random = seededRandom(1);
    const hits = Float64Array.from({ length: 2_000 }, () => Number(random() < 0.3));
    const { share } = bootstrap(hits.length, 2, { share: (weights) => weights.reduce((sum, weight, row) => sum + weight * (hits[row] as number), 0) / hits.length });
    const standardError = Math.sqrt((0.3 * 0.7) / 2_000);
    expect((share.high - share.low) / (2 * 1.96 * standardError)).toBeGreaterThan(0.8);
    expect((share.high - share.low) / (2 * 1.96 * standardError)).toBeLessThan(1.2);
    expect(share.low < share.value && share.value < share.high).toBe(true);
  });

  it('is the same for the same seed, and another for another', () => {
    const first = (weights: Uint16Array) => weights[0] as number;
    expect(bootstrap(50, 7, { first })).toEqual(bootstrap(50, 7, { first }));
    const sum = (weights: Uint16Array) => weights.reduce((total, weight, row) => total + weight * row, 0);
    expect(bootstrap(50, 7, { sum }).sum.low).not.toBe(bootstrap(50, 8, { sum }).sum.low);
  });
});

describe('a model on a table', () => {
  const random = seededRandom(3);
  const whole: TrainingTable = { ...boostingTable(3_000, 6, 4), categories: { code: Array.from({ length: 3_000 }, () => `code-${Math.floor(random() * 4)}`) } };
  const audited = { ...whole, groups: { sex: Array.from(whole.labels, (_, row) => (row % 2 === 0 ? 'female' : 'male')) } };
  let bundle: ModelBundle;
  beforeAll(async () => {
    bundle = await trainModel(audited, { kind: 'appeal', seed: 1, trainedAt: '2026-11-22T00:00:00Z', trees: 20 });
  });

  it('gives on its own test slice what the bundle says of itself', () => {
    const evaluation = evaluate(bundle, tableOf(audited, Array.from({ length: 600 }, (_, row) => 2_400 + row)));
    const { areaUnderRoc, brier, logLoss, calibrationError, testRows, baseRate, logistic } = bundle.file.measures;
    expect(evaluation).toMatchObject({ areaUnderRoc, brier, logLoss, calibrationError, rows: testRows, baseRate, logistic, simulated: true, source: 'invented numbers', modelVersion: bundle.file.version });
    expect(evaluation.subgroups.map(({ level, rows }) => [level, rows])).toEqual([['female', 300], ['male', 300]]);
  });

  it.each<[string, TrainingTable, RegExp]>([
    ['other features', { ...audited, features: ['a', 'b', 'c', 'd', 'e', 'f'] }, /the model reads x0/],
    ['no category that it encodes', { ...audited, categories: {} }, /lacks the category code/],
    ['no rows', tableOf(audited, []), /both labels are needed/],
    ['one label', { ...audited, labels: new Uint8Array(3_000) }, /both labels are needed/],
  ])('refuses %s', (_what, table, why) => {
    expect(() => evaluate(bundle, table)).toThrow(expect.objectContaining({ code: 'TRAINING_REFUSED', message: expect.stringMatching(why) }));
  });
});

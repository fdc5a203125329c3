import { describe, expect, it } from 'vitest';
import type { TrainingTable } from '../dataset.ts';
import { encodeLevel } from '../encode.ts';
import type { CategoryEncoder } from '../model-file.ts';
import { encodeCategories } from './target-encoding.ts';

const tableOf = (levels: (string | null)[], labels: number[]): TrainingTable => ({
  features: [], rows: new Float32Array(0), labels: Uint8Array.from(labels), times: new Float64Array(labels.length), categories: { payer: levels, code: levels.map(() => 'x') },
  groups: {}, rowIds: labels.map(String), simulated: true, source: 'by hand',
});
const SETTINGS = { encode: [['payer'], ['payer', 'code']], smoothing: 2, folds: 2, seed: 1 };

describe('target encoding', () => {
  const levels = ['a', 'a', 'a', 'b', 'b', null, 'a', 'c'];
  const { encoders, columns } = encodeCategories(tableOf(levels, [1, 1, 0, 0, 0, 1, 1, 1]), 6, SETTINGS);

  it('keeps smoothed rates and counts of the learnt rows, by field and by pair', () => {
    expect(encoders[0]).toEqual({ name: 'payer', fields: ['payer'], overall: 0.5, levels: { a: { rate: (2 + 2 * 0.5) / 5, count: 3 }, b: { rate: (0 + 2 * 0.5) / 4, count: 2 } } });
    expect(encoders[1]).toMatchObject({ name: 'payer_code', levels: { 'a|x': { rate: 0.6, count: 3 } } });
  });

  it('gives later rows what serving will give: the table, the overall rate for a new level', () => {
    expect([columns[0]?.[6], columns[1]?.[6]]).toEqual([Math.fround(0.6), 3]);
    expect([columns[0]?.[7], columns[1]?.[7]]).toEqual([0.5, 0]);
  });

  it('keeps the unknown unknown, and takes no level from the object prototype', () => {
    expect([columns[0]?.[5], columns[1]?.[5]]).toEqual([Number.NaN, Number.NaN]);
    expect(encodeLevel(encoders[0] as CategoryEncoder, 'constructor')).toEqual([0.5, 0]);
  });

  it('shows no learnt row its own label', () => {
    const labels = Array.from({ length: 200 }, (_, row) => Number(row % 3 === 0));
    const names = labels.map((_, row) => `payer-${row % 10}`);
    const settings = { ...SETTINGS, encode: [['payer']], folds: 5 };
    const before = encodeCategories(tableOf(names, labels), 200, settings).columns;
    for (const row of [0, 57, 123, 199]) {
      const after = encodeCategories(tableOf(names, labels.map((label, at) => (at === row ? 1 - label : label))), 200, settings).columns;
      expect(after[0]?.[row]).toBe(before[0]?.[row]);
      expect(after[0]).not.toEqual(before[0]);
    }
  });

  it('counts a level alike for learnt and later rows, on the mean', () => {
    const labels = Array.from({ length: 4_000 }, (_, row) => row % 2);
    const { columns: counted } = encodeCategories(tableOf(labels.map((_, row) => `payer-${row % 4}`), labels), 3_000, { ...SETTINGS, encode: [['payer']], folds: 5 });
    const learnt = counted[1]?.slice(0, 3_000) ?? new Float32Array();
    expect(counted[1]?.[3_500]).toBe(750);
    expect(learnt.reduce((sum, count) => sum + count, 0) / 3_000).toBeGreaterThan(740);
    expect(learnt.reduce((sum, count) => sum + count, 0) / 3_000).toBeLessThan(760);
  });

  it('gives a row with a level of its own the overall rate: nothing leaks', () => {
    const labels = Array.from({ length: 100 }, (_, row) => row % 2);
    const { columns: own } = encodeCategories(tableOf(labels.map((_, row) => `only-${row}`), labels), 100, SETTINGS);
    expect(own[1]?.every((count) => count === 0)).toBe(true);
    expect(new Set(own[0]).size).toBeLessThanOrEqual(2);
  });
});

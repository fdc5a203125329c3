import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { marginOf } from '../forest.ts';
import { seededRandom } from '../seeded-random.ts';
import { type BoostSettings, trainForest } from './boost.ts';

const SETTINGS: BoostSettings = { trees: 20, depth: 3, learningRate: 0.3, lambda: 1, minChildWeight: 1, rowShare: 1, columnShare: 1, earlyStoppingTrees: 0, seed: 1 };

/** Two columns of numbers, one in ten unknown, and a label drawn by the chance of a row. */
function drawn(count: number, seed: number, chance: (a: number, b: number) => number) {
  const random = seededRandom(seed);
  const column = () => Float32Array.from({ length: count }, () => (random() < 0.1 ? Number.NaN : random() * 10));
  const columns = [column(), column()];
  const labels = Uint8Array.from({ length: count }, (_, row) => Number(random() < chance(columns[0]?.[row] as number, columns[1]?.[row] as number)));
  return { columns, labels, learnRows: count, monotone: new Int8Array(2) };
}

describe('boosted trees', () => {
  it('find a step, and which way missing values go', () => {
    const rows = drawn(3_000, 1, (a) => (Number.isNaN(a) ? 0.9 : a > 4 ? 0.6 : 0.1));
    const forest = trainForest(rows, SETTINGS);
    const chance = (a: readonly number[]) => a.reduce((sum, value, at) => sum + 1 / (1 + Math.exp(-marginOf(forest, Float32Array.of(value, at % 10)))), 0) / a.length;
    const from = (least: number) => Array.from({ length: 60 }, (_, step) => least + step / 16);
    expect(chance(from(0.1))).toBeCloseTo(0.1, 1);
    expect(chance(from(4.1))).toBeCloseTo(0.6, 1);
    expect(chance(from(Number.NaN))).toBeCloseTo(0.9, 1);
  });

  it('split known from unknown where only that tells', () => {
    const rows = drawn(2_000, 2, (a) => (Number.isNaN(a) ? 0.8 : 0.2));
    const forest = trainForest(rows, { ...SETTINGS, trees: 1, depth: 1 });
    expect(forest.threshold[0]).toBeGreaterThan(1e38);
    expect(marginOf(forest, Float32Array.of(Number.NaN, 0))).toBeGreaterThan(marginOf(forest, Float32Array.of(9.9, 0)));
  });

  it.each([[1], [-1]] as const)('hold a monotone constraint of %i on every row, also against the data', (direction) => {
    const rows = drawn(1_500, 3, (a, b) => 0.5 - direction * (Number.isNaN(a) ? 0 : 0.04 * a - 0.2) + 0.2 * Math.sin(b || 0));
    const free = trainForest(rows, SETTINGS);
    const held = trainForest({ ...rows, monotone: Int8Array.of(direction, 0) }, SETTINGS);
    const rise = (forest: typeof free, from: number, to: number, b: number) => direction * (marginOf(forest, Float32Array.of(to, b)) - marginOf(forest, Float32Array.of(from, b)));
    expect(rise(free, 1, 9, 5)).toBeLessThan(0);
    const value = fc.double({ min: 0, max: 10, noNaN: true });
    fc.assert(fc.property(value, value, fc.option(value, { nil: Number.NaN }), (x, y, b) => rise(held, Math.min(x, y), Math.max(x, y), b) >= 0), { numRuns: 500 });
  });

  it('hold a constraint and still learn from the other feature', () => {
    const rows = drawn(2_000, 4, (a, b) => (a > 5 ? 0.5 : 0.2) + (b > 5 ? 0.3 : 0));
    const held = trainForest({ ...rows, monotone: Int8Array.of(1, 0) }, SETTINGS);
    expect(marginOf(held, Float32Array.of(8, 8))).toBeGreaterThan(marginOf(held, Float32Array.of(8, 2)) + 0.7);
    expect(marginOf(held, Float32Array.of(8, 2))).toBeGreaterThan(marginOf(held, Float32Array.of(2, 2)) + 0.7);
  });

  it('stop when later rows gain nothing more, at the best tree', () => {
    const rows = { ...drawn(3_000, 5, (a) => (a > 4 ? 0.7 : 0.3)), learnRows: 2_000 };
    const losses: number[] = [];
    const forest = trainForest(rows, { ...SETTINGS, trees: 200, earlyStoppingTrees: 10 }, (_tree, loss) => losses.push(loss ?? Number.NaN));
    expect(losses.length).toBeLessThan(100);
    expect(forest.roots.length).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(losses.length - forest.roots.length).toBe(10);
    expect(Math.max(...forest.right)).toBe(forest.feature.length - 1);
  });

  it('see every row and column in turn when they sample', () => {
    const rows = drawn(1_000, 6, (a, b) => (a + b > 10 ? 0.8 : 0.2));
    const forest = trainForest(rows, { ...SETTINGS, rowShare: 0.5, columnShare: 0.5 });
    expect(new Set(forest.feature)).toEqual(new Set([-1, 0, 1]));
    for (const root of forest.roots) expect(new Set(forest.feature.slice(root, root + 1))).not.toEqual(new Set([0, 1]));
    expect(forest.cover[0]).toBeGreaterThan(100);
    expect(forest.cover[0]).toBeLessThan(150);
  });

  it('give the best values of a single leaf when nothing can be split', () => {
    const labels = Uint8Array.from({ length: 100 }, (_, row) => Number(row < 30));
    const forest = trainForest({ columns: [new Float32Array(100).fill(7)], labels, learnRows: 100, monotone: new Int8Array(1) }, SETTINGS);
    expect(forest.feature.every((feature) => feature === -1)).toBe(true);
    expect(marginOf(forest, Float32Array.of(7))).toBeCloseTo(Math.log(30 / 70), 5);
  });
});

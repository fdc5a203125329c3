import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Forest, marginOf } from '../forest.ts';
import { seededRandom } from '../seeded-random.ts';
import { expectedMargin, shapValues } from './tree-shap.ts';

/** XGBoost's own model and its own margins and contributions: an oracle that shares no code with ours. */
const folder = join(import.meta.dirname, '..', '..', 'test-fixtures', 'xgb-golden');
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));

/** The largest float32 below x: XGBoost splits on `<`, ours on `<=`. */
function below(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getInt32(0);
  view.setInt32(0, x > 0 ? bits - 1 : x < 0 ? bits + 1 : -2147483647);
  return view.getFloat32(0);
}

function fromXgboost(json: { learner: { learner_model_param: { base_score: string }; gradient_booster: { model: { trees: Record<string, number[]>[] } } } }): Forest {
  const share = Number(json.learner.learner_model_param.base_score);
  const forest: Forest = { base: Math.log(share / (1 - share)), roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [], cover: [] };
  for (const tree of json.learner.gradient_booster.model.trees) {
    const root = forest.feature.length;
    forest.roots.push(root);
    tree['left_children']?.forEach((left, node) => {
      const leaf = left === -1;
      const condition = Math.fround(tree['split_conditions']?.[node] as number);
      forest.feature.push(leaf ? -1 : (tree['split_indices']?.[node] as number));
      forest.threshold.push(leaf ? 0 : below(condition));
      forest.left.push(leaf ? -1 : root + left);
      forest.right.push(leaf ? -1 : root + (tree['right_children']?.[node] as number));
      forest.missingLeft.push(Number(tree['default_left']?.[node]));
      forest.value.push(leaf ? condition : 0);
      forest.cover.push(tree['sum_hessian']?.[node] as number);
    });
  }
  return forest;
}

const forest = fromXgboost(read('xgb-tiny.json'));
const golden: { rows: (number | null)[][]; margin: number[]; contribs: number[][] } = read('xgb-tiny-golden.json');
const rows = golden.rows.map((row) => Float32Array.from(row, (value) => value ?? Number.NaN));

describe('TreeSHAP against XGBoost', () => {
  it('has rows with missing values to check', () => {
    expect(rows.length).toBe(60);
    expect(rows.some((row) => row.some(Number.isNaN))).toBe(true);
  });

  it.each(rows.map((row, index) => ({ row, index })))('row $index: margin, contributions and their sum', ({ row, index }) => {
    expect(Math.abs(marginOf(forest, row) - (golden.margin[index] as number))).toBeLessThan(1e-5);
    const expected = golden.contribs[index] as number[];
    const actual = shapValues(forest, row, row.length);
    actual.forEach((value, feature) => expect(Math.abs(value - (expected[feature] as number))).toBeLessThan(1e-5));
    expect(Math.abs(expectedMargin(forest) - (expected.at(-1) as number))).toBeLessThan(1e-5);
    expect(Math.abs(actual.reduce((sum, value) => sum + value, expectedMargin(forest)) - marginOf(forest, row))).toBeLessThan(1e-9);
  });
});

/* By the definition: every subset of the features, each as the mean over the rows that cannot be told apart without the rest. */
describe('TreeSHAP against the definition', () => {
  const FEATURES = 5;
  const random = seededRandom(3);
  const grow = (forest: Forest, depth: number, cover: number): number => {
    const node = forest.feature.length;
    const leaf = depth === 0 || random() < 0.15;
    forest.feature.push(leaf ? -1 : Math.floor(random() * FEATURES));
    forest.threshold.push(Math.fround(random()));
    forest.missingLeft.push(Number(random() < 0.5));
    forest.value.push(leaf ? random() - 0.5 : 0);
    forest.cover.push(cover);
    forest.left.push(-1);
    forest.right.push(-1);
    if (leaf) return node;
    const share = 0.05 + 0.9 * random();
    forest.left[node] = grow(forest, depth - 1, cover * share);
    forest.right[node] = grow(forest, depth - 1, cover * (1 - share));
    return node;
  };
  const mean = (forest: Forest, node: number, row: Float32Array, known: number): number => {
    const feature = forest.feature[node] as number;
    if (feature < 0) return forest.value[node] as number;
    const [left, right] = [forest.left[node] as number, forest.right[node] as number];
    const value = row[feature] as number;
    const goesLeft = Number.isNaN(value) ? forest.missingLeft[node] === 1 : value <= (forest.threshold[node] as number);
    if ((known >> feature) & 1) return mean(forest, goesLeft ? left : right, row, known);
    return ((forest.cover[left] as number) * mean(forest, left, row, known) + (forest.cover[right] as number) * mean(forest, right, row, known)) / (forest.cover[node] as number);
  };
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const byDefinition = (forest: Forest, row: Float32Array): number[] => Array.from({ length: FEATURES }, (_, feature) => {
    let sum = 0;
    for (let set = 0; set < 1 << FEATURES; set += 1) {
      if ((set >> feature) & 1) continue;
      const size = Array.from({ length: FEATURES }, (_none, bit) => (set >> bit) & 1).reduce((a, b) => a + b, 0);
      const weight = (factorial(size) * factorial(FEATURES - size - 1)) / factorial(FEATURES);
      for (const root of forest.roots) sum += weight * (mean(forest, root, row, set | (1 << feature)) - mean(forest, root, row, set));
    }
    return sum;
  });

  it.each([1, 2, 4, 9])('forests of depth %i, features met again on a path, values unknown', (depth) => {
    for (let trial = 0; trial < 12; trial += 1) {
      const forest: Forest = { base: 0.3, roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [], cover: [] };
      for (let tree = 0; tree < 3; tree += 1) forest.roots.push(grow(forest, depth, 1_000));
      const row = Float32Array.from({ length: FEATURES }, () => (random() < 0.2 ? Number.NaN : random()));
      const expected = byDefinition(forest, row);
      shapValues(forest, row, FEATURES).forEach((value, feature) => expect(value).toBeCloseTo(expected[feature] as number, 10));
    }
  });

  it('refuses a forest that does not say how many rows reached its nodes', () => {
    expect(() => shapValues({ base: 0, roots: [0], feature: [0, -1, -1], threshold: [0, 0, 0], left: [1, -1, -1], right: [2, -1, -1], missingLeft: [0, 0, 0], value: [0, 1, 2], cover: [0, 0, 0] }, new Float32Array(1), 1)).toThrow(/how many rows/);
  });
});

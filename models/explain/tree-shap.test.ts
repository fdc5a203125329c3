import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Forest, marginOf } from '../forest.ts';
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

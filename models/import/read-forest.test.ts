import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { expectedMargin, shapValues } from '../explain/tree-shap.ts';
import { marginOf, sigmoid } from '../forest.ts';
import { ModelError } from '../model-error.ts';
import { writeOnnx } from '../train/onnx.ts';
import { readForest } from './read-forest.ts';
import { withCountedCovers } from './read-tree.ts';

/* Files written by XGBoost 3.2 and 1.7, LightGBM 4.7 and scikit-learn 1.9, with those programs' own margins and contributions. */

const folder = join(import.meta.dirname, '..', '..', 'test-fixtures');
const read = (...path: string[]) => readFileSync(join(folder, ...path));
interface Golden {
  readonly rows: (number | null)[][];
  readonly margin: number[];
  readonly contributions?: number[][];
}
const elsewhere: Record<string, Golden> = JSON.parse(read('models-elsewhere', 'golden.json').toString());
const old: { rows: (number | null)[][]; margin: number[]; contribs: number[][] } = JSON.parse(read('xgb-golden', 'xgb-tiny-golden.json').toString());
const GOLDEN: readonly [string, Uint8Array, Golden][] = [
  ['xgboost-1.7.json', read('xgb-golden', 'xgb-tiny.json'), { rows: old.rows, margin: old.margin, contributions: old.contribs }],
  ...Object.entries(elsewhere).map(([name, golden]): [string, Uint8Array, Golden] => [name, read('models-elsewhere', name), golden]),
];
const rowOf = (row: readonly (number | null)[]) => Float32Array.from(row, (value) => value ?? Number.NaN);

describe.each(GOLDEN)('%s', (name, content, golden) => {
  const imported = readForest(content);
  const rows = golden.rows.map(rowOf);
  const theirs = name.includes('random-forest') ? golden.margin.map((probability) => 4 * probability - 2) : golden.margin;

  it('gives the margins of the program that wrote it, within 1e-6', () => {
    const off = rows.map((row, index) => Math.abs(marginOf(imported.forest, row) - (theirs[index] as number)));
    expect(Math.max(...off)).toBeLessThan(1e-6);
  });

  it.runIf(golden.contributions)('gives its contributions, within 1e-5', () => {
    rows.forEach((row, index) => {
      const ours = [...shapValues(imported.forest, row, row.length), expectedMargin(imported.forest)];
      ours.forEach((value, feature) => expect(Math.abs(value - (golden.contributions?.[index]?.[feature] as number))).toBeLessThan(1e-5));
    });
  });

  it('gives the same from the ONNX file that we write of it, within 1e-5', async () => {
    const session = await InferenceSession.create(writeOnnx(imported.forest, imported.featureCount, {}));
    const flat = Float32Array.from(rows.flatMap((row) => [...row]));
    const { probabilities } = await session.run({ X: new Tensor('float32', flat, [rows.length, imported.featureCount]) });
    rows.forEach((row, index) => expect(Math.abs(Number(probabilities?.data[2 * index + 1]) - sigmoid(marginOf(imported.forest, row)))).toBeLessThan(1e-5));
  });

  it('is explained by values that add up, with covers of its own or counted', () => {
    expect(imported.hasCovers).toBe(!name.startsWith('sklearn'));
    const forest = imported.hasCovers ? imported.forest : withCountedCovers(imported.forest, rows);
    for (const row of rows) {
      const sum = shapValues(forest, row, imported.featureCount).reduce((total, value) => total + value, expectedMargin(forest));
      expect(Math.abs(sum - marginOf(forest, row))).toBeLessThan(1e-9);
    }
  });
});

describe('an ONNX file of our own', () => {
  it('comes back as the same forest, covers too', () => {
    const { forest } = readForest(read('models-elsewhere', 'xgboost-3.json'));
    const again = readForest(writeOnnx(forest, 6, {}));
    expect(again.hasCovers).toBe(true);
    expect(again.forest).toEqual({ ...forest, cover: forest.cover.map(Math.fround) });
  });
});

const xgboost = JSON.parse(read('models-elsewhere', 'xgboost-3.json').toString());
const changedXgboost = (change: (learner: typeof xgboost.learner) => void) => {
  const copy = structuredClone(xgboost);
  change(copy.learner);
  return JSON.stringify(copy);
};
const lightgbm = read('models-elsewhere', 'lightgbm.txt').toString();
const lightgbmDump = read('models-elsewhere', 'lightgbm.json').toString();
const onnx = read('models-elsewhere', 'sklearn-gradient-boosting.onnx');
const onnxWith = (from: string, to: string) => Buffer.from(onnx.toString('latin1').replaceAll(from, to), 'latin1');

describe('refuses, and says why', () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /no graph/],
    ['noise', 'not a model', /neither|no graph/],
    ['broken JSON', '{"learner":', /cannot be parsed/],
    ['other JSON', '{"trees":[]}', /neither an XGBoost/],
    ['XGBoost binary JSON', '{L\u0000\u0000', /UBJSON/],
    ['an incomplete XGBoost file', '{"learner":{}}', /not complete/],
    ['another objective', changedXgboost((learner) => (learner.objective.name = 'reg:squarederror')), /reg:squarederror/],
    ['dart', changedXgboost((learner) => (learner.gradient_booster.name = 'dart')), /dart/],
    ['three classes', changedXgboost((learner) => (learner.learner_model_param.num_class = '3')), /3 classes/],
    ['several base scores', changedXgboost((learner) => (learner.learner_model_param.base_score = '[5E-1,2E-1]')), /not one probability/],
    ['raw categories of XGBoost', changedXgboost((learner) => (learner.gradient_booster.model.trees[0].split_type[0] = 1)), /raw categories/],
    ['a node that is not there', changedXgboost((learner) => (learner.gradient_booster.model.trees[0].left_children[0] = 99)), /node 99/],
    ['a tree that bites its tail', changedXgboost((learner) => (learner.gradient_booster.model.trees[0].left_children[0] = 0)), /deeper than 16/],
    ['a feature that it does not have', changedXgboost((learner) => (learner.gradient_booster.model.trees[0].split_indices[0] = 6)), /splits on feature 6/],
    ['a feature below 0', changedXgboost((learner) => (learner.gradient_booster.model.trees[0].split_indices[0] = -2)), /no usable number/],
    ['regression of LightGBM', lightgbm.replace('objective=binary sigmoid:1', 'objective=regression'), /regression/],
    ['a random forest of LightGBM', lightgbm.replace('num_class=1', 'average_output\nnum_class=1'), /averages/],
    ['raw categories of LightGBM', lightgbm.replace('decision_type=8', 'decision_type=1'), /raw categories/],
    ['missing values as zero', lightgbm.replace('decision_type=8', 'decision_type=4'), /zero_as_missing/],
    ['linear leaves', lightgbm.replace('is_linear=0', 'is_linear=1'), /linear leaves/],
    ['no trees', lightgbm.slice(0, lightgbm.indexOf('Tree=0')), /no tree/],
    ['a cut LightGBM text', lightgbm.slice(0, lightgbm.indexOf('leaf_value')), /names a node|usable number/],
    ['raw categories of a LightGBM dump', lightgbmDump.replace('"decision_type": "<="', '"decision_type": "=="'), /raw categories/],
    ['a cut ONNX file', onnx.subarray(0, 2000), /neither|no graph/],
    ['an operator beside the trees', onnxWith('Identity', 'Softplus'), /Softplus/],
    ['no trees in the graph', onnxWith('TreeEnsembleClassifier', 'LinearEnsembleClassifier'.slice(0, 22)), /not one tree ensemble/],
    ['equality splits', onnxWith('BRANCH_LEQ', 'BRANCH_NEQ'), /BRANCH_NEQ/],
    ['another transform', onnxWith('LOGISTIC', 'SOFTMAX0'), /SOFTMAX0/],
  ])('%s', (_what, content, why) => {
    expect(() => readForest(typeof content === 'string' ? Buffer.from(content) : content)).toThrow(expect.objectContaining({ code: 'MODEL_IMPORT_REFUSED', message: expect.stringMatching(why) }));
  });
});

function outcomeOf(content: Uint8Array): unknown {
  try {
    readForest(content);
    return 'read';
  } catch (error) {
    return error instanceof ModelError ? error.code : error;
  }
}

describe('damaged files', () => {
  it.each(GOLDEN)('%s, with bytes changed or cut: read or refused, never a fault', (_name, content) => {
    const change = fc.record({ at: fc.nat(content.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.option(fc.nat(content.length)), (changes, cut) => {
        const damaged = Uint8Array.from(content);
        for (const { at, byte } of changes) damaged[at] = byte;
        expect(['read', 'MODEL_IMPORT_REFUSED']).toContain(outcomeOf(damaged.subarray(0, cut ?? damaged.length)));
      }),
      { numRuns: 150 },
    );
  });
});

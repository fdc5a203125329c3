import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boostingTable } from '#test-fixtures/boosting-table.ts';
import type { TrainingTable } from '../dataset.ts';
import { marginOf, sigmoid } from '../forest.ts';
import type { ModelBundle } from '../model-file.ts';
import { seededRandom } from '../seeded-random.ts';
import { writeBundle } from '../write-bundle.ts';
import { type TrainingParameters, trainingParameters, type TrainingProgress } from './parameters.ts';
import { runTraining } from './run-training.ts';
import { importModel, trainModel } from './train-model.ts';

const elsewhere = join(import.meta.dirname, '..', '..', 'test-fixtures', 'models-elsewhere');
const BASICS = { kind: 'appeal', seed: 3, trainedAt: '2026-11-22T00:00:00Z' } as const;
const SAMPLED: TrainingParameters = { ...BASICS, trees: 30, rowShare: 0.7, columnShare: 0.6, encode: [['clinic'], ['clinic', 'area']] };

/** With two category fields, one of them telling. */
function withCategories(table: TrainingTable): TrainingTable {
  const random = seededRandom(5);
  const clinic = Array.from(table.labels, (label) => (random() < 0.05 ? null : `clinic-${Math.floor(random() * 8) + (label === 1 && random() < 0.3 ? 8 : 0)}`));
  return { ...table, categories: { clinic, area: clinic.map(() => (random() < 0.5 ? 'north' : 'south')) } };
}

const table = withCategories(boostingTable(4_000, 6, 11));
const rowsOf = (bundle: ModelBundle) => bundle.file.selfCheck.map(({ row }) => Float32Array.from(row, (value) => value ?? Number.NaN));
let trained: ModelBundle;
const progress: TrainingProgress[] = [];
beforeAll(async () => {
  trained = await trainModel(table, SAMPLED, { onProgress: (step) => progress.push(step) });
});

describe('a training', () => {
  it('gives the same bytes for the same seed, and others for another', async () => {
    const again = await trainModel(table, SAMPLED);
    expect(Buffer.from(again.onnx).equals(trained.onnx)).toBe(true);
    expect(JSON.stringify(again.file)).toBe(JSON.stringify(trained.file));
    const other = await trainModel(table, { ...SAMPLED, seed: 4 });
    expect(other.file.version).not.toBe(trained.file.version);
  });

  it('has a version that another day does not change, and other data does', async () => {
    const later = await trainModel(table, { ...SAMPLED, trainedAt: '2027-01-01T00:00:00Z' });
    expect(later.file.version).toBe(trained.file.version);
    const changed = await trainModel({ ...table, labels: table.labels.map((label, row) => (row === 0 ? 1 - label : label)) }, SAMPLED);
    expect(changed.file.lineage.dataHash).not.toBe(trained.file.lineage.dataHash);
    expect(changed.file.version).not.toBe(trained.file.version);
  });

  it('tells how far it is, stage by stage', () => {
    expect([...new Set(progress.map(({ stage }) => stage))]).toEqual(['encoding', 'trees', 'calibrating', 'measuring']);
    const trees = progress.filter(({ stage }) => stage === 'trees').map(({ tree }) => tree);
    expect(trees).toEqual(trees.map((_, index) => index + 1));
  });

  it('gives an ONNX file that agrees with the forest within 1e-5, missing values too', async () => {
    const rows = rowsOf(trained);
    expect(rows.some((row) => row.some(Number.isNaN))).toBe(true);
    const session = await InferenceSession.create(trained.onnx);
    const { probabilities } = await session.run({ X: new Tensor('float32', Float32Array.from(rows.flatMap((row) => [...row])), [rows.length, trained.file.features.length]) });
    rows.forEach((row, index) => {
      expect(Math.abs(Number(probabilities?.data[2 * index + 1]) - sigmoid(marginOf(trained.file.forest, row)))).toBeLessThan(1e-5);
      expect(marginOf(trained.file.forest, row)).toBe(trained.file.selfCheck[index]?.margin);
    });
  });

  it('has a plain logistic regression and intervals beside its figures', () => {
    const { areaUnderRoc, logistic } = trained.file.measures;
    expect(areaUnderRoc.value).toBeGreaterThan((logistic?.areaUnderRoc.value ?? 1) + 0.02);
    for (const { value, low, high } of [areaUnderRoc, logistic?.areaUnderRoc ?? areaUnderRoc]) expect(low < value && value < high).toBe(true);
  });

  it('comes within 0.003 of the area under the curve that XGBoost reaches on the same rows', async () => {
    const { rows, features, seed, areaUnderRoc, ...settings } = JSON.parse(readFileSync(join(elsewhere, 'auc.json'), 'utf8')).small;
    const bundle = await trainModel(boostingTable(rows, features, seed), { ...BASICS, ...settings, earlyStoppingTrees: 0, split: { by: 'share', train: 0.8, calibrate: 0.1 } });
    expect(Math.abs(bundle.file.measures.areaUnderRoc.value - areaUnderRoc)).toBeLessThan(0.003);
  });
});

describe('an aborted training', () => {
  it('rejects with the reason at once, before and during the run', async () => {
    await expect(trainModel(table, SAMPLED, { signal: AbortSignal.abort('not wanted') })).rejects.toBe('not wanted');
    const controller = new AbortController();
    const startedAt = performance.now();
    const running = trainModel(table, { ...BASICS, trees: 5_000, earlyStoppingTrees: 0 }, { signal: controller.signal, onProgress: ({ tree }) => tree === 3 && controller.abort('enough') });
    await expect(running).rejects.toBe('enough');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('what cannot be trained with is refused', () => {
  const first = (count: number, of: TrainingTable = table): TrainingTable => ({ ...of, rows: of.rows.slice(0, count * of.features.length), labels: of.labels.slice(0, count), times: of.times.slice(0, count), rowIds: of.rowIds.slice(0, count), categories: {} });
  it.each<[string, TrainingTable, Partial<TrainingParameters>, RegExp]>([
    ['no rows', first(0), {}, /training slice has 0 rows/],
    ['too few rows', first(60), {}, /needs 100/],
    ['one label', { ...first(500), labels: new Uint8Array(500) }, {}, /label 1 is on 0 learnt rows/],
    ['a label of 2', { ...first(500), labels: new Uint8Array(500).fill(2) }, {}, /neither 0 nor 1/],
    ['a value too few', { ...first(500), rows: table.rows.slice(0, 2_999) }, {}, /2999 values are not 500 rows of 6/],
    ['an infinite value', { ...first(500), rows: table.rows.slice(0, 3_000).fill(Number.POSITIVE_INFINITY, 0, 1) }, {}, /infinite values in x0/],
    ['a time that is not known', { ...first(500), times: new Float64Array(500).fill(Number.NaN) }, {}, /a time is not known/],
    ['a feature twice', { ...first(500), features: ['a', 'a', 'b', 'c', 'd', 'e'] }, {}, /named twice/],
    ['an audit group among the features', { ...first(500), groups: { x0: Array.from({ length: 500 }, () => 'a') } }, {}, /x0 is for the audit/],
    ['a category that is not there', first(500), { encode: [['payer']] }, /no category payer/],
    ['a constraint on no feature', first(500), { monotone: { age: 1 } }, /no feature age/],
    ['a split without rows to measure on', first(500), { split: { by: 'time', trainUntil: 8e15, calibrateUntil: 8.1e15, testUntil: 8.2e15 } }, /calibrate slice has 0 rows/],
    ['a denial-risk model of other features', first(500), { kind: 'denial-risk' }, /another feature list/],
  ])('%s', (_what, rows, changes, why) => {
    const refused = expect.objectContaining({ code: 'TRAINING_REFUSED', message: expect.stringMatching(why) });
    expect(() => runTraining(rows, trainingParameters.parse({ ...BASICS, ...changes, trees: 5 }), () => {})).toThrow(refused);
  });

  it.each<[string, Partial<TrainingParameters>, RegExp]>([
    ['shares of more than the whole', { split: { by: 'share', train: 0.8, calibrate: 0.3 } }, /leave no rows/],
    ['a learning rate of 0', { learningRate: 0 }, /learningRate/],
    ['a day that is none', { trainedAt: 'yesterday' }, /trainedAt/],
  ])('%s', async (_what, changes, why) => {
    await expect(trainModel(table, { ...BASICS, ...changes })).rejects.toMatchObject({ code: 'TRAINING_REFUSED', message: expect.stringMatching(why) });
  });

  it('says the same from the thread', async () => {
    await expect(trainModel(first(60), BASICS)).rejects.toMatchObject({ code: 'TRAINING_REFUSED', message: expect.stringMatching(/needs 100/) });
  });
});

describe('a model trained elsewhere', () => {
  const invented = boostingTable(3_000, 6, 2);
  it.each([['xgboost-3.json', 'file'], ['lightgbm.txt', 'file'], ['sklearn-hist-gradient-boosting.onnx', 'table'], ['sklearn-random-forest.onnx', 'table']])('%s becomes a bundle like ours, measured on our rows', async (name, covers) => {
    const { file } = await importModel(readFileSync(join(elsewhere, name)), invented, BASICS);
    expect(file.importedFrom).toMatchObject({ covers });
    expect(file.measures.areaUnderRoc.value).toBeGreaterThan(0.6);
    expect(file.forest.cover.every((cover) => cover > 0)).toBe(true);
    expect(file.selfCheck).toHaveLength(100);
  });

  it('is read by the names of its features, whatever their order', async () => {
    const names = [...invented.features].reverse();
    const reversed = { ...invented, features: names, rows: Float32Array.from(invented.rows, (_, at) => invented.rows[at - (at % 6) + 5 - (at % 6)] as number) };
    const content = readFileSync(join(elsewhere, 'xgboost-3.json'));
    const [one, other] = await Promise.all([importModel(content, invented, BASICS), importModel(content, reversed, BASICS)]);
    expect(other.file.measures.areaUnderRoc).toEqual(one.file.measures.areaUnderRoc);
  });

  it('is refused when the table lacks its features', async () => {
    const named = { ...invented, features: ['a', 'b', 'c', 'd', 'e', 'f'] };
    await expect(importModel(readFileSync(join(elsewhere, 'xgboost-3.json')), named, BASICS)).rejects.toMatchObject({ code: 'MODEL_IMPORT_REFUSED', message: expect.stringMatching(/no feature x0/) });
    await expect(importModel(readFileSync(join(elsewhere, 'sklearn-random-forest.onnx')), boostingTable(500, 5, 2), BASICS)).rejects.toMatchObject({ code: 'MODEL_IMPORT_REFUSED', message: expect.stringMatching(/reads 6 features/) });
  });
});

describe('writing a bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opa-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('leaves the two files and nothing else, and nothing at all when it cannot', () => {
    writeBundle(folder, trained);
    expect(readdirSync(folder).sort()).toEqual(['appeal.json', 'appeal.onnx']);
    expect(JSON.parse(readFileSync(join(folder, 'appeal.json'), 'utf8'))).toEqual(trained.file);
    expect(() => writeBundle(join(folder, 'absent'), trained)).toThrow(/ENOENT/);
  });
});

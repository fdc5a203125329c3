import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate } from '../calibration.ts';
import { type TrainingTable, tableOf } from '../dataset.ts';
import { figuresOf } from '../evaluate/measures.ts';
import { type Forest, marginOf } from '../forest.ts';
import { logisticProbability } from '../logistic.ts';
import { type CategoryEncoder, type LogisticRegression, type ModelBundle, modelFile, type ModelFile, sha256, versionOf } from '../model-file.ts';
import { ModelError } from '../model-error.ts';
import { referenceOf } from '../monitor/reference.ts';
import { seededRandom } from '../seeded-random.ts';
import { fitCalibration } from './calibration-fit.ts';
import { writeOnnx } from './onnx.ts';
import type { SetParameters } from './parameters.ts';
import { describeSplit, type Slices } from './slices.ts';

const SELF_CHECK_ROWS = 100;

/** The model's input, column by column, over the rows of all slices in their order. */
export interface InputRows {
  readonly features: readonly string[];
  readonly encoders: readonly CategoryEncoder[];
  readonly columns: readonly Float32Array[];
}

export interface FittedForest {
  readonly forest: Forest;
  readonly logistic: LogisticRegression;
  readonly input: InputRows;
  /** The table's rows in the order of the slices. */
  readonly ordered: TrainingTable;
  readonly slices: Slices;
  /** As it was given. */
  readonly table: TrainingTable;
  readonly parameters: SetParameters;
  readonly importedFrom?: NonNullable<ModelFile['importedFrom']>;
}

/** Calibrates a forest on the calibration slice, measures it on the latest rows, and makes the bundle. Throws TRAINING_REFUSED when the bundle would not be accepted at load. */
export function completeBundle({ forest, logistic, input, ordered, slices, table, parameters, importedFrom }: FittedForest): ModelBundle {
  const calibrateFrom = slices.learn.length + slices.stop.length;
  const testFrom = calibrateFrom + slices.calibrate.length;
  const rowAt = (row: number) => Float32Array.from(input.columns, (column) => column[row] as number);
  const marginsOver = (from: number, count: number) => Float64Array.from({ length: count }, (_, index) => marginOf(forest, rowAt(from + index)));
  const calibration = fitCalibration(marginsOver(calibrateFrom, slices.calibrate.length), ordered.labels.subarray(calibrateFrom, testFrom));
  const margins = marginsOver(testFrom, slices.test.length);
  const labels = ordered.labels.subarray(testFrom, testFrom + slices.test.length);
  const tested = margins.map((margin) => calibrate(calibration, margin));
  const byLogistic = Float64Array.from(margins, (_, index) => logisticProbability(logistic, rowAt(testFrom + index)));
  const onnx = writeOnnx(forest, input.features.length, { kind: parameters.kind, simulated: String(table.simulated) });
  const times = ordered.times;
  const file: Omit<ModelFile, 'version'> = {
    kind: parameters.kind,
    onnxSha256: sha256(onnx),
    simulated: table.simulated,
    trainedAt: parameters.trainedAt,
    trainedOn: { source: table.source, rows: ordered.labels.length, from: dayOf(times[0]), to: dayOf(times.at(-1)) },
    features: [...input.features],
    encoders: [...input.encoders],
    calibration,
    bands: parameters.bands,
    history: parameters.history,
    forest,
    logistic,
    selfCheck: selfCheckRows(forest, input.columns.map((column) => column.subarray(testFrom, testFrom + labels.length)), parameters.seed),
    reference: referenceOf(tableOf(ordered, Array.from(labels, (_label, index) => testFrom + index)), tested),
    measures: {
      split: describeSplit(table, slices),
      testRows: labels.length,
      baseRate: labels.reduce((sum, label) => sum + label, 0) / labels.length,
      ...figuresOf(tested, labels, parameters.seed),
      logistic: figuresOf(byLogistic, labels, parameters.seed),
    },
    lineage: { dataHash: hashOfTable(table), codeHash: hashOfCode(), parameters: { ...parameters, history: sha256(JSON.stringify(parameters.history)), trainedAt: undefined }, seed: parameters.seed },
    ...(importedFrom ? { importedFrom } : {}),
  };
  const checked = modelFile.safeParse(JSON.parse(JSON.stringify({ ...file, version: '' })));
  if (!checked.success) throw new ModelError('TRAINING_REFUSED', `The model would be refused at load: ${checked.error.issues.map((issue) => issue.message).join('; ')}.`);
  // Of the file as it is read back: the order of its fields is part of what is hashed.
  return { onnx, file: { ...checked.data, version: versionOf(checked.data) } };
}

/** Rows put together from values of different rows, so that no row of the data leaves with the bundle. */
function selfCheckRows(forest: Forest, columns: readonly Float32Array[], seed: number): ModelFile['selfCheck'] {
  const random = seededRandom(seed);
  return Array.from({ length: SELF_CHECK_ROWS }, () => {
    const row = Float32Array.from(columns, (column) => column[Math.floor(random() * column.length)] as number);
    return { row: Array.from(row, (value) => (Number.isNaN(value) ? null : value)), margin: marginOf(forest, row) };
  });
}

function dayOf(time: number | undefined): string {
  return new Date(time as number).toISOString().slice(0, 10);
}

function hashOfTable(table: TrainingTable): string {
  const hash = createHash('sha256').update(JSON.stringify([table.features, table.source, table.simulated, table.categories ?? {}, table.groups]));
  for (const values of [table.rows, table.labels, table.times]) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  for (const id of table.rowIds) hash.update(id).update('\n');
  return hash.digest('hex');
}

/** Of every source file that decides what comes out of a training. */
function hashOfCode(): string {
  const folder = join(import.meta.dirname, '..');
  const hash = createHash('sha256');
  for (const name of globSync(['*.ts', 'train/*.ts', 'import/*.ts', 'evaluate/*.ts'], { cwd: folder, exclude: ['**/*.test.ts'] }).sort()) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}

import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAppeals, appealsOfFile } from '#models/appeals/write-appeals.ts';
import type { TrainingTable } from '#models/dataset.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { refuseFaultyData } from '#models/data-checks.ts';
import { simulateDecisions } from '#models/simulate/simulate-decisions.ts';
import { simulatedTable } from '#models/simulate/simulated-table.ts';
import type { TrainingProgress } from '#models/train/parameters.ts';
import { importModel, trainModel, type TrainingOptions } from '#models/train/train-model.ts';
import { writeBundle } from '#models/write-bundle.ts';
import { readBundle } from '../registered-model.ts';

const MODELS_FOLDER = join(import.meta.dirname, '..', '..', '..', 'models');

export interface SimulatedData {
  readonly rows: number;
  readonly seed: number;
}

/** What the simulator draws, past the tests of the data. Throws TRAINING_REFUSED. */
export function simulatedData({ rows, seed }: SimulatedData): TrainingTable {
  const table = simulatedTable(simulateDecisions(rows, seed));
  refuseFaultyData(table);
  return table;
}

export const trainOn = (table: TrainingTable, seed: number, options: TrainingOptions): Promise<ModelBundle> => trainModel(table, { kind: 'denial-risk', seed, trainedAt: new Date().toISOString() }, options);

/** In place of the shipped model, or in another folder. */
export function putDown(bundle: ModelBundle, folder = MODELS_FOLDER): void {
  mkdirSync(folder, { recursive: true });
  writeBundle(folder, bundle);
}

/** The appeal model from the file of determinations, in place of the shipped one. */
export async function trainShippedAppeals(file: string, options: TrainingOptions): Promise<ModelBundle> {
  const trained = await appealsOfFile(file, new Date().toISOString(), options);
  writeAppeals(trained);
  return trained.bundle;
}

/** A folder with a bundle of ours, or a file of XGBoost, LightGBM or ONNX, which is calibrated and measured on the table. Throws MODEL_IMPORT_REFUSED and what the file system throws. */
export async function bundleFrom(path: string, isFolder: boolean, table: () => Promise<TrainingTable>, seed: number, options: TrainingOptions): Promise<ModelBundle> {
  if (!isFolder) return importModel(await readFile(path), await table(), { kind: 'denial-risk', seed, trainedAt: new Date().toISOString() }, options);
  const kind = await readFile(join(path, 'denial-risk.json')).then(() => 'denial-risk', () => 'appeal');
  const [json, onnx] = await Promise.all([readFile(join(path, `${kind}.json`), 'utf8'), readFile(join(path, `${kind}.onnx`))]);
  return readBundle(json, onnx);
}

/** Progress on one line of the terminal, or a line for each tenth in a log. */
export function progressLine(write: (text: string) => void, isTerminal: boolean): (progress: TrainingProgress) => void {
  let told = '';
  return ({ stage, tree, trees, stopLoss }) => {
    const share = stage === 'trees' ? ` ${Math.floor((tree / trees) * 10) * 10} %` : '';
    const line = stage === 'trees' && isTerminal ? `trees: ${tree} of at most ${trees}${stopLoss === null ? '' : `, log loss ${stopLoss.toFixed(4)}`}` : `${stage}${share}`;
    if (line === told) return;
    told = line;
    write(isTerminal ? `\r\u001b[2K${line}` : `${line}\n`);
  };
}

import { type TrainingTable, tableOf } from '../dataset.ts';
import type { ModelBundle } from '../model-file.ts';
import { trainForest } from './boost.ts';
import { checkTable, fieldsToEncode } from './check-table.ts';
import { completeBundle, type InputRows } from './complete-bundle.ts';
import { fitLogistic } from './fit-logistic.ts';
import type { SetParameters, TrainingProgress } from './parameters.ts';
import { sliceByTime } from './slices.ts';
import { encodeCategories } from './target-encoding.ts';

/** The whole of a training, in the thread that calls it. */
export function runTraining(table: TrainingTable, parameters: SetParameters, onProgress: (progress: TrainingProgress) => void): ModelBundle {
  checkTable(table, parameters);
  const slices = sliceByTime(table, parameters);
  const progress = (stage: TrainingProgress['stage'], tree = 0, stopLoss: number | null = null) => onProgress({ stage, tree, trees: parameters.trees, stopLoss });
  progress('encoding');
  const ordered = tableOf(table, [...slices.learn, ...slices.stop, ...slices.calibrate, ...slices.test]);
  const learnRows = slices.learn.length;
  const trainRows = learnRows + slices.stop.length;
  const encoded = encodeCategories(ordered, learnRows, { ...parameters, encode: fieldsToEncode(table, parameters) });
  const input: InputRows = {
    features: [...table.features, ...encoded.encoders.flatMap(({ name }) => [`${name}_rate`, `${name}_count`])],
    encoders: encoded.encoders,
    columns: [...columnsOf(ordered), ...encoded.columns],
  };
  const ofTraining = (end: number) => input.columns.map((column) => column.subarray(0, end));
  const monotone = Int8Array.from(input.features, (name) => parameters.monotone[name] ?? 0);
  const forest = trainForest({ columns: ofTraining(trainRows), labels: ordered.labels.subarray(0, trainRows), learnRows, monotone }, parameters, (tree, loss) => progress('trees', tree, loss));
  progress('calibrating', forest.roots.length);
  const logistic = fitLogistic(ofTraining(learnRows), ordered.labels.subarray(0, learnRows));
  progress('measuring', forest.roots.length);
  return completeBundle({ forest, logistic, input, ordered, slices, table, parameters });
}

/** The table's own features, column by column. */
export function columnsOf(table: TrainingTable): Float32Array[] {
  const width = table.features.length;
  return table.features.map((_, feature) => Float32Array.from(table.labels, (_label, row) => table.rows[row * width + feature] as number));
}

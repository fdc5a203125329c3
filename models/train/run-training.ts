import { type TrainingTable, tableOf } from '../dataset.ts';
import { type ModelBundle, sha256 } from '../model-file.ts';
import { trainForest } from './boost.ts';
import { checkTable, fieldsToEncode } from './check-table.ts';
import { completeBundle, type InputRows } from './complete-bundle.ts';
import { readForest } from '../import/read-forest.ts';
import { type ReadForest, refused, withCountedCovers } from '../import/read-tree.ts';
import type { Forest } from '../forest.ts';
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

/** Makes a bundle of a forest trained elsewhere: calibrated and measured on the table as our own are, on its own features without encoding. */
export function runImport(content: Uint8Array, table: TrainingTable, parameters: SetParameters, onProgress: (progress: TrainingProgress) => void): ModelBundle {
  const read = readForest(content);
  checkTable(table, parameters);
  const slices = sliceByTime(table, parameters);
  onProgress({ stage: 'calibrating', tree: read.forest.roots.length, trees: read.forest.roots.length, stopLoss: null });
  const ordered = tableOf(table, [...slices.learn, ...slices.stop, ...slices.calibrate, ...slices.test]);
  const columns = columnsOf(ordered);
  const learnRows = slices.learn.length;
  const named = onTableFeatures(read, table.features);
  const width = table.features.length;
  const learnt = Array.from({ length: learnRows }, (_, row) => ordered.rows.subarray(row * width, (row + 1) * width));
  const forest = read.hasCovers ? named : withCountedCovers(named, learnt);
  const logistic = fitLogistic(columns.map((column) => column.subarray(0, learnRows)), ordered.labels.subarray(0, learnRows));
  const importedFrom = { format: read.format, sha256: sha256(content), covers: read.hasCovers ? ('file' as const) : ('table' as const), note: read.note };
  return completeBundle({ forest, logistic, input: { features: table.features, encoders: [], columns }, ordered, slices, table, parameters, importedFrom });
}

/** Names that a program gives columns that have none. */
const UNNAMED = /^(?:f|Column_)\d+$/;

/** The forest with its features in the table's order: by name when the file has names, else by place. */
function onTableFeatures({ forest, featureCount, featureNames }: ReadForest, features: readonly string[]): Forest {
  if (featureNames === null || featureNames.every((name) => UNNAMED.test(name))) {
    if (featureCount !== features.length) throw refused(`The model reads ${featureCount} features without names; the table has ${features.length}.`);
    return forest;
  }
  const places = featureNames.map((name) => features.indexOf(name));
  const unknown = featureNames.filter((_, index) => places[index] === -1);
  if (unknown.length > 0) throw refused(`The table has no feature ${unknown.join(', ')}, which the model reads.`);
  return { ...forest, feature: forest.feature.map((feature) => (feature < 0 ? feature : (places[feature] ?? missingFeature(feature)))) };
}

function missingFeature(feature: number): never {
  throw refused(`The model splits on column ${feature}, which it does not name.`);
}

/** The table's own features, column by column. */
function columnsOf(table: TrainingTable): Float32Array[] {
  const width = table.features.length;
  return table.features.map((_, feature) => Float32Array.from(table.labels, (_label, row) => table.rows[row * width + feature] as number));
}

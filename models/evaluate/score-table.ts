import { calibrate } from '../calibration.ts';
import type { TrainingTable } from '../dataset.ts';
import { modelRows } from '../encode.ts';
import { marginOf } from '../forest.ts';
import { logisticProbability } from '../logistic.ts';
import type { ModelFile } from '../model-file.ts';

export interface TableScores {
  /** The model's calibrated probabilities. */
  readonly model: Float64Array;
  /** Those of the plain logistic regression beside it; null when the bundle has none. */
  readonly logistic: Float64Array | null;
}

/** Scores every row of a table. Throws TRAINING_REFUSED when the table does not bring what the model reads. */
export function scoreTable(file: ModelFile, table: TrainingTable): TableScores {
  const rows = modelRows(file, table);
  const { logistic } = file;
  return {
    model: Float64Array.from(rows, (row) => calibrate(file.calibration, marginOf(file.forest, row))),
    logistic: logistic ? Float64Array.from(rows, (row) => logisticProbability(logistic, row)) : null,
  };
}

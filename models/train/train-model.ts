import type { TrainingTable } from '../dataset.ts';
import type { ModelBundle } from '../model-file.ts';
import type { TrainingParameters, TrainingProgress } from './parameters.ts';

export interface TrainingOptions {
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains, calibrates and measures a model in a thread of its own; the same table, parameters and code give the same bytes. Nothing is written: an aborted run
 * leaves nothing behind and rejects with the signal's reason. Throws TRAINING_REFUSED when the table or the parameters cannot be trained with.
 */
export type TrainModel = (table: TrainingTable, parameters: TrainingParameters, options?: TrainingOptions) => Promise<ModelBundle>;

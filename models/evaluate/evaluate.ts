import type { TrainingTable } from '../dataset.ts';
import type { ModelBundle } from '../model-file.ts';
import type { Evaluation } from './evaluation.ts';

/** Measures a bundle on a table that brings its features and categories. `threshold` is the bundle's high band when left out. Throws TRAINING_REFUSED when the table does not fit. */
export type Evaluate = (bundle: ModelBundle, table: TrainingTable, options?: { readonly seed?: number; readonly threshold?: number }) => Evaluation;

import type { TrainingTable } from '../dataset.ts';
import type { ModelBundle } from '../model-file.ts';
import { ModelError } from '../model-error.ts';
import type { Evaluation } from './evaluation.ts';
import { figuresOf } from './measures.ts';
import { scoreTable } from './score-table.ts';
import { subgroupTable } from './subgroups.ts';

/**
 * Measures a bundle on a table; `threshold` is the bundle's high band and `seed` its own seed when left out. The rows must be later than those it was trained on
 * for the figures to be honest: nothing here can know it of imported models. Throws TRAINING_REFUSED when the table does not fit the model, is empty, or has
 * one label only.
 */
export function evaluate({ file }: Pick<ModelBundle, 'file'>, table: TrainingTable, options: { readonly seed?: number; readonly threshold?: number } = {}): Evaluation {
  const { seed = file.lineage.seed, threshold = file.bands.high } = options;
  const { labels, times } = table;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === labels.length) throw new ModelError('TRAINING_REFUSED', `The table to measure on has ${labels.length} rows, ${positives} of them positive: both labels are needed.`);
  const scores = scoreTable(file, table);
  const day = (time: number) => new Date(time).toISOString();
  return {
    modelVersion: file.version,
    source: table.source,
    simulated: table.simulated || file.simulated,
    rows: labels.length,
    baseRate: positives / labels.length,
    from: day(times.reduce((least, time) => Math.min(least, time))),
    to: day(times.reduce((most, time) => Math.max(most, time))),
    threshold,
    ...figuresOf(scores.model, labels, seed),
    subgroups: subgroupTable(table.groups, scores.model, labels, threshold, seed),
    logistic: scores.logistic && figuresOf(scores.logistic, labels, seed),
  };
}

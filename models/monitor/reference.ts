import { z } from 'zod';
import type { TrainingTable } from '../dataset.ts';
import { countInBins } from './drift.ts';

const count = z.int().min(0);
const histogram = z.object({ /** Rising; bin i holds edges[i-1] < value <= edges[i], the first and the last are open. */ edges: z.array(z.number()), counts: z.array(count) }).refine(({ edges, counts }) => counts.length === edges.length + 1, 'one bin more than edges');

/** How the rows looked that a model was trained on: what drift is measured against. Counts only, no row of them. */
export const monitoringReference = z.object({
  rows: count,
  /** Rows of label 1. */
  positives: count,
  source: z.string(),
  simulated: z.boolean(),
  features: z.array(histogram.safeExtend({ name: z.string(), unknown: count })),
  /** Of the calibrated probabilities. */
  scores: histogram,
});

export type MonitoringReference = z.infer<typeof monitoringReference>;
export type Histogram = z.infer<typeof histogram>;

const BINS = 10;

/** `probabilities`: the model's own, row by row. The table should be rows it was not fitted to, so that the scores look as they will in use. */
export function referenceOf(table: TrainingTable, probabilities: ArrayLike<number>): MonitoringReference {
  const width = table.features.length;
  const rows = table.labels.length;
  const features = table.features.map((name, column) => {
    const values = Float64Array.from({ length: rows }, (_none, row) => table.rows[row * width + column] as number);
    const known = values.filter((value) => !Number.isNaN(value));
    return { name, unknown: rows - known.length, ...histogramOf(known) };
  });
  return {
    rows, source: table.source, simulated: table.simulated, features,
    positives: table.labels.reduce((sum, label) => sum + label, 0),
    scores: histogramOf(Float64Array.from(probabilities)),
  };
}

/** Tenths of the values; equal ones are never parted. A single value has a bin of its own, so that a second one is seen. */
function histogramOf(values: Float64Array): Histogram {
  const sorted = values.slice().sort();
  const last = sorted.at(-1);
  if (last === undefined) return { edges: [], counts: [0] };
  const tenths = Array.from({ length: BINS - 1 }, (_none, index) => sorted[Math.ceil(((index + 1) / BINS) * sorted.length) - 1] as number);
  const inner = [...new Set(tenths)].filter((edge) => edge < last);
  const edges = inner.length > 0 ? inner : [last - Math.max(1, Math.abs(last)) * 1e-6, last];
  return { edges, counts: [...countInBins(values, edges)] };
}

import type { TrainingTable } from './dataset.ts';
import { type CategoryEncoder, type ModelFile, ownFeatures } from './model-file.ts';
import { ModelError } from './model-error.ts';

/** The level of an encoder's fields; null when one of them is unknown. */
export function levelOf(fields: readonly string[], valueOf: (field: string) => string | null): string | null {
  const values = fields.map(valueOf);
  return values.includes(null) ? null : values.join('|');
}

/** Rate and count of a level: the overall rate and 0 for one never seen, unknown for an unknown one. */
export function encodeLevel(encoder: CategoryEncoder, level: string | null): readonly [rate: number, count: number] {
  if (level === null) return [Number.NaN, Number.NaN];
  const known = Object.hasOwn(encoder.levels, level) ? encoder.levels[level] : undefined;
  return known ? [known.rate, known.count] : [encoder.overall, 0];
}

/** The model's input for one row: its own features, then each encoder's rate and count. */
export function modelRow(file: Pick<ModelFile, 'features' | 'encoders'>, own: ArrayLike<number>, categoryOf: (field: string) => string | null): Float32Array {
  const row = new Float32Array(file.features.length);
  row.set(own);
  file.encoders.forEach((encoder, index) => row.set(encodeLevel(encoder, levelOf(encoder.fields, categoryOf)), own.length + 2 * index));
  return row;
}

/** The model's input for every row of a table. Throws TRAINING_REFUSED when the table has other features or lacks a category. */
export function modelRows(file: Pick<ModelFile, 'features' | 'encoders'>, table: TrainingTable): Float32Array[] {
  const own = ownFeatures(file);
  if (own.join() !== table.features.join()) throw new ModelError('TRAINING_REFUSED', `The table has the features ${table.features.join(', ')}; the model reads ${own.join(', ')}.`);
  const lacking = file.encoders.flatMap((encoder) => encoder.fields).filter((field) => !table.categories?.[field]);
  if (lacking.length > 0) throw new ModelError('TRAINING_REFUSED', `The table lacks the category ${lacking.join(', ')}, which the model encodes.`);
  return Array.from(table.labels, (_, row) =>
    modelRow(file, table.rows.subarray(row * own.length, (row + 1) * own.length), (field) => table.categories?.[field]?.[row] ?? null),
  );
}

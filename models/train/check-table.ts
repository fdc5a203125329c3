import type { TrainingTable } from '../dataset.ts';
import { ModelError } from '../model-error.ts';
import type { SetParameters } from './parameters.ts';

/** Refuses a table whose parts do not fit together, or parameters that name what it does not have. Throws TRAINING_REFUSED with everything that is wrong. */
export function checkTable(table: TrainingTable, parameters: SetParameters): void {
  const rows = table.labels.length;
  const wrong: string[] = [];
  if (new Set(table.features).size !== table.features.length) wrong.push('a feature is named twice');
  if (table.rows.length !== rows * table.features.length) wrong.push(`${table.rows.length} values are not ${rows} rows of ${table.features.length} features`);
  const columns: readonly [string, ArrayLike<unknown>][] = [['times', table.times], ['rowIds', table.rowIds], ...Object.entries(table.categories ?? {}), ...Object.entries(table.groups)];
  for (const [name, values] of columns) if (values.length !== rows) wrong.push(`${name} has ${values.length} values for ${rows} rows`);
  if (table.labels.some((label) => label > 1)) wrong.push('a label is neither 0 nor 1');
  if (table.times.some((time) => !Number.isFinite(time))) wrong.push('a time is not known');
  const infinite = table.features.filter((_, feature) => hasInfinite(table, feature));
  if (infinite.length > 0) wrong.push(`infinite values in ${infinite.join(', ')}`);
  const audited = Object.keys(table.groups).filter((group) => table.features.includes(group) || table.categories?.[group]);
  if (audited.length > 0) wrong.push(`${audited.join(', ')} is for the audit and may not be learnt from`);
  const fields = new Set(parameters.encode?.flat().filter((field) => !table.categories?.[field]));
  if (fields.size > 0) wrong.push(`no category ${[...fields].join(', ')} to encode`);
  const constrained = Object.keys(parameters.monotone).filter((name) => !table.features.includes(name) && !isEncoded(name, table, parameters));
  if (constrained.length > 0) wrong.push(`no feature ${constrained.join(', ')} to constrain`);
  if (wrong.length > 0) throw new ModelError('TRAINING_REFUSED', `The table cannot be trained on: ${wrong.join('; ')}.`);
}

function hasInfinite(table: TrainingTable, feature: number): boolean {
  for (let at = feature; at < table.rows.length; at += table.features.length) if (Math.abs(table.rows[at] as number) === Number.POSITIVE_INFINITY) return true;
  return false;
}

function isEncoded(name: string, table: TrainingTable, parameters: SetParameters): boolean {
  return fieldsToEncode(table, parameters).some((fields) => name === `${fields.join('_')}_rate` || name === `${fields.join('_')}_count`);
}

/** What the parameters ask to encode, or each of the table's category fields. */
export function fieldsToEncode(table: TrainingTable, parameters: SetParameters): readonly (readonly string[])[] {
  return parameters.encode ?? Object.keys(table.categories ?? {}).map((field) => [field]);
}

/** Rows to train or measure on, one for each decided item. De-identified: nothing here names a person, a clinic's patient or an order. */
export interface TrainingTable {
  readonly features: readonly string[];
  /** Row by row, `features.length` values each; NaN is unknown. */
  readonly rows: Float32Array;
  /** 1 = denied (or, for appeals, overturned). */
  readonly labels: Uint8Array;
  /** When the decision was made, epoch ms. */
  readonly times: Float64Array;
  /** Category fields to be replaced by their target rate and count, one value a row; null is unknown. None when left out. */
  readonly categories?: Readonly<Record<string, readonly (string | null)[]>>;
  /** For the audit of subgroups only, never features. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Keyed hashes that lead back to the decision (lineage). */
  readonly rowIds: readonly string[];
  readonly simulated: boolean;
  /** What the rows are, in words: shown wherever a figure learnt from them is. */
  readonly source: string;
}

/** The rows at the given places, in that order. */
export function tableOf(table: TrainingTable, places: ArrayLike<number>): TrainingTable {
  const width = table.features.length;
  const count = places.length;
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row += 1) {
    const from = (places[row] as number) * width;
    rows.set(table.rows.subarray(from, from + width), row * width);
  }
  const picked = <T>(values: ArrayLike<T>): T[] => Array.from(places, (place) => values[place] as T);
  const pickedOf = <T>(columns: Readonly<Record<string, readonly T[]>>) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, picked(values)]));
  return {
    ...table,
    rows,
    labels: Uint8Array.from(places, (place) => table.labels[place] as number),
    times: Float64Array.from(places, (place) => table.times[place] as number),
    ...(table.categories ? { categories: pickedOf(table.categories) } : {}),
    groups: pickedOf(table.groups),
    rowIds: picked(table.rowIds),
  };
}

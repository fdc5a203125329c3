/** Bin of a missing value. */
export const MISSING_BIN = 255;
const MAX_BINS = 254;

export interface BinnedColumn {
  /** Upper edge of each bin but the last; a value goes to the first bin whose edge is at least the value. */
  readonly edges: Float32Array;
  readonly bins: Uint8Array;
}

/** Sorts a column's values into at most 254 bins, by its first `learnRows` values: one a distinct value when there are few, else equal counts. NaN is missing. */
export function binColumn(values: Float32Array, learnRows: number): BinnedColumn {
  const known = values.subarray(0, learnRows).filter((value) => !Number.isNaN(value)).sort();
  const distinct = known.filter((value, index) => index === 0 || value !== known[index - 1]);
  const edges = distinct.length <= MAX_BINS ? midpoints(distinct) : quantiles(known);
  const bins = new Uint8Array(values.length);
  for (let row = 0; row < values.length; row += 1) bins[row] = binOf(values[row] as number, edges);
  return { edges, bins };
}

function midpoints(distinct: Float32Array): Float32Array {
  const edges = new Float32Array(Math.max(0, distinct.length - 1));
  for (let index = 0; index < edges.length; index += 1) {
    const low = distinct[index] as number;
    const high = distinct[index + 1] as number;
    const middle = Math.fround((low + high) / 2);
    edges[index] = middle >= low && middle < high ? middle : low;
  }
  return edges;
}

function quantiles(sorted: Float32Array): Float32Array {
  const edges = new Set<number>();
  for (let bin = 1; bin < MAX_BINS; bin += 1) edges.add(sorted[Math.floor((sorted.length * bin) / MAX_BINS)] as number);
  return Float32Array.from([...edges].sort((a, b) => a - b));
}

function binOf(value: number, edges: Float32Array): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (edges[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

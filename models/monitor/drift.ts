/*
 * How far two distributions lie apart, from counts in the same bins. Half a row is added to every bin, so that an empty one gives a large figure and not an infinite one.
 */

/** NaN values are left out. `edges` rise; see Histogram. */
export function countInBins(values: ArrayLike<number>, edges: readonly number[]): Uint32Array {
  const counts = new Uint32Array(edges.length + 1);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (Number.isNaN(value)) continue;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (edges[middle] as number)) high = middle;
      else low = middle + 1;
    }
    counts[low] = (counts[low] as number) + 1;
  }
  return counts;
}

/** Population stability index; 0 for equal shares. Commonly read: below 0.1 none, 0.1 to 0.2 some, above 0.2 a changed population. */
export function psi(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const [expected, actual] = [smoothed(reference), smoothed(current)];
  return expected.reduce((sum, share, bin) => sum + ((actual[bin] as number) - share) * Math.log((actual[bin] as number) / share), 0);
}

/** Jensen-Shannon distance with logarithms of base 2: 0 for equal shares, 1 when nothing is shared. */
export function jensenShannon(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const [p, q] = [shares(reference), shares(current)];
  const toMiddle = (from: readonly number[]): number => from.reduce((sum, share, bin) => (share === 0 ? sum : sum + share * Math.log2((2 * share) / ((p[bin] as number) + (q[bin] as number)))), 0);
  return Math.sqrt(Math.max(0, (toMiddle(p) + toMiddle(q)) / 2));
}

/** Kolmogorov-Smirnov distance at the edges of the bins, 0..1. */
export function ks(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const [p, q] = [shares(reference), shares(current)];
  let apart = 0;
  let greatest = 0;
  for (const [bin, share] of p.entries()) {
    apart += share - (q[bin] as number);
    greatest = Math.max(greatest, Math.abs(apart));
  }
  return greatest;
}

function smoothed(counts: ArrayLike<number>): number[] {
  return shares(Array.from(counts, (count) => count + 0.5));
}

/** All 0 where there is no row. */
export function shares(counts: ArrayLike<number>): number[] {
  const all = Array.from(counts);
  const total = all.reduce((sum, count) => sum + count, 0);
  return all.map((count) => (total === 0 ? 0 : count / total));
}

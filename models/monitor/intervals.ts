import type { Interval } from '../model-file.ts';

const Z95 = 1.959964;

/** A share of `count` rows with its Wilson interval, 95 % unless `z` says other. NaN of no rows. */
export function wilson(hits: number, count: number, z = Z95): Interval {
  const value = hits / count;
  const middle = (value + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const half = (z / (1 + (z * z) / count)) * Math.sqrt((value * (1 - value)) / count + (z * z) / (4 * count * count));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** a - b of two independent shares (Newcombe's interval from their Wilson ones). */
export function difference(a: Interval, b: Interval): Interval {
  const value = a.value - b.value;
  return { value, low: value - Math.hypot(a.value - a.low, b.high - b.value), high: value + Math.hypot(a.high - a.value, b.value - b.low) };
}

/** z so that all of `pairs` two-sided 95 % intervals hold at once (Bonferroni), from 1 to some hundreds. */
export function zForPairs(pairs: number): number {
  const tail = 0.025 / Math.max(1, pairs);
  // Abramowitz and Stegun 26.2.23, error below 4.5e-4.
  const t = Math.sqrt(-2 * Math.log(tail));
  return t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
}

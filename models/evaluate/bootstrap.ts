import type { Interval } from '../model-file.ts';
import { seededRandom } from '../seeded-random.ts';

const RESAMPLES = 200;

/** How often each row counts: all once, or as drawn with replacement. */
export type RowWeights = Uint16Array;

export function allRows(count: number): RowWeights {
  return new Uint16Array(count).fill(1);
}

/**
 * Each statistic with its 95 % percentile interval; the same seed gives the same interval, and every statistic sees the same resamples (so that a difference
 * of two of them is paired). Resamples where a statistic is not defined (NaN) are left out of its interval.
 */
export function bootstrap<K extends string>(rows: number, seed: number, statistics: Readonly<Record<K, (weights: RowWeights) => number>>): Record<K, Interval> {
  const random = seededRandom(seed);
  const names = Object.keys(statistics) as K[];
  const drawn = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  const weights = new Uint16Array(rows);
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    weights.fill(0);
    for (let draw = 0; draw < rows; draw += 1) {
      const row = Math.floor(random() * rows);
      weights[row] = (weights[row] as number) + 1;
    }
    for (const name of names) drawn[name].push(statistics[name](weights));
  }
  const once = allRows(rows);
  return Object.fromEntries(names.map((name) => [name, { value: statistics[name](once), ...percentiles(drawn[name]) }])) as Record<K, Interval>;
}

function percentiles(values: readonly number[]): { low: number; high: number } {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { low: at(0.025), high: at(0.975) };
}

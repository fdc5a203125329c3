import { bootstrap } from './bootstrap.ts';
import type { SubgroupRow } from './evaluation.ts';

/** Selection, true-positive and false-positive rate of each level of each audit group, by the rows' calibrated probability. */
export function subgroupTable(groups: Readonly<Record<string, readonly string[]>>, probabilities: Float64Array, labels: Uint8Array, threshold: number, seed: number): SubgroupRow[] {
  return Object.entries(groups).flatMap(([group, levels]) =>
    [...new Set(levels)].sort().map((level) => {
      const places = [...levels.keys()].filter((row) => levels[row] === level);
      return { group, level, ...ratesOf(places, probabilities, labels, threshold, seed) };
    }),
  );
}

function ratesOf(places: readonly number[], probabilities: Float64Array, labels: Uint8Array, threshold: number, seed: number): Omit<SubgroupRow, 'group' | 'level'> {
  const selected = places.map((place) => (probabilities[place] as number) >= threshold);
  const positive = places.map((place) => labels[place] === 1);
  const positives = positive.filter(Boolean).length;
  const shareSelected = (includes: (row: number) => boolean) => (weights: Uint16Array) => {
    let all = 0;
    let chosen = 0;
    for (let row = 0; row < weights.length; row += 1) {
      if (!includes(row)) continue;
      all += weights[row] as number;
      if (selected[row]) chosen += weights[row] as number;
    }
    return chosen / all;
  };
  const rates = bootstrap(places.length, seed, {
    selectionRate: shareSelected(() => true),
    truePositiveRate: shareSelected((row) => positive[row] === true),
    falsePositiveRate: shareSelected((row) => positive[row] === false),
  });
  return {
    rows: places.length,
    baseRate: positives / places.length,
    selectionRate: rates.selectionRate,
    truePositiveRate: positives > 0 ? rates.truePositiveRate : null,
    falsePositiveRate: positives < places.length ? rates.falsePositiveRate : null,
  };
}

import type { CalibrationBin } from '#prior-auth/learning-api.ts';
import { wilson } from './intervals.ts';

const BINS = 10;

/** What was foretold and what came, in tenths of the probability; empty tenths are left out. */
export function calibrationOver(probabilities: ArrayLike<number>, labels: ArrayLike<number>): CalibrationBin[] {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, predicted: 0, denied: 0 }));
  for (let row = 0; row < labels.length; row += 1) {
    const probability = probabilities[row] as number;
    const bin = bins[Math.min(BINS - 1, Math.floor(probability * BINS))] as (typeof bins)[number];
    bin.count += 1;
    bin.predicted += probability;
    bin.denied += labels[row] as number;
  }
  return bins.flatMap(({ count, predicted, denied }, index) => (count === 0 ? [] : [{ from: index / BINS, to: (index + 1) / BINS, count, predicted: predicted / count, observed: wilson(denied, count) }]));
}

/**
 * The calibration error that a perfectly calibrated model would show on rows of these bins by chance alone: few rows never agree exactly. What lies above it is the
 * model's. Mean of a half-normal in each bin.
 */
export function errorByChance(bins: readonly CalibrationBin[]): number {
  const rows = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce((sum, { count, predicted }) => sum + (count / rows) * Math.sqrt((2 / Math.PI) * ((predicted * (1 - predicted)) / count)), 0);
}

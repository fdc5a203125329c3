import type { Figures } from '../model-file.ts';
import { allRows, bootstrap, type RowWeights } from './bootstrap.ts';

/** The four figures of a set of probabilities, each with its interval. */
export function figuresOf(probabilities: Float64Array, labels: Uint8Array, seed: number): Figures {
  return bootstrap(labels.length, seed, figureStatistics(probabilities, labels));
}

/** The same figures as statistics of a resample, so that two models can be compared on the same resamples. */
export function figureStatistics(probabilities: Float64Array, labels: Uint8Array): Record<keyof Figures, (weights: RowWeights) => number> {
  const order = orderOf(probabilities);
  return {
    areaUnderRoc: (weights) => rankedArea(order, probabilities, labels, weights),
    brier: (weights) => meanOver(weights, (row) => ((probabilities[row] as number) - (labels[row] as number)) ** 2),
    calibrationError: (weights) => calibrationError(probabilities, labels, weights),
    logLoss: (weights) => meanOver(weights, (row) => logLossOf(probabilities[row] as number, labels[row] as number)),
  };
}

/** Area under the ROC curve; ties count half. 0.5 is chance; NaN when only one label is there. */
export function areaUnderRoc(scores: Float64Array, labels: Uint8Array): number {
  return rankedArea(orderOf(scores), scores, labels, allRows(labels.length));
}

function orderOf(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => (scores[a] as number) - (scores[b] as number));
}

function rankedArea(order: Uint32Array, scores: Float64Array, labels: Uint8Array, weights: RowWeights): number {
  let below = 0;
  let positives = 0;
  let area = 0;
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start] as number];
    let tiedNegatives = 0;
    let tiedPositives = 0;
    let end = start;
    for (; end < order.length && scores[order[end] as number] === score; end += 1) {
      const row = order[end] as number;
      if (labels[row] === 1) tiedPositives += weights[row] as number;
      else tiedNegatives += weights[row] as number;
    }
    area += tiedPositives * (below + tiedNegatives / 2);
    below += tiedNegatives;
    positives += tiedPositives;
    start = end;
  }
  return area / (positives * below);
}

/** Expected calibration error over ten equal-width bins. */
function calibrationError(probabilities: Float64Array, labels: Uint8Array, weights: RowWeights): number {
  const gaps = new Float64Array(10);
  let total = 0;
  for (let row = 0; row < labels.length; row += 1) {
    const probability = probabilities[row] as number;
    const weight = weights[row] as number;
    const bin = Math.min(9, Math.floor(probability * 10));
    gaps[bin] = (gaps[bin] as number) + weight * (probability - (labels[row] as number));
    total += weight;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
}

export function logLossOf(probability: number, label: number): number {
  const kept = Math.min(1 - 1e-15, Math.max(1e-15, probability));
  return -Math.log(label === 1 ? kept : 1 - kept);
}

function meanOver(weights: RowWeights, valueOf: (row: number) => number): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < weights.length; row += 1) {
    const weight = weights[row] as number;
    if (weight === 0) continue;
    sum += weight * valueOf(row);
    total += weight;
  }
  return sum / total;
}

import type { Threshold, ThresholdName } from '#prior-auth/learning-api.ts';
import { errorByChance } from './calibration-over.ts';
import type { MeasuredWindow } from './measure-window.ts';

export type Limit = Pick<Threshold, 'name' | 'limit' | 'leastRows' | 'reason'>;

/** A figure over its limit. */
export interface Finding {
  readonly threshold: ThresholdName;
  readonly subject: string | null;
  readonly value: number;
  readonly limit: number;
}

export const DEFAULT_LIMITS: readonly Limit[] = [
  { name: 'input-drift', limit: 0.2, leastRows: 200, reason: 'A population stability index above 0.2 is commonly read as a changed population. Below 200 known values chance alone comes near it.' },
  { name: 'score-drift', limit: 0.2, leastRows: 200, reason: 'As for the inputs: the model is asked about other orders than it was tested on.' },
  { name: 'label-drift', limit: 0.1, leastRows: 200, reason: 'Payers deny 10 percentage points more or fewer than where the model was tested, and the interval leaves the old share out.' },
  { name: 'calibration-error', limit: 0.05, leastRows: 200, reason: 'A risk shown as 30 % should come true in 25 to 35 of 100. What chance alone gives for so many rows is taken off.' },
  { name: 'auc-fall', limit: 0.05, leastRows: 200, reason: 'The area under the ROC curve is 0.05 below that of the model’s own test, and further than one and a half times the way to its interval’s upper end.' },
  { name: 'parity-gap', limit: 0.2, leastRows: 200, reason: 'The share called high risk differs by more than 20 points between two groups, whole interval for all pairs. A difference may be the payers’ own: it is for a person to judge.' },
  { name: 'odds-gap', limit: 0.2, leastRows: 200, reason: 'Denials are recognised, or approvals wrongly called high risk, 20 points more often in one group than another, whole interval for all pairs.' },
  { name: 'unknown-share-rise', limit: 0.2, leastRows: 100, reason: 'A field that the record used to bring is now missing in 20 more of 100 orders: most often an interface that changed.' },
  { name: 'latency-p99-ms', limit: 10, leastRows: 200, reason: 'The time promised for a score with its reasons.' },
];

/** Payers and services differ in their denials by nature, and a good model says so: only groups of people alarm. */
const isOfPeople = (group: string): boolean => group.startsWith('patient_');

/** What is over its limit, with enough rows to say so. `areaAtTraining` null: no fall is judged. */
export function findingsOf(window: MeasuredWindow, areaAtTraining: number | null, limits: readonly Limit[]): Finding[] {
  return limits.flatMap(({ name, limit, leastRows }) =>
    measured(name, window, areaAtTraining).flatMap(({ subject, value, rows, sure }) => (rows >= leastRows && value > limit && sure ? [{ threshold: name, subject, value, limit }] : [])),
  );
}

interface Measured {
  readonly subject: string | null;
  readonly value: number;
  readonly rows: number;
  /** Chance alone does not explain it. */
  readonly sure: boolean;
}

function measured(name: ThresholdName, window: MeasuredWindow, areaAtTraining: number | null): Measured[] {
  const { scores, decided, features, score, label, calibration, areaUnderRoc, calibrationError, subgroups, latency } = window;
  const whole = (value: number, rows: number, sure = true): Measured[] => [{ subject: null, value, rows, sure }];
  switch (name) {
    case 'input-drift': return features.filter(({ judged }) => judged).map(({ feature, psi, unknownShare }) => ({ subject: feature, value: psi, rows: scores * (1 - unknownShare), sure: true }));
    case 'score-drift': return score === null ? [] : whole(score.psi, scores);
    case 'label-drift': return label === null ? [] : whole(Math.abs(label.rate.value - label.referenceRate), decided, label.rate.low > label.referenceRate || label.rate.high < label.referenceRate);
    case 'calibration-error': return calibrationError === null ? [] : whole(calibrationError.value - errorByChance(calibration), decided);
    case 'auc-fall': return areaUnderRoc === null || areaAtTraining === null ? [] : whole(areaAtTraining - areaUnderRoc.value, decided, areaAtTraining - areaUnderRoc.value > 1.5 * (areaUnderRoc.high - areaUnderRoc.value));
    // The gap's lower bound is what must be over the limit.
    case 'parity-gap': return subgroups.filter(({ group }) => isOfPeople(group)).flatMap(({ group, parityGap }) => (parityGap === null ? [] : [{ subject: group, value: parityGap.low, rows: scores, sure: true }]));
    case 'odds-gap': return subgroups.filter(({ group }) => isOfPeople(group)).flatMap(({ group, oddsGap }) => (oddsGap === null ? [] : [{ subject: group, value: oddsGap.low, rows: decided, sure: true }]));
    case 'unknown-share-rise': return features.map(({ feature, unknownShare, referenceUnknownShare }) => ({ subject: feature, value: unknownShare - referenceUnknownShare, rows: scores, sure: true }));
    case 'latency-p99-ms': return latency === null ? [] : whole(latency.p99Ms, scores);
  }
}

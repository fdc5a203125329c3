import { sigmoid } from './forest.ts';

/** From a forest's log-odds to a probability that agrees with what happened. Isotonic: straight lines between the points, flat beyond them. */
export type Calibration =
  | { readonly method: 'platt'; readonly slope: number; readonly intercept: number }
  | { readonly method: 'isotonic'; readonly margins: number[]; readonly probabilities: number[] };

export function calibrate(calibration: Calibration, margin: number): number {
  if (calibration.method === 'platt') return sigmoid(calibration.slope * margin + calibration.intercept);
  const { margins, probabilities } = calibration;
  let low = 0;
  let high = margins.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((margins[middle] as number) <= margin) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return probabilities[0] as number;
  if (low === margins.length) return probabilities[low - 1] as number;
  const left = margins[low - 1] as number;
  const share = (margin - left) / ((margins[low] as number) - left);
  return (probabilities[low - 1] as number) * (1 - share) + (probabilities[low] as number) * share;
}

import { sigmoid } from './forest.ts';

/** Platt scaling: calibrated probability = sigmoid(slope * log-odds + intercept). */
export interface PlattScale {
  readonly slope: number;
  readonly intercept: number;
}

export function calibrate(scale: PlattScale, margin: number): number {
  return sigmoid(scale.slope * margin + scale.intercept);
}

/** Fits the scale on rows the forest has not seen, by Newton's method on the log loss. */
export function fitPlatt(margins: readonly number[], labels: ArrayLike<number>): PlattScale {
  let slope = 1;
  let intercept = 0;
  for (let round = 0; round < 50; round += 1) {
    let gs = 0;
    let gi = 0;
    let hss = 1e-9;
    let hsi = 0;
    let hii = 1e-9;
    margins.forEach((margin, row) => {
      const probability = sigmoid(slope * margin + intercept);
      const error = probability - (labels[row] as number);
      const weight = probability * (1 - probability);
      gs += error * margin;
      gi += error;
      hss += weight * margin * margin;
      hsi += weight * margin;
      hii += weight;
    });
    const determinant = hss * hii - hsi * hsi;
    const stepSlope = (hii * gs - hsi * gi) / determinant;
    const stepIntercept = (hss * gi - hsi * gs) / determinant;
    slope -= stepSlope;
    intercept -= stepIntercept;
    if (Math.abs(stepSlope) + Math.abs(stepIntercept) < 1e-9) break;
  }
  return { slope, intercept };
}

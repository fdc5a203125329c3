import { type Calibration, calibrate } from '../calibration.ts';
import { sigmoid } from '../forest.ts';

/** Below this many rows isotonic regression follows the noise; Platt scaling is taken. */
const ISOTONIC_LEAST_ROWS = 2_000;

type Platt = Extract<Calibration, { method: 'platt' }>;
type Isotonic = Extract<Calibration, { method: 'isotonic' }>;

/** The calibration of rows the forest has not seen, in time order: Platt when they are few, else whichever has the lower Brier score on their later half, fitted again on all. */
export function fitCalibration(margins: Float64Array, labels: Uint8Array): Calibration {
  if (margins.length < ISOTONIC_LEAST_ROWS) return fitPlatt(margins, labels);
  const half = margins.length >> 1;
  const laterBrier = (calibration: Calibration) => {
    let sum = 0;
    for (let row = half; row < margins.length; row += 1) sum += (calibrate(calibration, margins[row] as number) - (labels[row] as number)) ** 2;
    return sum;
  };
  const early = [margins.subarray(0, half), labels.subarray(0, half)] as const;
  return laterBrier(fitIsotonic(...early)) < laterBrier(fitPlatt(...early)) ? fitIsotonic(margins, labels) : fitPlatt(margins, labels);
}

/** Newton's method on the log loss. The slope is kept from running away when the margins separate the labels. */
export function fitPlatt(margins: Float64Array, labels: Uint8Array): Platt {
  const RIDGE = 1e-3;
  let slope = 1;
  let intercept = 0;
  for (let round = 0; round < 50; round += 1) {
    let gs = RIDGE * (slope - 1);
    let gi = 0;
    let hss = RIDGE;
    let hsi = 0;
    let hii = 1e-9;
    for (let row = 0; row < margins.length; row += 1) {
      const margin = margins[row] as number;
      const probability = sigmoid(slope * margin + intercept);
      const error = probability - (labels[row] as number);
      const weight = probability * (1 - probability);
      gs += error * margin;
      gi += error;
      hss += weight * margin * margin;
      hsi += weight * margin;
      hii += weight;
    }
    const determinant = hss * hii - hsi * hsi;
    const stepSlope = (hii * gs - hsi * gi) / determinant;
    const stepIntercept = (hss * gi - hsi * gs) / determinant;
    slope -= stepSlope;
    intercept -= stepIntercept;
    if (Math.abs(stepSlope) + Math.abs(stepIntercept) < 1e-9) break;
  }
  return { method: 'platt', slope, intercept };
}

interface Block {
  readonly rows: number;
  readonly margins: number;
  readonly labels: number;
}

const join = (a: Block, b: Block): Block => ({ rows: a.rows + b.rows, margins: a.margins + b.margins, labels: a.labels + b.labels });

/** Pools adjacent violators; a block becomes a point at its mean margin. No probability is 0 or 1: so many rows cannot show it. */
export function fitIsotonic(margins: Float64Array, labels: Uint8Array): Isotonic {
  const blocks: Block[] = [];
  for (const tied of tiesInOrder(margins, labels)) {
    let block = tied;
    for (let last = blocks.at(-1); last && last.labels / last.rows >= block.labels / block.rows; last = blocks.at(-1)) {
      block = join(last, block);
      blocks.pop();
    }
    blocks.push(block);
  }
  const least = 1 / (margins.length + 2);
  return {
    method: 'isotonic',
    margins: blocks.map((block) => block.margins / block.rows),
    probabilities: blocks.map((block) => Math.min(1 - least, Math.max(least, block.labels / block.rows))),
  };
}

function tiesInOrder(margins: Float64Array, labels: Uint8Array): Block[] {
  const order = Array.from(margins.keys()).sort((a, b) => (margins[a] as number) - (margins[b] as number));
  const ties: Block[] = [];
  let before: number | undefined;
  for (const row of order) {
    const margin = margins[row] as number;
    const one = { rows: 1, margins: margin, labels: labels[row] as number };
    if (margin === before) ties.push(join(ties.pop() as Block, one));
    else ties.push(one);
    before = margin;
  }
  return ties;
}

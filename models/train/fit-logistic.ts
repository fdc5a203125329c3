import { sigmoid } from '../forest.ts';
import type { LogisticRegression } from '../model-file.ts';

/** Penalty that keeps a separated or repeated column from running away; standardised columns, so of no weight with some hundred rows. */
const RIDGE = 1;

/** Logistic regression by iteratively reweighted least squares on standardised columns; unknown values count as the column's mean. */
export function fitLogistic(columns: readonly Float32Array[], labels: Uint8Array): LogisticRegression {
  const shape = columns.map(momentsOf);
  const width = columns.length + 1;
  const standardised = columns.map((column, feature) => {
    const { mean, deviation } = shape[feature] as (typeof shape)[number];
    return Float64Array.from(column, (value) => (Number.isNaN(value) ? 0 : (value - mean) / deviation));
  });
  standardised.push(new Float64Array(labels.length).fill(1));
  let weights = new Float64Array(width);
  for (let round = 0; round < 25; round += 1) {
    const { gradient, hessian } = derivatives(standardised, labels, weights);
    const step = solve(hessian, gradient);
    weights = weights.map((weight, index) => weight - (step[index] as number));
    if (step.every((value) => Math.abs(value) < 1e-8)) break;
  }
  return { means: shape.map(({ mean }) => mean), deviations: shape.map(({ deviation }) => deviation), coefficients: Array.from(weights.subarray(0, -1)), intercept: weights.at(-1) as number };
}

function momentsOf(column: Float32Array): { mean: number; deviation: number } {
  const known = column.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return { mean: 0, deviation: 1 };
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  return { mean, deviation: deviation > 1e-12 ? deviation : 1 };
}

/** Of the penalised log loss; the intercept, last, is not penalised. */
function derivatives(columns: readonly Float64Array[], labels: Uint8Array, weights: Float64Array): { gradient: Float64Array; hessian: Float64Array[] } {
  const width = columns.length;
  const errors = new Float64Array(labels.length);
  const curvature = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row += 1) {
    let margin = 0;
    for (let column = 0; column < width; column += 1) margin += (weights[column] as number) * ((columns[column] as Float64Array)[row] as number);
    const probability = sigmoid(margin);
    errors[row] = probability - (labels[row] as number);
    curvature[row] = probability * (1 - probability);
  }
  const gradient = new Float64Array(width);
  const hessian = Array.from({ length: width }, () => new Float64Array(width));
  const weighted = new Float64Array(labels.length);
  for (let i = 0; i < width; i += 1) {
    const column = columns[i] as Float64Array;
    const ridge = i === width - 1 ? 1e-9 : RIDGE;
    gradient[i] = ridge * (weights[i] as number) + dot(column, errors);
    for (let row = 0; row < weighted.length; row += 1) weighted[row] = (column[row] as number) * (curvature[row] as number);
    for (let j = 0; j <= i; j += 1) {
      const value = dot(weighted, columns[j] as Float64Array) + (i === j ? ridge : 0);
      (hessian[i] as Float64Array)[j] = value;
      (hessian[j] as Float64Array)[i] = value;
    }
  }
  return { gradient, hessian };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < a.length; row += 1) sum += (a[row] as number) * (b[row] as number);
  return sum;
}

/** Solves a symmetric positive definite system by Gaussian elimination; no pivoting is needed. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const rows = matrix.map((row) => Float64Array.from(row));
  const values = Float64Array.from(right);
  for (let pivot = 0; pivot < rows.length; pivot += 1) {
    const top = rows[pivot] as Float64Array;
    for (let below = pivot + 1; below < rows.length; below += 1) {
      const row = rows[below] as Float64Array;
      const factor = (row[pivot] as number) / (top[pivot] as number);
      for (let column = pivot; column < rows.length; column += 1) row[column] = (row[column] as number) - factor * (top[column] as number);
      values[below] = (values[below] as number) - factor * (values[pivot] as number);
    }
  }
  for (let pivot = rows.length - 1; pivot >= 0; pivot -= 1) {
    const row = rows[pivot] as Float64Array;
    let sum = values[pivot] as number;
    for (let column = pivot + 1; column < rows.length; column += 1) sum -= (row[column] as number) * (values[column] as number);
    values[pivot] = sum / (row[pivot] as number);
  }
  return values;
}

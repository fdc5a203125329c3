import { sigmoid } from './forest.ts';
import type { LogisticRegression } from './model-file.ts';

/** Probability of one row by the plain logistic regression; an unknown value counts as the mean. */
export function logisticProbability({ means, deviations, coefficients, intercept }: LogisticRegression, row: ArrayLike<number>): number {
  let sum = intercept;
  for (let feature = 0; feature < coefficients.length; feature += 1) {
    const value = row[feature] as number;
    if (!Number.isNaN(value)) sum += (coefficients[feature] as number) * ((value - (means[feature] as number)) / (deviations[feature] as number));
  }
  return sigmoid(sum);
}

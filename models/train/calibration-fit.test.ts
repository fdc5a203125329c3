import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrate } from '../calibration.ts';
import { sigmoid } from '../forest.ts';
import { seededRandom } from '../seeded-random.ts';
import { fitCalibration, fitIsotonic, fitPlatt } from './calibration-fit.ts';
import { fitLogistic } from './fit-logistic.ts';

/** Margins and labels whose true chance is a function of the margin. */
function drawn(count: number, chance: (margin: number) => number, seed = 1): [Float64Array, Uint8Array] {
  const random = seededRandom(seed);
  const margins = Float64Array.from({ length: count }, () => random() * 8 - 4);
  return [margins, margins.reduce((labels, margin, row) => labels.fill(Number(random() < chance(margin)), row, row + 1), new Uint8Array(count))];
}

describe('calibration', () => {
  it('pools adjacent violators: the worked example', () => {
    const fitted = fitIsotonic(Float64Array.of(1, 2, 3, 4, 5, 6), Uint8Array.of(0, 1, 0, 1, 1, 0));
    expect(fitted.margins).toEqual([1, 2.5, 5]);
    [1 / 8, 1 / 2, 2 / 3].forEach((probability, index) => expect(fitted.probabilities[index]).toBeCloseTo(probability, 12));
    expect(calibrate(fitted, 0)).toBeCloseTo(1 / 8);
    expect(calibrate(fitted, 1.75)).toBeCloseTo((1 / 8 + 1 / 2) / 2);
    expect(calibrate(fitted, 99)).toBeCloseTo(2 / 3);
  });

  it('takes ties as one', () => {
    expect(fitIsotonic(Float64Array.of(1, 1, 2, 2), Uint8Array.of(0, 1, 1, 1)).margins).toEqual([1, 2]);
  });

  it('never falls with the margin, and is never 0 or 1', () => {
    const rows = fc.array(fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.integer({ min: 0, max: 1 })), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true }), (all, x, y) => {
        const fitted = fitIsotonic(Float64Array.from(all, ([margin]) => margin), Uint8Array.from(all, ([, label]) => label));
        const [low, high] = [calibrate(fitted, Math.min(x, y)), calibrate(fitted, Math.max(x, y))];
        expect(low > 0 && high < 1 && low <= high + 1e-12).toBe(true);
      }),
    );
  });

  it('finds slope and intercept again', () => {
    const { slope, intercept } = fitPlatt(...drawn(20_000, (margin) => sigmoid(0.6 * margin - 1)));
    expect(slope).toBeCloseTo(0.6, 1);
    expect(intercept).toBeCloseTo(-1, 1);
  });

  it('stays finite when the margins separate the labels', () => {
    const { slope, intercept } = fitPlatt(Float64Array.of(-2, -1, 1, 2), Uint8Array.of(0, 0, 1, 1));
    expect(Number.isFinite(slope) && Number.isFinite(intercept)).toBe(true);
  });

  it.each([
    ['few rows', 1_999, (margin: number) => (margin > 0 ? 0.9 : 0.1), 'platt'],
    ['many rows along a sigmoid', 4_000, (margin: number) => sigmoid(margin), 'platt'],
    ['many rows along a step', 4_000, (margin: number) => (margin > 2 ? 0.9 : margin > -2 ? 0.5 : 0.4), 'isotonic'],
  ] as const)('%s: takes the method that is better on later rows', (_what, count, chance, method) => {
    expect(fitCalibration(...drawn(count, chance)).method).toBe(method);
  });
});

describe('logistic regression', () => {
  it('finds the planted coefficients again, with an unknown value as the mean', () => {
    const random = seededRandom(2);
    const a = Float32Array.from({ length: 20_000 }, () => random() * 4);
    const b = Float32Array.from({ length: 20_000 }, () => (random() < 0.2 ? Number.NaN : random() * 2));
    const labels = Uint8Array.from(a, (value, row) => Number(random() < sigmoid(-1 + 0.8 * value - 0.5 * (Number.isNaN(b[row]) ? 1 : (b[row] as number)))));
    const fitted = fitLogistic([a, b, new Float32Array(20_000).fill(3)], labels);
    expect((fitted.coefficients[0] as number) / (fitted.deviations[0] as number)).toBeCloseTo(0.8, 1);
    expect((fitted.coefficients[1] as number) / (fitted.deviations[1] as number)).toBeCloseTo(-0.5, 1);
    expect(fitted.coefficients[2]).toBe(0);
  });
});

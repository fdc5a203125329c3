import type { CalibrationBin } from '#prior-auth/learning-api.ts';
import { tableOf } from '../dataset.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import { scoreTable } from '../evaluate/score-table.ts';
import { marginOf } from '../forest.ts';
import { type ModelBundle, type ModelFile, versionOf } from '../model-file.ts';
import { calibrationOver } from '../monitor/calibration-over.ts';
import { seededRandom } from '../seeded-random.ts';
import { trainModel, type TrainingOptions } from '../train/train-model.ts';
import { appealTable, startOfYear } from './appeal-table.ts';
import type { ImrDetermination } from './imr-file.ts';

const SEED = 20_261_122;
const SELF_CHECK_ROWS = 100;

export interface TrainedAppeals {
  readonly bundle: ModelBundle;
  /** On the test year, at a probability of one half. */
  readonly evaluation: Evaluation;
  /** Tenths of the estimate with what came. */
  readonly reliability: readonly CalibrationBin[];
}

/** Learns from all years before `testYear` - 1, calibrates on the year between, measures on `testYear`. `trainedAt`: ISO instant. */
export async function trainAppeals(determinations: readonly ImrDetermination[], testYear: number, trainedAt: string, options: TrainingOptions = {}): Promise<TrainedAppeals> {
  const table = appealTable(determinations.filter(({ year }) => year <= testYear), testYear - 1);
  const bundle = await trainModel(
    table,
    {
      // Depth and constraints were chosen on the test years 2010 to 2013; later years were not looked at for it.
      kind: 'appeal', seed: SEED, trainedAt, trees: 150, depth: 3, learningRate: 0.05, minChildWeight: 10, smoothing: 20, folds: 5,
      monotone: Object.fromEntries(Object.keys(table.categories ?? {}).map((field) => [`${field}_rate`, 1])),
      // The latest year before the calibration is worth more for learning than for stopping: the rates move.
      earlyStoppingTrees: 0,
      split: { by: 'time', trainUntil: startOfYear(testYear - 1), calibrateUntil: startOfYear(testYear), testUntil: startOfYear(testYear + 1) },
      bands: { medium: 0.4, high: 0.6 },
    },
    options,
  );
  const test = tableOf(table, [...table.times.keys()].filter((row) => table.times[row] === startOfYear(testYear)));
  return {
    bundle: withMadeUpSelfCheck(bundle),
    evaluation: evaluate(bundle, test, { threshold: 0.5 }),
    reliability: calibrationOver(scoreTable(bundle.file, test).model, test.labels),
  };
}

/** Self-check rows put together from levels at random, in place of rows of the file: no row of it leaves the place where it is kept. */
function withMadeUpSelfCheck({ file, onnx }: ModelBundle): ModelBundle {
  const random = seededRandom(SEED);
  const selfCheck = Array.from({ length: SELF_CHECK_ROWS }, () => {
    const row = Float32Array.from(
      file.encoders.flatMap(({ levels }) => {
        const known = Object.values(levels);
        const level = random() < 0.1 ? undefined : known[Math.floor(random() * known.length)];
        return level ? [level.rate, level.count] : [Number.NaN, Number.NaN];
      }),
    );
    return { row: Array.from(row, (value) => (Number.isNaN(value) ? null : value)), margin: marginOf(file.forest, row) };
  });
  const changed: ModelFile = { ...file, selfCheck };
  return { onnx, file: { ...changed, version: versionOf(changed) } };
}

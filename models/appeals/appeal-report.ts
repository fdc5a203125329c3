import { z } from 'zod';
import { jensenShannon, psi } from '../monitor/drift.ts';
import type { TrainingOptions } from '../train/train-model.ts';
import type { ModelBundle } from '../model-file.ts';
import { APPEAL_SOURCE } from './appeal-table.ts';
import type { ImrDetermination } from './imr-file.ts';
import { trainAppeals } from './train-appeals.ts';

const interval = z.object({ value: z.number(), low: z.number(), high: z.number() });
const figures = z.object({ areaUnderRoc: interval, brier: interval, calibrationError: interval, logLoss: interval });
const part = z.object({ rows: z.number(), overturnedShare: z.number() });

const yearReport = figures.extend({
  testYear: z.number(),
  modelVersion: z.string(),
  learnt: part,
  calibratedOn: part,
  testedOn: part,
  calibrationMethod: z.enum(['platt', 'isotonic']),
  logistic: figures,
  /** At a probability of one half. */
  subgroups: z.array(z.object({ group: z.string(), level: z.string(), rows: z.number(), baseRate: z.number(), selectionRate: interval, truePositiveRate: interval.nullable(), falsePositiveRate: interval.nullable() })),
  /** Of the test year against the three years before it. */
  drift: z.array(z.object({ field: z.string(), psi: z.number(), jensenShannon: z.number() })),
  /** Tenths of the estimate with what came, in the test year. */
  reliability: z.array(z.object({ from: z.number(), to: z.number(), count: z.number(), predicted: z.number(), observed: interval })),
});

/** What was measured of the appeal model on real determinations; figures only. */
export const appealReport = z.object({ source: z.string(), scope: z.string(), years: z.array(yearReport).min(1) });
export type AppealReport = z.infer<typeof appealReport>;

const SCOPE = 'External reviews in California that a member asked for after a plan had denied care, 2001 to 2016. Not internal appeals, not other states, not Medicare, not later years.';
const DRIFT_YEARS = 3;

/** Trains and measures for each test year; the bundle is the last one's. */
export async function reportAppeals(determinations: readonly ImrDetermination[], testYears: readonly number[], trainedAt: string, options: TrainingOptions = {}): Promise<{ report: AppealReport; bundle: ModelBundle }> {
  const years: AppealReport['years'] = [];
  let last: ModelBundle | undefined;
  for (const testYear of testYears) {
    const { bundle, evaluation, reliability } = await trainAppeals(determinations, testYear, trainedAt, options);
    const partOf = (includes: (year: number) => boolean) => {
      const rows = determinations.filter(({ year }) => includes(year));
      return { rows: rows.length, overturnedShare: rows.filter(({ overturned }) => overturned).length / rows.length };
    };
    const { areaUnderRoc, brier, calibrationError, logLoss, logistic } = evaluation;
    if (!logistic) throw new Error('a trained appeal model has no logistic regression beside it');
    years.push({
      testYear,
      modelVersion: bundle.file.version,
      learnt: partOf((year) => year < testYear - 1),
      calibratedOn: partOf((year) => year === testYear - 1),
      testedOn: partOf((year) => year === testYear),
      calibrationMethod: bundle.file.calibration.method,
      areaUnderRoc, brier, calibrationError, logLoss, logistic,
      subgroups: [...evaluation.subgroups],
      drift: driftOf(determinations, testYear),
      reliability: [...reliability],
    });
    last = bundle;
  }
  if (!last) throw new RangeError('no test year was given');
  return { report: { source: APPEAL_SOURCE, scope: SCOPE, years }, bundle: last };
}

const DRIFT_FIELDS = ['diagnosis', 'treatment', 'reviewType', 'age', 'sex'] as const;

function driftOf(determinations: readonly ImrDetermination[], testYear: number): AppealReport['years'][number]['drift'] {
  const before = determinations.filter(({ year }) => year < testYear && year >= testYear - DRIFT_YEARS);
  const now = determinations.filter(({ year }) => year === testYear);
  return DRIFT_FIELDS.map((field) => {
    const levels = [...new Set([...before, ...now].map((each) => each[field] ?? ''))];
    const counts = (rows: readonly ImrDetermination[]) => levels.map((level) => rows.filter((each) => (each[field] ?? '') === level).length);
    return { field, psi: psi(counts(before), counts(now)), jensenShannon: jensenShannon(counts(before), counts(now)) };
  });
}

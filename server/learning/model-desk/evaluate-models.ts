import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AppealReport } from '#models/appeals/appeal-report.ts';
import { readShippedAppeals } from '#models/appeals/shipped-appeals.ts';
import { evaluate } from '#models/evaluate/evaluate.ts';
import type { Evaluation } from '#models/evaluate/evaluation.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import { appealEvidence } from '../decision-tables.ts';
import { laterSlice } from '../gate-checks.ts';
import { readBundle } from '../registered-model.ts';
import { type SimulatedData, simulatedData } from './train-models.ts';

export interface Evaluated {
  readonly model: 'denial-risk' | 'appeal';
  readonly version: string;
  readonly split: string;
  readonly evaluation: Evaluation;
}

/** Of the shipped denial-risk model on rows of the simulator that are later than its fit; of the appeal model on the years kept apart. */
export async function evaluateShipped(data: SimulatedData, appealsFile: string | undefined): Promise<readonly Evaluated[]> {
  const { json, onnx } = await shippedModel();
  const denial = readBundle(json, onnx);
  const slice = laterSlice(simulatedData(data), [denial.file]);
  const split = `${denial.file.measures.split}; measured here on the later rows of ${data.rows} freshly simulated decisions, seed ${data.seed}`;
  return [{ model: 'denial-risk', version: denial.file.version, split, evaluation: evaluate(denial, slice) }, ...(await evaluateAppeals(appealsFile))];
}

async function evaluateAppeals(file: string | undefined): Promise<readonly Evaluated[]> {
  const { bundle, report } = readShippedAppeals();
  const asMeasured = report.years.map((year): Evaluated => ({ model: 'appeal', version: year.modelVersion, split: splitOf(year), evaluation: fromReport(report, year) }));
  if (file === undefined || !(await stat(file).then(() => true, () => false))) return asMeasured;
  const { table } = await appealEvidence(file, bundle.file);
  const again = evaluate(bundle, laterSlice(table, [bundle.file]), { threshold: 0.5 });
  return [...asMeasured.slice(0, -1), { model: 'appeal', version: bundle.file.version, split: `${bundle.file.measures.split}; measured here again`, evaluation: again }];
}

type Year = AppealReport['years'][number];

function splitOf({ testYear, learnt, calibratedOn }: Year): string {
  return `learned to ${testYear - 2} (${learnt.rows} rows), calibrated on ${testYear - 1} (${calibratedOn.rows}), measured on ${testYear}; as stored with the model`;
}

function fromReport({ source }: AppealReport, { testYear, modelVersion, testedOn, areaUnderRoc, brier, calibrationError, logLoss, subgroups, logistic }: Year): Evaluation {
  const day = (month: string) => `${testYear}-${month}`;
  return { modelVersion, source, simulated: false, rows: testedOn.rows, baseRate: testedOn.overturnedShare, from: day('01-01'), to: day('12-31'), threshold: 0.5, areaUnderRoc, brier, calibrationError, logLoss, subgroups, logistic };
}

/** The file of determinations beside the project, where a developer keeps it. */
export const NEARBY_APPEALS_FILE = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data', 'imr-california', 'imr-determinations-2001-2016.csv');

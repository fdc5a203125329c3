import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainingOptions } from '../train/train-model.ts';
import type { ModelBundle } from '../model-file.ts';
import { type AppealReport, reportAppeals } from './appeal-report.ts';
import { readImrFile } from './imr-file.ts';
import { SHIPPED_APPEALS_FOLDER } from './shipped-appeals.ts';

const MEASURED_YEARS = 3;

/** Trains and measures on the file of determinations for its last three years, one after the other. Throws TRAINING_REFUSED when the file does not fit. */
export async function appealsOfFile(path: string, trainedAt: string, options?: TrainingOptions): Promise<{ report: AppealReport; bundle: ModelBundle }> {
  const determinations = readImrFile(readFileSync(path, 'utf8'));
  const last = determinations.reduce((latest, { year }) => Math.max(latest, year), 0);
  return reportAppeals(determinations, Array.from({ length: MEASURED_YEARS }, (_, index) => last - MEASURED_YEARS + 1 + index), trainedAt, options);
}

/** Puts a model and its figures in the place of the shipped ones, each file at once. */
export function writeAppeals({ report, bundle }: { readonly report: AppealReport; readonly bundle: ModelBundle }, folder = SHIPPED_APPEALS_FOLDER): void {
  const files: Readonly<Record<string, string | Uint8Array>> = { 'appeal.onnx': bundle.onnx, 'appeal.json': `${JSON.stringify(bundle.file)}\n`, 'measured.json': `${JSON.stringify(report, null, 1)}\n` };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, `${name}.new`), content);
  for (const name of Object.keys(files)) renameSync(join(folder, `${name}.new`), join(folder, name));
}

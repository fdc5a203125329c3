import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { type ModelBundle, modelFile, sha256, versionOf } from '../model-file.ts';
import { type AppealReport, appealReport } from './appeal-report.ts';

export const SHIPPED_APPEALS_FOLDER = import.meta.dirname;

/** The appeal model beside this file, and what was measured of it. Throws MODEL_UNAVAILABLE when a file is missing or does not fit. */
export function readShippedAppeals(folder = SHIPPED_APPEALS_FOLDER): { readonly bundle: ModelBundle; readonly report: AppealReport } {
  try {
    const onnx = readFileSync(join(folder, 'appeal.onnx'));
    const file = modelFile.parse(JSON.parse(readFileSync(join(folder, 'appeal.json'), 'utf8')));
    const report = appealReport.parse(JSON.parse(readFileSync(join(folder, 'measured.json'), 'utf8')));
    if (file.kind !== 'appeal') throw new Error('appeal.json describes a model of another kind');
    if (sha256(onnx) !== file.onnxSha256) throw new Error('appeal.onnx is not the file that appeal.json describes');
    if (versionOf(file) !== file.version) throw new Error('appeal.json was changed after the training');
    if (report.years.at(-1)?.modelVersion !== file.version) throw new Error('measured.json is of another model');
    return { bundle: { file, onnx }, report };
  } catch (cause) {
    throw new PriorAuthError('MODEL_UNAVAILABLE', 'The appeal model could not be opened.', { cause, nextStep: 'Run `npm run model -- train --kind appeal --data FILE`, or restore models/appeals/appeal.onnx, appeal.json and measured.json.' });
  }
}

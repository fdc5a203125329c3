import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { DenialRisk, DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { DENIAL_RISK_FEATURES, toFeatureRow } from '#prior-auth/learning/features.ts';
import { calibrate } from '../calibration.ts';
import { shapValues } from '../explain/tree-shap.ts';
import { marginOf } from '../forest.ts';
import { type ModelFile, modelFile } from '../model-file.ts';
import { toReasons } from './reason-words.ts';

export interface DenialRiskModel {
  readonly version: string;
  readonly simulated: boolean;
  /** A calibrated probability with its strongest reasons. Throws MODEL_UNAVAILABLE when the runtime fails. */
  score(facts: DenialRiskFacts): Promise<DenialRisk>;
}

const REASONS = 5;
/** The runtime's float32 sum and our walk of the trees may differ by this much log-odds. */
const SELF_CHECK_TOLERANCE = 1e-4;

/** Opens the model beside this folder (or in `folder`) and checks it against its stored rows. Throws MODEL_UNAVAILABLE when anything of it does not fit. */
export async function openDenialRiskModel(folder = join(import.meta.dirname, '..')): Promise<DenialRiskModel> {
  try {
    const [onnx, text] = await Promise.all([readFile(join(folder, 'denial-risk.onnx')), readFile(join(folder, 'denial-risk.json'), 'utf8')]);
    const file = modelFile.parse(JSON.parse(text));
    const sha256 = createHash('sha256').update(onnx).digest('hex');
    if (sha256 !== file.onnxSha256) throw new Error('denial-risk.onnx is not the file that denial-risk.json describes');
    const session = await InferenceSession.create(onnx, {
      executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    await selfCheck(session, file);
    return { version: file.version, simulated: file.simulated, score: (facts) => score(session, file, facts) };
  } catch (cause) {
    throw new PriorAuthError('MODEL_UNAVAILABLE', 'The denial-risk model could not be opened.', { cause, nextStep: 'Run `npm run model -- train`, or restore models/denial-risk.onnx and .json.' });
  }
}

async function score(session: InferenceSession, file: ModelFile, facts: DenialRiskFacts): Promise<DenialRisk> {
  const row = toFeatureRow(facts, file.history);
  const margin = await runtimeMargin(session, row);
  const probability = calibrate(file.calibration, margin);
  return {
    probability,
    band: probability >= file.bands.high ? 'high' : probability >= file.bands.medium ? 'medium' : 'low',
    reasons: toReasons(shapValues(file.forest, row, DENIAL_RISK_FEATURES.length), facts, REASONS),
    modelVersion: file.version,
    simulated: file.simulated,
  };
}

/** The runtime's log-odds of one row. */
async function runtimeMargin(session: InferenceSession, row: Float32Array): Promise<number> {
  const outputs = await session.run({ X: new Tensor('float32', row, [1, row.length]) }, ['probabilities']);
  const probability = Number(outputs['probabilities']?.data[1]);
  if (!(probability > 0 && probability < 1)) throw new PriorAuthError('MODEL_UNAVAILABLE', 'The model runtime gave no probability.');
  return Math.log(probability / (1 - probability));
}

async function selfCheck(session: InferenceSession, file: ModelFile): Promise<void> {
  for (const { row, margin } of file.selfCheck) {
    const values = Float32Array.from(row, (value) => value ?? Number.NaN);
    const differences = [marginOf(file.forest, values) - margin, (await runtimeMargin(session, values)) - margin];
    if (differences.some((difference) => !(Math.abs(difference) < SELF_CHECK_TOLERANCE))) throw new Error('the model does not reproduce its stored rows');
  }
}

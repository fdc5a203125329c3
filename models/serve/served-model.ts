import { PriorAuthError } from '#prior-auth/errors.ts';
import type { DenialRisk, DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { toFeatureRow } from '#prior-auth/learning/features.ts';
import { type PastDecisions, pastKeys, type PastLevel } from '#prior-auth/learning/past-decisions.ts';
import { calibrate } from '../calibration.ts';
import { modelRow } from '../encode.ts';
import { shapValues } from '../explain/tree-shap.ts';
import { marginOf, sigmoid } from '../forest.ts';
import { type ModelFile, modelFile, ownFeatures, sha256 } from '../model-file.ts';
import { type ForestSession, type OpenForestSession, openForestSession } from './forest-session.ts';
import { counterfactuals, loweringSteps } from './lowering.ts';
import type { BundleBytes } from './model-source.ts';
import { fieldsOf, toReasons } from './risk-reasons.ts';
import { runTogether } from './together.ts';

/** One version of the denial-risk model, open and checked. */
export interface ServedModel {
  readonly version: string;
  readonly simulated: boolean;
  rowOf(facts: DenialRiskFacts, past: PastDecisions | null): Float32Array;
  /** Calibrated, in the order of the rows. Throws MODEL_UNAVAILABLE when the runtime fails or gives no probability. */
  probabilities(rows: readonly Float32Array[]): Promise<number[]>;
  /** With reasons, and with what would lower it. Throws as `probabilities`. */
  score(row: Float32Array, facts: DenialRiskFacts, past: PastDecisions | null): Promise<DenialRisk>;
  /** After the calls that are under way. */
  close(): Promise<void>;
}

/** Between the runtime and the plain walk, as probabilities. */
const SELF_CHECK_TOLERANCE = 1e-5;
/** float32 cannot tell a probability from 0 or 1 beyond this. */
const LEAST_PROBABILITY = 1e-7;
const FIELDS_TO_ENCODE: readonly string[] = ['payer', 'service_family', 'procedure', 'specialty'] satisfies readonly PastLevel[];

export interface OpenOptions {
  /** Default 1. */
  readonly threads?: number;
  readonly openSession?: OpenForestSession;
}

/** Opens a model and checks it against its stored rows. Throws MODEL_UNAVAILABLE when anything of it does not fit. */
export async function openServedModel(bytes: BundleBytes, { threads = 1, openSession = openForestSession }: OpenOptions = {}): Promise<ServedModel> {
  try {
    const file = modelFile.parse(JSON.parse(bytes.json));
    if (file.kind !== 'denial-risk') throw new Error(`the model answers another question: ${file.kind}`);
    const strange = file.encoders.flatMap(({ fields }) => fields).filter((field) => !FIELDS_TO_ENCODE.includes(field));
    if (strange.length > 0) throw new Error(`the model encodes what an order does not say: ${strange.join(', ')}`);
    if (sha256(bytes.onnx) !== file.onnxSha256) throw new Error('the ONNX file is not the one that the JSON file describes');
    if (file.version !== bytes.version) throw new Error(`the JSON file is of version ${file.version}`);
    const session = closing(await openSession(bytes.onnx, threads), file.features.length);
    const probabilities = async (rows: readonly Float32Array[]): Promise<number[]> => {
      const raw = await session.ask(rows);
      return rows.map((_, index) => calibrated(file, raw[index]));
    };
    await selfCheck(session.ask, file).catch(async (error: unknown) => {
      await session.close();
      throw error;
    });
    const fields = fieldsOf(file.features, file.encoders);
    const ownCount = ownFeatures(file).length;
    const rowOf = (facts: DenialRiskFacts, past: PastDecisions | null): Float32Array => {
      const own = toFeatureRow(facts, past ?? file.history);
      if (file.encoders.length === 0 && own.length === ownCount) return own;
      const keys = pastKeys(facts);
      return modelRow(file, own, (field) => keys[field as PastLevel]);
    };
    return {
      version: file.version,
      simulated: file.simulated,
      rowOf,
      probabilities,
      async score(row, facts, past) {
        const changed = counterfactuals(facts);
        const [probability = Number.NaN, ...others] = await probabilities([row, ...changed.map((each) => rowOf(each.facts, past))]);
        const lowering = loweringSteps(probability, changed, others);
        return {
          probability,
          band: probability >= file.bands.high ? 'high' : probability >= file.bands.medium ? 'medium' : 'low',
          reasons: toReasons(shapValues(file.forest, row, file.features.length), fields, facts, past),
          ...(lowering.length === 0 ? {} : { lowering }),
          modelVersion: file.version,
          simulated: file.simulated,
          ...(past ? { history: { asOf: past.asOf, decisions: past.levels.overall.decisionCount, ...(past.simulated ? { simulated: true as const } : {}) } } : {}),
        };
      },
      close: session.close,
    };
  } catch (cause) {
    throw new PriorAuthError('MODEL_UNAVAILABLE', `The denial-risk model ${bytes.version} cannot be served.`, { cause, nextStep: 'Promote or roll back to another version; for the shipped one restore models/denial-risk.onnx and .json.' });
  }
}

function calibrated(file: ModelFile, raw: number | undefined): number {
  const probability = raw !== undefined && raw >= 0 && raw <= 1 ? calibrate(file.calibration, logOdds(raw)) : Number.NaN;
  if (!(probability >= 0 && probability <= 1)) throw new PriorAuthError('MODEL_UNAVAILABLE', 'The model gave no probability.');
  return probability;
}

function logOdds(probability: number): number {
  const within = Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, probability));
  return Math.log(within / (1 - within));
}

/** The stored rows through the runtime and through the plain walk: both must give what was stored. */
async function selfCheck(ask: (rows: readonly Float32Array[]) => Promise<readonly number[]>, { features, forest, selfCheck: stored }: ModelFile): Promise<void> {
  if (stored.length === 0) throw new Error('the model brings no rows to check itself with');
  const rows = stored.map(({ row }) => Float32Array.from(row, (value) => value ?? Number.NaN));
  if (rows.some((row) => row.length !== features.length)) throw new Error('a stored row of the model has another width than its feature list');
  const raw = await ask(rows);
  const differs = stored.some(({ margin }, index) => {
    const walked = sigmoid(marginOf(forest, rows[index] as Float32Array));
    return !(Math.abs(walked - sigmoid(margin)) <= SELF_CHECK_TOLERANCE && Math.abs((raw[index] ?? Number.NaN) - walked) <= SELF_CHECK_TOLERANCE);
  });
  if (differs) throw new Error('the model does not reproduce its stored rows');
}

/** Releases the session when the last of the asks has its answer. */
function closing(session: ForestSession, width: number): { readonly ask: (rows: readonly Float32Array[]) => Promise<readonly number[]>; readonly close: () => Promise<void> } {
  const run = runTogether((rows) => session.run(rows, width), width);
  const asked = new Set<Promise<unknown>>();
  let closed: Promise<void> | undefined;
  return {
    async ask(rows) {
      if (closed) throw new PriorAuthError('MODEL_UNAVAILABLE', 'The model has been closed.');
      const answer = run(rows);
      asked.add(answer);
      try {
        return await answer;
      } finally {
        asked.delete(answer);
      }
    },
    close: () => (closed ??= Promise.allSettled(asked).then(() => session.release())),
  };
}

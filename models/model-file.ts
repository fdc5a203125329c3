import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DENIAL_RISK_FEATURES } from '#prior-auth/learning/features.ts';
import { monitoringReference } from './monitor/reference.ts';

const rates = z.record(z.string(), z.number());
const numbers = z.array(z.number());

export const history = z.object({ byPayer: rates, byFamily: rates, byPayerAndFamily: rates });
export const NO_HISTORY: z.infer<typeof history> = { byPayer: {}, byFamily: {}, byPayerAndFamily: {} };

/** A figure with its 95 % interval from a seeded bootstrap of the rows. */
const interval = z.object({ value: z.number(), low: z.number(), high: z.number() });

const figures = z.object({ areaUnderRoc: interval, brier: interval, calibrationError: interval, logLoss: interval });

/** Replaces a category field, or a pair of them, by two features: `<name>_rate` and `<name>_count`. A level it does not know has the overall rate and count 0. */
const encoder = z.object({
  name: z.string(),
  /** Category fields whose values, joined by "|", are the level. */
  fields: z.array(z.string()).min(1),
  overall: z.number(),
  levels: z.record(z.string(), z.object({ rate: z.number(), count: z.number() })),
});

/** Coefficients of the plain logistic regression that stands beside the forest wherever it is measured. Unknown values count as the mean. */
const logistic = z.object({ means: numbers, deviations: numbers, coefficients: numbers, intercept: z.number() });

/** The JSON that stands beside the ONNX file. Its feature list is checked against the code's at load. */
export const modelFile = z
  .object({
    kind: z.enum(['denial-risk', 'appeal']),
    /** First 12 hex digits of the content's SHA-256 (all but this and the time of training). */
    version: z.string(),
    onnxSha256: z.string(),
    /** True until payers' own decisions train the model; shown wherever a score is. */
    simulated: z.boolean(),
    /** ISO instant. */
    trainedAt: z.string(),
    trainedOn: z.object({ source: z.string(), rows: z.number(), from: z.string(), to: z.string() }),
    /** What the forest reads, in order: the table's own features, then two for each encoder. */
    features: z.array(z.string()),
    encoders: z.array(encoder),
    calibration: z.discriminatedUnion('method', [
      z.object({ method: z.literal('platt'), slope: z.number(), intercept: z.number() }),
      z.object({ method: z.literal('isotonic'), margins: numbers, probabilities: numbers }),
    ]),
    /** Probability from which a risk is called medium, and high. */
    bands: z.object({ medium: z.number(), high: z.number() }),
    /** Past rates to fall back on where no decision is on record yet; of denial-risk models. */
    history: history.default(NO_HISTORY),
    forest: z.object({ base: z.number(), roots: numbers, feature: numbers, threshold: numbers, left: numbers, right: numbers, missingLeft: numbers, value: numbers, cover: numbers }),
    logistic: logistic.optional(),
    /** Rows (null = missing) with the log-odds they must give: the start-up self-check. */
    selfCheck: z.array(z.object({ row: z.array(z.number().nullable()), margin: z.number() })),
    /** How the rows of its own test looked; without it drift is not measured. */
    reference: monitoringReference.optional(),
    measures: figures.extend({ split: z.string(), testRows: z.number(), baseRate: z.number(), logistic: figures.optional() }),
    lineage: z.object({ dataHash: z.string(), codeHash: z.string(), parameters: z.record(z.string(), z.unknown()), seed: z.number() }),
    /** Where the forest comes from when it was not trained here; `covers` says who counted the rows at its nodes. */
    importedFrom: z.object({ format: z.enum(['xgboost', 'lightgbm', 'onnx']), sha256: z.string(), covers: z.enum(['file', 'table']), note: z.string() }).optional(),
  })
  .refine((file) => file.kind !== 'denial-risk' || ownFeatures(file).join() === DENIAL_RISK_FEATURES.join(), 'the model was trained on another feature list');

export type ModelFile = z.infer<typeof modelFile>;
export type Interval = z.infer<typeof interval>;
export type Figures = z.infer<typeof figures>;
export type CategoryEncoder = z.infer<typeof encoder>;
export type LogisticRegression = z.infer<typeof logistic>;

/** A model as it is kept, moved and served: the JSON and the bytes of the ONNX file it describes. */
export interface ModelBundle {
  readonly file: ModelFile;
  readonly onnx: Uint8Array;
}

/** The features a table must bring; the encoders add the rest. */
export function ownFeatures(file: { readonly features: readonly string[]; readonly encoders: readonly unknown[] }): readonly string[] {
  return file.features.slice(0, file.features.length - 2 * file.encoders.length);
}

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The version is the hash of the content: the same data, code, parameters and seed give the same one on any day. */
export function versionOf(file: Omit<ModelFile, 'version'> & { readonly version?: string }): string {
  return sha256(JSON.stringify({ ...file, version: undefined, trainedAt: undefined })).slice(0, 12);
}

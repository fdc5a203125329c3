import { z } from 'zod';
import { DENIAL_RISK_FEATURES } from '#prior-auth/learning/features.ts';

const rates = z.record(z.string(), z.number());

/** The JSON that stands beside the ONNX file. Its feature list is checked against the code's at load. */
export const modelFile = z.object({
  name: z.literal('denial-risk'),
  /** First 12 hex digits of the ONNX file's SHA-256. */
  version: z.string(),
  onnxSha256: z.string(),
  /** True until payers' own decisions train the model; shown wherever a score is. */
  simulated: z.boolean(),
  trainedOn: z.object({ source: z.string(), rows: z.number(), seed: z.number() }),
  features: z.array(z.string()).refine((names) => names.join() === DENIAL_RISK_FEATURES.join(), 'the model was trained on another feature list'),
  calibration: z.object({ method: z.literal('platt'), slope: z.number(), intercept: z.number() }),
  /** Probability from which a risk is called medium, and high. */
  bands: z.object({ medium: z.number(), high: z.number() }),
  history: z.object({ byPayer: rates, byFamily: rates, byPayerAndFamily: rates }),
  forest: z.object({
    base: z.number(), roots: z.array(z.number()), feature: z.array(z.number()), threshold: z.array(z.number()), left: z.array(z.number()), right: z.array(z.number()),
    missingLeft: z.array(z.number()), value: z.array(z.number()), cover: z.array(z.number()),
  }),
  /** Rows (null = missing) with the log-odds they must give: the start-up self-check. */
  selfCheck: z.array(z.object({ row: z.array(z.number().nullable()), margin: z.number() })),
  measures: z.object({ split: z.string(), testRows: z.number(), areaUnderRoc: z.number(), brier: z.number(), calibrationError: z.number(), baseRate: z.number() }),
});

export type ModelFile = z.infer<typeof modelFile>;

import { z } from 'zod';
import { history, NO_HISTORY } from '../model-file.ts';

const share = z.number().gt(0).lte(1);

/** How to train. What is left out takes its kind's setting (kind-settings.ts), else the default here; the whole is kept in the bundle's lineage. */
export const trainingParameters = z.object({
  kind: z.enum(['denial-risk', 'appeal']),
  seed: z.int().min(0).max(0xffff_ffff),
  /** ISO instant; given by the caller so that a run can be repeated to the byte. */
  trainedAt: z.iso.datetime(),
  /** Most trees; early stopping may keep fewer. */
  trees: z.int().min(1).max(5_000).default(200),
  depth: z.int().min(1).max(12).default(4),
  learningRate: z.number().gt(0).lte(1).default(0.1),
  /** L2 penalty on leaf values. */
  lambda: z.number().min(0).default(1),
  /** Least hessian weight of a child. */
  minChildWeight: z.number().min(0).default(5),
  /** Share of the rows, and of the features, that each tree sees. */
  rowShare: share.default(1),
  columnShare: share.default(1),
  /** Stop when the log loss on the latest rows of the training slice has not fallen for this many trees; 0 trains all trees on all of the slice. */
  earlyStoppingTrees: z.int().min(0).default(20),
  /** Share of the training slice, its latest rows, kept for early stopping. */
  stopShare: z.number().gt(0).lt(0.5).default(0.15),
  /** 1: the risk may only rise with the feature; -1: only fall. */
  monotone: z.record(z.string(), z.union([z.literal(1), z.literal(-1)])).default({}),
  /** Category fields to encode, and pairs of them; all of the table's fields and no pairs when left out. */
  encode: z.array(z.array(z.string()).min(1).max(2)).optional(),
  /** Pseudo-rows that pull a small level's rate towards the overall one. */
  smoothing: z.number().min(0).default(20),
  /** Folds of the out-of-fold encoding. */
  folds: z.int().min(2).max(20).default(5),
  /** Earliest rows train, the next calibrate, the rest measure; by share of the rows in time order, or by instants (epoch ms, the end not included). */
  split: z
    .discriminatedUnion('by', [
      z.object({ by: z.literal('share'), train: share, calibrate: share }).refine(({ train, calibrate }) => train + calibrate < 1, 'the shares leave no rows to measure on'),
      z
        .object({ by: z.literal('time'), trainUntil: z.number(), calibrateUntil: z.number(), testUntil: z.number() })
        .refine((split) => split.trainUntil < split.calibrateUntil && split.calibrateUntil < split.testUntil, 'the instants are not in order'),
    ])
    .default({ by: 'share', train: 0.6, calibrate: 0.2 }),
  bands: z.object({ medium: share, high: share }).default({ medium: 0.15, high: 0.4 }),
  /** Past rates for the bundle to fall back on. */
  history: history.default(NO_HISTORY),
});

/** As the caller gives them. */
export type TrainingParameters = z.input<typeof trainingParameters>;
export type SetParameters = z.output<typeof trainingParameters>;

export interface TrainingProgress {
  readonly stage: 'encoding' | 'trees' | 'calibrating' | 'measuring';
  /** Trees grown so far, of at most `trees`. */
  readonly tree: number;
  readonly trees: number;
  /** Log loss on the stop slice; null without early stopping. */
  readonly stopLoss: number | null;
}

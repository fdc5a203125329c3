import { z } from 'zod/mini';

/*
 * What the page at /learning/ asks of the server, all below /learning/api with a role's token as Bearer:
 * GET /session, GET /models, GET /models/:version/card (markdown), POST /models/:version/promote (`modelPromotion`), POST /rollback (`modelRollback`),
 * GET /monitoring?kind=KIND, POST /alerts/:id/acknowledge and /alerts/:id/close (`alertStep`), POST /thresholds (`thresholdChange`),
 * GET /trainings, POST /trainings (`trainingOrder`), POST /trainings/:id/stop. Failures are `ErrorReply`.
 */

export const LEARNING_ROLES = ['viewer', 'trainer', 'approver'] as const;
export type LearningRole = (typeof LEARNING_ROLES)[number];
export const MODEL_KINDS = ['denial-risk', 'appeal'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];
export const MODEL_STAGES = ['candidate', 'shadow', 'canary', 'live', 'retired'] as const;
export type ModelStage = (typeof MODEL_STAGES)[number];

export interface LearningSession {
  /** Name of the token's holder as the roles file says it. */
  readonly who: string;
  readonly role: LearningRole;
}

/** A figure with its 95 % interval. */
export interface Figure {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ModelsPage {
  /** The newest first. */
  readonly models: readonly ModelSummary[];
  /** The newest first. */
  readonly events: readonly ModelEvent[];
}

export interface ModelSummary {
  readonly version: string;
  readonly kind: ModelKind;
  readonly stage: ModelStage;
  /** Share of the clinics that a canary answers, 0..1. */
  readonly share: number | null;
  readonly simulated: boolean;
  /** ISO instants. */
  readonly trainedAt: string;
  readonly registeredAt: string;
  readonly registeredBy: string;
  readonly trainedOn: { readonly source: string; readonly rows: number; readonly from: string; readonly to: string };
  readonly measures: { readonly areaUnderRoc: Figure; readonly brier: Figure; readonly calibrationError: Figure; readonly split: string; readonly testRows: number };
  /** The newest first. */
  readonly gateReports: readonly GateReport[];
}

/** What the gate found before a step up. */
export interface GateReport {
  readonly at: string;
  readonly to: ModelStage;
  readonly passed: boolean;
  readonly checks: readonly GateCheck[];
}

export interface GateCheck {
  /** Stable: "area-under-roc", "no-worse-than-live". */
  readonly code: string;
  readonly passed: boolean;
  /** One sentence with the figures. */
  readonly why: string;
}

/** A change of a stage, or one that was refused. */
export interface ModelEvent {
  readonly at: string;
  readonly who: string;
  readonly version: string;
  readonly from: ModelStage | null;
  readonly to: ModelStage;
  readonly outcome: 'done' | 'refused';
  readonly why: string;
}

const why = z.string().check(z.trim(), z.minLength(1), z.maxLength(500), z.refine((text) => !/\p{Surrogate}/u.test(text) && !text.includes('\u0000'), 'must be well-formed Unicode without U+0000'));
const share = z.number().check(z.gt(0), z.lt(1));

export const modelPromotion = z.strictObject({ to: z.enum(['shadow', 'canary', 'live']), why, share: z.optional(share) });
export type ModelPromotion = z.infer<typeof modelPromotion>;
export const modelRollback = z.strictObject({ kind: z.enum(MODEL_KINDS), why });
export type ModelRollback = z.infer<typeof modelRollback>;
export const alertStep = z.strictObject({ note: why });
export type AlertStep = z.infer<typeof alertStep>;
export const trainingOrder = z.strictObject({ kind: z.enum(MODEL_KINDS), why });
export type TrainingOrder = z.infer<typeof trainingOrder>;

export const THRESHOLD_NAMES = ['input-drift', 'score-drift', 'label-drift', 'calibration-error', 'auc-fall', 'parity-gap', 'odds-gap', 'unknown-share-rise', 'latency-p99-ms'] as const;
export type ThresholdName = (typeof THRESHOLD_NAMES)[number];
export const thresholdChange = z.strictObject({ name: z.enum(THRESHOLD_NAMES), limit: z.number().check(z.positive(), z.maximum(10_000)), why });
export type ThresholdChange = z.infer<typeof thresholdChange>;

/** Above its limit an alert opens. */
export interface Threshold {
  readonly name: ThresholdName;
  readonly limit: number;
  /** Fewer rows than this in the window: the figure is shown, no alert opens. */
  readonly leastRows: number;
  readonly reason: string;
  /** null: the default stands. */
  readonly changed: { readonly by: string; readonly at: string } | null;
}

export type AlertState = 'open' | 'acknowledged' | 'closed';

/** One thing that went over its limit; not told again while it stands. */
export interface LearningAlert {
  readonly id: string;
  readonly threshold: ThresholdName;
  /** The feature or subgroup; null for the whole. */
  readonly subject: string | null;
  readonly version: string;
  readonly state: AlertState;
  readonly value: number;
  readonly limit: number;
  readonly openedAt: string;
  /** Last time it was found over the limit. */
  readonly seenAt: string;
  readonly acknowledged: { readonly by: string; readonly at: string; readonly note: string } | null;
  /** By whom: `monitor` when the figure came back under its limit. */
  readonly closed: { readonly by: string; readonly at: string; readonly note: string } | null;
}

export interface MonitoringReport {
  readonly kind: ModelKind;
  /** Of the live model; null: no model is live, and all below is empty. */
  readonly version: string | null;
  /** The model, or a decision that it is measured against, is simulated: the word stands at every figure. */
  readonly simulated: boolean;
  /** ISO instants. */
  readonly at: string;
  readonly window: { readonly days: number; readonly from: string; readonly to: string };
  /** What drift is measured against; null: the model brings none. */
  readonly reference: { readonly source: string; readonly rows: number } | null;
  readonly scores: number;
  /** Of them, scores whose payer has decided. */
  readonly decided: number;
  readonly features: readonly FeatureDrift[];
  readonly score: Drift | null;
  readonly label: LabelDrift | null;
  readonly calibration: readonly CalibrationBin[];
  readonly calibrationError: Figure | null;
  readonly areaUnderRoc: Figure | null;
  /** Of the model's own test at training. */
  readonly areaAtTraining: number | null;
  readonly subgroups: readonly SubgroupGap[];
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number; readonly p99Ms: number } | null;
  /** The oldest first. */
  readonly history: readonly MonitoringPoint[];
  readonly thresholds: readonly Threshold[];
  /** Open first, then the newest. */
  readonly alerts: readonly LearningAlert[];
}

/** Two distributions of known values beside each other. */
export interface Drift {
  /** Population stability index; 0 is none. */
  readonly psi: number;
  /** Jensen-Shannon distance, base 2, 0..1. */
  readonly jensenShannon: number;
  /** Greatest distance of the two cumulative distributions, 0..1. */
  readonly ks: number;
  readonly bins: readonly DriftBin[];
}

export interface DriftBin {
  /** `from` < value <= `to`; an open end is null. */
  readonly from: number | null;
  readonly to: number | null;
  /** Shares, 0..1. */
  readonly reference: number;
  readonly current: number;
}

export interface FeatureDrift extends Drift {
  readonly feature: string;
  /** False: it moves by itself (past decisions), and its drift is shown and not alarmed. */
  readonly judged: boolean;
  readonly unknownShare: number;
  readonly referenceUnknownShare: number;
}

export interface LabelDrift {
  readonly rate: Figure;
  readonly referenceRate: number;
}

export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly predicted: number;
  readonly observed: Figure;
}

export interface SubgroupGap {
  readonly group: string;
  readonly levels: readonly SubgroupLevel[];
  /** Greatest difference of the share called high risk between two levels of enough rows. */
  readonly parityGap: Figure | null;
  /** The greater of the differences of true and of false positive rate. */
  readonly oddsGap: Figure | null;
}

export interface SubgroupLevel {
  readonly level: string;
  readonly rows: number;
  readonly decided: number;
  readonly selectionRate: Figure;
  readonly truePositiveRate: Figure | null;
  readonly falsePositiveRate: Figure | null;
}

/** One window of the past, as it was measured then. */
export interface MonitoringPoint {
  readonly at: string;
  readonly version: string;
  readonly scores: number;
  readonly decided: number;
  /** Of the judged features. */
  readonly greatestPsi: number | null;
  readonly scorePsi: number | null;
  readonly denialRate: number | null;
  readonly calibrationError: number | null;
  readonly areaUnderRoc: number | null;
}

export const TRAINING_CAUSES = ['asked', 'schedule', 'drift', 'auc-fall'] as const;
export type TrainingCause = (typeof TRAINING_CAUSES)[number];

export interface TrainingRun {
  readonly id: string;
  readonly kind: ModelKind;
  readonly cause: TrainingCause;
  readonly why: string;
  readonly askedBy: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped';
  /** 0..1 while it runs. */
  readonly progress: number;
  readonly askedAt: string;
  readonly endedAt: string | null;
  /** What came of it: always a candidate at the gate, never a live model. */
  readonly version: string | null;
  /** What the gate said of it; null: not asked yet. */
  readonly passed: boolean | null;
  /** Why it failed or was stopped. */
  readonly problem: string | null;
}

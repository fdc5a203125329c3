import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import type { PastDecisions } from '#prior-auth/learning/past-decisions.ts';

/** A model as it is stored: the ONNX file and the text of the JSON beside it. */
export interface BundleBytes {
  /** The same version is never opened twice. */
  readonly version: string;
  readonly onnx: Uint8Array;
  readonly json: string;
}

/** What is to be served now. */
export interface Stages {
  /** null: the shipped model. */
  readonly live: BundleBytes | null;
  /** Answers instead of the live model for a share of the clinics, 0..1. */
  readonly canary: { readonly model: BundleBytes; readonly share: number } | null;
  /** Scored beside the model that answers, never shown. */
  readonly shadows: readonly BundleBytes[];
}

/** Where the served models come from: the registry. */
export interface ModelSource {
  current(): Promise<Stages>;
  /** Calls back after every change of a stage, in whatever process it was made. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** Past decisions as they stood when asked; null when none is on record. Answers from memory. */
export interface PastDecisionsPort {
  past(facts: DenialRiskFacts): PastDecisions | null;
}

/** One score for the comparison of models and for monitoring. Nothing in it names a patient, a clinic or an order. */
export interface ScoreRecord {
  readonly version: string;
  readonly stage: 'live' | 'canary' | 'shadow';
  /** The version whose answer was shown; its own for `live` and `canary`. */
  readonly shownVersion: string;
  /** Calibrated, 0..1. */
  readonly probability: number;
  /** What was shown. */
  readonly shownProbability: number;
  /** Features in the model's order; absent for CDS Hooks calls, of which nothing is kept to learn from. */
  readonly row?: Float32Array;
  /** As the caller gave it, to be hashed by whoever keeps the record. */
  readonly caseId?: string;
  /** Milliseconds of this score, without its reasons. */
  readonly tookMs: number;
  readonly atMs: number;
}

import type { DataFault } from '#models/data-checks.ts';
import type { TrainingTable } from '#models/dataset.ts';
import type { Evaluation } from '#models/evaluate/evaluation.ts';
import type { ModelBundle, ModelFile } from '#models/model-file.ts';
import type { GateCheck, ModelKind } from '#prior-auth/learning-api.ts';
import { startThread } from '#threads/start-thread.ts';
import { RegistryError } from './registry-error.ts';

/** What the gate measures on: a table that reaches further than what the models were fitted to, and what its data tests found. */
export interface GateEvidence {
  readonly table: TrainingTable;
  readonly faults: readonly DataFault[];
}

/** Evidence for a model; one that learned from real decisions is measured on real ones only. Undefined: there is none. */
export type EvidenceFor = (file: ModelFile) => Promise<GateEvidence | undefined>;

/** The bounds of one kind of model. docs/decisions/model-gate.md gives the reason of each. */
export interface GateRules {
  /** Rows later than what either model was fitted to, and rows of each label among them. */
  readonly leastRows: number;
  readonly leastOfLabel: number;
  readonly leastArea: number;
  readonly mostCalibrationError: number;
  /** Greatest difference of true or of false positive rate between two levels of a group, as far as it is proven. */
  readonly mostSubgroupGap: number;
  /** Levels with fewer rows of the label are not compared. */
  readonly leastOfLevel: number;
  /** How much worse than the live model the interval of the difference may reach. */
  readonly areaMargin: number;
  readonly brierMargin: number;
  /** Milliseconds a score with its reasons, 99 of 100. */
  readonly mostLatencyMs: number;
}

const COMMON = { leastRows: 500, leastOfLabel: 50, leastOfLevel: 50, areaMargin: 0.01, brierMargin: 0.005, mostLatencyMs: 10 } as const;

export const GATE_RULES: Readonly<Record<ModelKind, GateRules>> = {
  'denial-risk': { ...COMMON, leastArea: 0.65, mostCalibrationError: 0.05, mostSubgroupGap: 0.2 },
  appeal: { ...COMMON, leastArea: 0.6, mostCalibrationError: 0.15, mostSubgroupGap: 0.3 },
};

export interface GateReport {
  readonly kind: ModelKind;
  readonly version: string;
  /** The live model it was compared with; null when there is none. */
  readonly against: string | null;
  readonly to: 'shadow' | 'canary' | 'live';
  readonly passed: boolean;
  /** True when the figures come from simulated decisions. */
  readonly simulated: boolean;
  readonly data: { readonly source: string; readonly rows: number; readonly from: string | null; readonly to: string | null };
  readonly rules: GateRules;
  readonly checks: readonly GateCheck[];
  /** On the same rows, with the subgroup table; null when they were too few or did not fit. */
  readonly evaluation: Evaluation | null;
}

export interface GateInput extends GateEvidence {
  readonly candidate: ModelBundle;
  readonly live: ModelBundle | undefined;
  readonly rules: GateRules;
}

export type GateOutcome = Pick<GateReport, 'data' | 'checks' | 'evaluation'>;

/** Measures in a thread of its own, so that no hook waits meanwhile. */
export function createGate(evidenceFor: EvidenceFor, rules = GATE_RULES) {
  return async (candidate: ModelBundle, live: ModelBundle | undefined, to: GateReport['to']): Promise<GateReport> => {
    const { kind, version } = candidate.file;
    const evidence = await evidenceFor(candidate.file);
    if (!evidence) {
      throw new RegistryError('MODEL_GATE_NO_DATA', 'There are no decided cases to measure the model on.', { nextStep: kind === 'appeal' ? 'Set APPEALS_FILE to the file of determinations.' : 'Wait until payers have decided more.' });
    }
    const { data, checks, evaluation } = await measureInThread({ ...evidence, candidate, live, rules: rules[kind] });
    return { kind, version, against: live?.file.version ?? null, to, passed: checks.every(({ passed }) => passed), simulated: evidence.table.simulated, data, rules: rules[kind], checks, evaluation };
  };
}

async function measureInThread(input: GateInput): Promise<GateOutcome> {
  const worker = startThread(new URL('./gate-thread.ts', import.meta.url), input);
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the gate’s thread ended with code ${code} and told nothing`)));
    });
  } finally {
    await worker.terminate();
  }
}

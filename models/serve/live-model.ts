import { createHash } from 'node:crypto';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { DenialRisk, DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import type { PastDecisions } from '#prior-auth/learning/past-decisions.ts';
import type { OpenForestSession } from './forest-session.ts';
import type { BundleBytes, ModelSource, PastDecisionsPort, ScoreRecord, Stages } from './model-source.ts';
import { openServedModel, type ServedModel } from './served-model.ts';
import { shadowScores } from './shadow-scores.ts';
import { type Watched, watchModel } from './watch-model.ts';

/** What is asked beside the facts of the order. */
export interface ScoreContext {
  /** Picks who is answered by a canary; the EHR's address stands for the clinic. */
  readonly clinicId?: string;
  /** Set for cases of ours; a score for CDS Hooks has none, and its row is not recorded. */
  readonly caseId?: string;
}

export interface DenialRiskModel {
  /** A calibrated probability with its strongest reasons. Throws MODEL_UNAVAILABLE when no model answers. */
  score(facts: DenialRiskFacts, context?: ScoreContext): Promise<DenialRisk>;
}

/** Versions that answer now. */
export interface ServedVersions {
  readonly live: string | null;
  readonly canary: { readonly version: string; readonly share: number } | null;
  readonly shadows: readonly string[];
}

export interface LiveModel extends DenialRiskModel {
  /** The calibrated probability alone. Throws as `score`. */
  probability(facts: DenialRiskFacts, context?: ScoreContext): Promise<number>;
  /** Of many rows in the order of the model's features, by the live model in a session with threads of its own. Throws as `score`. */
  probabilities(rows: readonly Float32Array[]): Promise<number[]>;
  served(): ServedVersions;
  /** Takes over what the source says now. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface LiveModelOptions {
  /** Serves where the source names none, and where what it names cannot be opened at the start. */
  readonly shipped: () => Promise<BundleBytes>;
  readonly source?: ModelSource | undefined;
  readonly history?: PastDecisionsPort | undefined;
  readonly now: () => number;
  /** Of each score and each shadow; must not take long. */
  readonly onScored?: ((record: ScoreRecord) => void) | undefined;
  /** A version that is not served and why, a source that does not answer, a score that failed. */
  readonly onFault: (error: unknown, about: { readonly what: 'open' | 'source' | 'history' | 'canary' | 'shadow' | 'record'; readonly version?: string }) => void;
  /** Longest wait for one score, milliseconds; later it is left out. Default 200: CDS Hooks wait 250. */
  readonly limitMs?: number;
  readonly openSession?: OpenForestSession;
}

interface Slot {
  readonly model: ServedModel;
  readonly watched: Watched;
  readonly bytes: BundleBytes;
}

interface Serving {
  readonly live: Slot | undefined;
  readonly canary: { readonly slot: Slot; readonly share: number } | undefined;
  readonly shadows: readonly Slot[];
}

const REST_MS = 10_000;
const OPEN_LIMIT_MS = 10_000;
const SOURCE_AGAIN_MS = 5_000;
const CLOSE_LIMIT_MS = 2_000;
const BATCH_THREADS = 2;

/** Serves whatever version is live. Another version takes over between two calls; those under way end with the one they began with. */
export async function createLiveModel(options: LiveModelOptions): Promise<LiveModel> {
  const { source, history, now, onFault, openSession, limitMs = 200 } = options;
  let serving: Serving = { live: undefined, canary: undefined, shadows: [] };
  let closed = false;
  const record = (score: ScoreRecord): void => {
    try {
      options.onScored?.(score);
    } catch (error) {
      onFault(error, { what: 'record', version: score.version });
    }
  };
  const shadows = shadowScores({ slots: () => serving.shadows, onScored: options.onScored && record, now, onFault: (error, version) => onFault(error, { what: 'shadow', version }) });

  const openSlot = async (bytes: BundleBytes, opened: readonly Slot[]): Promise<Slot | undefined> => {
    const known = opened.find(({ model }) => model.version === bytes.version);
    if (known) return known;
    try {
      const model = await openInTime(openServedModel(bytes, openSession ? { openSession } : {}));
      return { model, bytes, watched: watchModel({ limitMs, restMs: REST_MS, now }) };
    } catch (error) {
      onFault(error, { what: 'open', version: bytes.version });
      return undefined;
    }
  };
  const openShipped = async (opened: readonly Slot[]): Promise<Slot | undefined> => {
    try {
      return await openSlot(await options.shipped(), opened);
    } catch (error) {
      onFault(error, { what: 'open' });
      return undefined;
    }
  };
  const takeOver = async (stages: Stages): Promise<void> => {
    const before = slotsOf(serving);
    const live = (stages.live ? await openSlot(stages.live, before) : undefined) ?? (stages.live ? serving.live : undefined) ?? (await openShipped(before));
    const canary = stages.canary && (await openSlot(stages.canary.model, before));
    const beside: Slot[] = [];
    for (const bytes of stages.shadows) {
      const slot = await openSlot(bytes, before);
      if (slot) beside.push(slot);
    }
    serving = { live, canary: stages.canary && canary ? { slot: canary, share: stages.canary.share } : undefined, shadows: beside };
    const still = slotsOf(serving);
    for (const slot of before) if (!still.includes(slot)) void slot.model.close().catch((error: unknown) => onFault(error, { what: 'open', version: slot.model.version }));
  };

  let again: NodeJS.Timeout | undefined;
  const refreshOnce = async (): Promise<void> => {
    clearTimeout(again);
    if (closed) return;
    let stages: Stages = { live: null, canary: null, shadows: [] };
    try {
      if (source) stages = await source.current();
    } catch (error) {
      onFault(error, { what: 'source' });
      again = setTimeout(() => void refresh(), SOURCE_AGAIN_MS).unref();
      if (serving.live) return;
    }
    await takeOver(stages);
  };
  let refreshing = Promise.resolve();
  const refresh = (): Promise<void> => (refreshing = refreshing.then(refreshOnce, refreshOnce));

  const pastOf = (facts: DenialRiskFacts): PastDecisions | null => {
    try {
      return history?.past(facts) ?? null;
    } catch (error) {
      onFault(error, { what: 'history' });
      return null;
    }
  };
  const askSlot = async <T>(slot: Slot, stage: 'live' | 'canary', facts: DenialRiskFacts, past: PastDecisions | null, { caseId }: ScoreContext, ask: Ask<T>): Promise<T> => {
    const row = slot.model.rowOf(facts, past);
    const startedAt = performance.now();
    const { answer, probability } = await slot.watched.run(() => ask(slot.model, row, past));
    const shown: ScoreRecord = {
      version: slot.model.version, stage, shownVersion: slot.model.version, probability, shownProbability: probability, tookMs: performance.now() - startedAt, atMs: now(), ...(caseId === undefined ? {} : { caseId, row }),
    };
    record(shown);
    shadows.beside(shown, facts, past);
    return answer;
  };
  const answer = async <T>(facts: DenialRiskFacts, context: ScoreContext, ask: Ask<T>): Promise<T> => {
    const past = pastOf(facts);
    const { canary } = serving;
    if (canary && context.clinicId !== undefined && isInShare(context.clinicId, canary.slot.model.version, canary.share)) {
      try {
        return await askSlot(canary.slot, 'canary', facts, past, context, ask);
      } catch (error) {
        onFault(error, { what: 'canary', version: canary.slot.model.version });
      }
    }
    const { live } = serving;
    if (!live) throw unavailable();
    return askSlot(live, 'live', facts, past, context, ask);
  };

  let batch: { readonly of: Slot; readonly model: Promise<ServedModel> } | undefined;
  const batchOf = (slot: Slot): Promise<ServedModel> => {
    if (batch?.of !== slot) {
      void batch?.model.then((model) => model.close(), () => undefined);
      batch = { of: slot, model: openServedModel(slot.bytes, { threads: BATCH_THREADS, ...(openSession ? { openSession } : {}) }) };
    }
    return batch.model;
  };

  await refresh();
  const stopListening = source?.onChange(() => void refresh());
  return {
    score: (facts, context = {}) => answer(facts, context, async (model, row, past) => {
      const risk = await model.score(row, facts, past);
      return { answer: risk, probability: risk.probability };
    }),
    probability: (facts, context = {}) => answer(facts, context, async (model, row) => {
      const [probability = Number.NaN] = await model.probabilities([row]);
      return { answer: probability, probability };
    }),
    async probabilities(rows) {
      if (!serving.live) throw unavailable();
      return (await batchOf(serving.live)).probabilities(rows);
    },
    served: () => ({
      live: serving.live?.model.version ?? null,
      canary: serving.canary ? { version: serving.canary.slot.model.version, share: serving.canary.share } : null,
      shadows: serving.shadows.map(({ model }) => model.version),
    }),
    refresh,
    async close() {
      closed = true;
      clearTimeout(again);
      stopListening?.();
      await refreshing;
      const open = slotsOf(serving).map(({ model }) => model);
      serving = { live: undefined, canary: undefined, shadows: [] };
      const last = await batch?.model.catch(() => undefined);
      await Promise.race([Promise.all([...open, ...(last ? [last] : [])].map((model) => model.close())), new Promise((resolve) => setTimeout(resolve, CLOSE_LIMIT_MS).unref())]);
    },
  };
}

type Ask<T> = (model: ServedModel, row: Float32Array, past: PastDecisions | null) => Promise<{ readonly answer: T; readonly probability: number }>;

function unavailable(): PriorAuthError {
  return new PriorAuthError('MODEL_UNAVAILABLE', 'No denial-risk model is being served.', { nextStep: 'Restore models/denial-risk.onnx and .json, or promote a model that can be opened.' });
}

function slotsOf({ live, canary, shadows }: Serving): Slot[] {
  return [...new Set([...(live ? [live] : []), ...(canary ? [canary.slot] : []), ...shadows])];
}

/** The same clinics as long as the version is the canary; a larger share adds to them. */
function isInShare(clinicId: string, version: string, share: number): boolean {
  return createHash('sha256').update(`${version} ${clinicId}`).digest().readUInt32BE(0) / 2 ** 32 < share;
}

/** A model that opens too late is closed again. */
async function openInTime(opening: Promise<ServedModel>): Promise<ServedModel> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new PriorAuthError('MODEL_UNAVAILABLE', `The model did not open within ${OPEN_LIMIT_MS} ms.`));
      opening.then((model) => model.close(), () => undefined);
    }, OPEN_LIMIT_MS);
  });
  return Promise.race([opening, tooLate]).finally(() => clearTimeout(timer));
}

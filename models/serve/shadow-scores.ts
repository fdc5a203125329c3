import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import type { PastDecisions } from '#prior-auth/learning/past-decisions.ts';
import type { ScoreRecord } from './model-source.ts';
import type { ServedModel } from './served-model.ts';
import type { Watched } from './watch-model.ts';

export interface ShadowScores {
  /** Scores the same order with every shadow, after the answer and never in its way. */
  beside(shown: ScoreRecord, facts: DenialRiskFacts, past: PastDecisions | null): void;
}

/** Orders that wait for the shadows; when more come, the shadows miss them. */
const MOST_WAITING = 64;

export function shadowScores({ slots, onScored, onFault, now }: {
  readonly slots: () => readonly { readonly model: ServedModel; readonly watched: Watched }[];
  readonly onScored: ((record: ScoreRecord) => void) | undefined;
  readonly onFault: (error: unknown, version: string) => void;
  readonly now: () => number;
}): ShadowScores {
  const waiting: (() => Promise<void>)[] = [];
  let working = false;

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await next();
      await new Promise((resolve) => setImmediate(resolve));
    }
    working = false;
  };
  return {
    beside(shown, facts, past) {
      if (!onScored || slots().length === 0 || waiting.length >= MOST_WAITING) return;
      waiting.push(async () => {
        for (const { model, watched } of slots()) {
          try {
            const row = model.rowOf(facts, past);
            const startedAt = performance.now();
            const [probability = Number.NaN] = await watched.run(() => model.probabilities([row]));
            onScored({ ...shown, version: model.version, stage: 'shadow', probability, tookMs: performance.now() - startedAt, atMs: now(), ...(shown.row ? { row } : {}) });
          } catch (error) {
            onFault(error, model.version);
          }
        }
      });
      if (working) return;
      working = true;
      setImmediate(() => void work());
    },
  };
}

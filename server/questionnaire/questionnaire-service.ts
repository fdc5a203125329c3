import type { Logger } from 'pino';
import type { Store } from '#store/database.ts';
import { openElmCache } from './cql/elm-cache.ts';
import { createWorkerPool, type PoolOptions } from './cql/worker-pool.ts';
import { populate } from './populate.ts';
import type { PopulateInput, Population } from './population.ts';

export interface QuestionnaireServiceOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Of one of a payer's expressions: 4 s, 256 MB, two workers; of reading one part of the record: 10 s. */
  readonly limits?: Partial<PoolOptions & { readonly readLimitMs: number }>;
}

export interface QuestionnaireService {
  /** What the payer's form or the record lacks is in `warnings`; throws only when the EHR session has expired. */
  populate(input: PopulateInput): Promise<Population>;
  /** Starts the worker and loads its models, so that the first form is as quick as the next. */
  warmUp(): Promise<void>;
  stop(): Promise<void>;
}

/** A hostile form keeps one worker busy; a second one goes on meanwhile. It starts when it is first needed. */
const LIMITS: PoolOptions & { readonly readLimitMs: number } = { size: 2, timeLimitMs: 4_000, memoryLimitMb: 256, readLimitMs: 10_000 };

export async function createQuestionnaireService({ store, log, now, limits }: QuestionnaireServiceOptions): Promise<QuestionnaireService> {
  const cache = await openElmCache(store);
  const { readLimitMs, ...poolLimits } = { ...LIMITS, ...limits };
  const pool = createWorkerPool(poolLimits);
  return {
    async populate(input) {
      const started = now();
      const population = await populate(input, { pool, cache, now, readLimitMs });
      log.info(
        { questionnaire: input.package.canonical, filled: Object.values(population.values).filter(({ values }) => values.length > 0).length, failures: population.failures.map(({ kind, linkId }) => ({ kind, linkId })), cqlMode: population.cqlMode, ms: now() - started },
        'questionnaire populated',
      );
      return population;
    },
    async warmUp() {
      await pool.run({ kind: 'warm-up' });
    },
    stop: () => pool.stop(),
  };
}

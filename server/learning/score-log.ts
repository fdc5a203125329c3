import { createHmac, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { ScoreRecord } from '#models/serve/model-source.ts';
import type { ModelKind } from '#prior-auth/learning-api.ts';
import type { Store } from '#store/database.ts';
import type { MonitoringTables } from './monitoring-tables.ts';

/** What monitoring keeps of scores: feature values, score, version, a keyed hash of the case, time. */
export interface ScoreLog {
  /** Never waits and never throws; a score without its row or case (a CDS Hooks call) is not kept. */
  readonly record: (score: ScoreRecord) => void;
  readonly caseKey: (caseId: string) => string;
  flush(): Promise<void>;
  /** Takes out what is older than it may be kept. */
  prune(): Promise<void>;
  stop(): Promise<void>;
}

export interface ScoreLogOptions {
  readonly store: Store;
  readonly kind: ModelKind;
  readonly log: Logger;
  readonly now: () => number;
  readonly retentionDays: number;
}

const FLUSH_MS = 500;
const BATCH_ROWS = 200;
/** While the store does not take them, older scores give way to newer ones. */
const MOST_WAITING = 10_000;

/** The tables must be there. */
export async function openScoreLog({ store, kind, log, now, retentionDays }: ScoreLogOptions): Promise<ScoreLog> {
  const db = store.db.withTables<MonitoringTables>();
  await db.insertInto('monitoring.key').values({ id: 1, secret: randomBytes(32).toString('hex') }).onConflict((conflict) => conflict.doNothing()).execute();
  const { secret } = await db.selectFrom('monitoring.key').select('secret').where('id', '=', 1).executeTakeFirstOrThrow();
  const caseKey = (caseId: string): string => createHmac('sha256', secret).update(caseId).digest('hex');
  let waiting: ScoreRecord[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const taken = waiting.slice(0, BATCH_ROWS);
      waiting = waiting.slice(BATCH_ROWS);
      // One statement may touch a row only once: the last score of a case is the one that counts.
      const rows = new Map(taken.flatMap(({ version, row, caseId, probability, tookMs, atMs }) => {
        if (row === undefined || caseId === undefined) return [];
        const key = caseKey(caseId);
        const features = JSON.stringify(Array.from(row, (value) => (Number.isNaN(value) ? null : value)));
        return [[`${version} ${key}`, { version, case_key: key, kind, features, probability, took_ms: tookMs, scored_at: new Date(atMs).toISOString() }] as const];
      }));
      try {
        await db
          .insertInto('monitoring.score')
          .values([...rows.values()])
          .onConflict((conflict) =>
            conflict
              .columns(['version', 'case_key'])
              .doUpdateSet({ features: sql`excluded.features`, probability: sql`excluded.probability`, took_ms: sql`excluded.took_ms`, scored_at: sql`excluded.scored_at` })
              .where(sql<boolean>`excluded.scored_at >= monitoring.score.scored_at`),
          )
          .execute();
      } catch (error) {
        waiting = [...taken, ...waiting].slice(-MOST_WAITING);
        throw error;
      }
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write).catch((error: unknown) => log.warn({ err: error, waiting: waiting.length }, 'scores for monitoring wait: the store refused them'));
    return writing;
  };
  return {
    record(score) {
      if (score.row === undefined || score.caseId === undefined) return;
      waiting.push(score);
      if (waiting.length > MOST_WAITING) waiting.shift();
      timer ??= setTimeout(() => void flush(), FLUSH_MS).unref();
    },
    caseKey,
    flush,
    async prune() {
      await db.deleteFrom('monitoring.score').where('scored_at', '<', sql<Date>`${new Date(now() - retentionDays * 86_400_000).toISOString()}::timestamptz`).execute();
    },
    stop: flush,
  };
}

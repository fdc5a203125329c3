import { createHmac, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { ScoreRecord } from '#models/serve/model-source.ts';
import type { ModelKind } from '#prior-auth/learning-api.ts';
import type { Store } from '#store/database.ts';
import { createWriteBehind } from '#store/write-behind.ts';
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
  let timer: NodeJS.Timeout | undefined;
  const unwritten = createWriteBehind<ScoreRecord>({
    batchSize: BATCH_ROWS,
    mostWaiting: MOST_WAITING,
    async write(batch) {
      // One statement may touch a row only once: the last score of a case is the one that counts.
      const rows = new Map(batch.flatMap(({ version, row, caseId, probability, tookMs, atMs }) => {
        if (row === undefined || caseId === undefined) return [];
        const key = caseKey(caseId);
        const features = JSON.stringify(Array.from(row, (value) => (Number.isNaN(value) ? null : value)));
        return [[`${version} ${key}`, { version, case_key: key, kind, features, probability, took_ms: tookMs, scored_at: new Date(atMs).toISOString() }] as const];
      }));
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
    },
  });
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    return unwritten.flush().catch((error: unknown) => log.warn({ err: error, waiting: unwritten.size() }, 'scores for monitoring wait: the store refused them'));
  };
  return {
    record(score) {
      if (score.row === undefined || score.caseId === undefined) return;
      unwritten.add(score);
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

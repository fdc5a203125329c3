import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { createWriteBehind } from '#store/write-behind.ts';
import { packText, unpackText } from '../packed-text.ts';
import type { CdsTables } from '../tables.ts';
import type { CrdMetricData } from './crd-metric-data.ts';

export interface MetricLog {
  /** Buffered; the hot path does not wait. If the store stays away, the oldest beyond 64 MiB are given up. */
  record(row: CrdMetricData): void;
  /** Writes what waits; about once an hour also drops what is older than `retentionDays`. */
  flush(): Promise<void>;
  /** Rows that are not written yet. */
  waiting(): number;
}

/** In characters of JSON, as are the batches: a call about many orders leaves a row many times as large as one about none. */
const MAX_WAITING = 64 * 1_048_576;
const BATCH = 524_288;
const PRUNE_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

interface WaitingRow {
  readonly requestTime: string;
  readonly line: string;
}

export function openMetricLog(store: Store, now: () => number, retentionDays: number): MetricLog {
  const db = store.db.withTables<CdsTables>();
  let prunedAt = Number.NEGATIVE_INFINITY;
  const unwritten = createWriteBehind<WaitingRow>({
    sizeOf: ({ line }) => line.length,
    batchSize: BATCH,
    mostWaiting: MAX_WAITING,
    newId: () => uuidv7(now()),
    async write(batch, id) {
      const content = await packText(batch.map(({ line }) => line).join(''));
      const times = batch.map(({ requestTime }) => requestTime).sort();
      await db.insertInto('cds.metric_batch').values({ id, first_at: times[0] ?? '', last_at: times.at(-1) ?? '', content }).onConflict((conflict) => conflict.column('id').doNothing()).execute();
    },
  });
  return {
    waiting: () => unwritten.count(),
    record: (row) => unwritten.add({ requestTime: row.requestTime, line: `${JSON.stringify(row)}\n` }),
    async flush() {
      await unwritten.flush();
      if (now() - prunedAt < PRUNE_EVERY_MS) return;
      prunedAt = now();
      await db.deleteFrom('cds.metric_batch').where('last_at', '<', new Date(now() - retentionDays * DAY_MS).toISOString()).execute();
    },
  };
}

/** Rows of calls that came from `from` on and before `to` (instants), as lines of NDJSON, batch by batch. */
export async function* exportMetrics(store: Store, from: Date, to: Date): AsyncGenerator<string> {
  const db = store.db.withTables<CdsTables>();
  const batches = await db.selectFrom('cds.metric_batch').select('id').where('last_at', '>=', from.toISOString()).where('first_at', '<', to.toISOString()).orderBy('first_at').execute();
  for (const { id } of batches) {
    const { content } = await db.selectFrom('cds.metric_batch').select('content').where('id', '=', id).executeTakeFirstOrThrow();
    for (const line of (await unpackText(content)).split('\n')) {
      if (line === '') continue;
      const at = Date.parse((JSON.parse(line) as CrdMetricData).requestTime);
      if (at >= from.getTime() && at < to.getTime()) yield `${line}\n`;
    }
  }
}

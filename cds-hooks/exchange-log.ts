import { sql } from 'kysely';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { createWriteBehind } from '#store/write-behind.ts';
import { packText, unpackText } from './packed-text.ts';
import type { CdsTables } from './tables.ts';

/** One call and its answer, as CRD asks both sides to keep them. The access token is cut out; the client's JWT was never in the body. */
export interface Exchange {
  readonly at: string;
  readonly client: string;
  readonly hookInstance: string;
  readonly status: number;
  readonly request: string;
  readonly answer: string;
}

/** Kept for disputes only, see docs/decisions/hook-data-kept.md: nothing that learns may read it. */
export interface ExchangeLog {
  /** Buffered; the hot path does not wait. A full batch is written at once, the rest at the next flush. If the store stays away, the oldest beyond 64 MiB are given up. */
  record(exchange: Exchange): void;
  /** Every kept exchange of a hook firing. */
  find(hookInstance: string): Promise<readonly Exchange[]>;
  flush(): Promise<void>;
  /** Exchanges that are not written yet. */
  waiting(): number;
}

const MAX_WAITING_BYTES = 64 * 1_048_576;
/** What one statement writes, before compression. What waits stays text: as bytes outside the heap it would call for a collection of the whole heap again and again. */
const BATCH_BYTES = 524_288;
const PRUNE_EVERY_MS = 60_000;

/** `onError` hears of a batch that could not be written when it was full; it waits for the next flush. */
export function openExchangeLog(store: Store, now: () => number, retentionDays: number, onError: (error: unknown) => void): ExchangeLog {
  const db = store.db.withTables<CdsTables>();
  /** A full batch need not wait for the flush: nothing is being written, and the store took what it was given last. */
  let atOnce = true;
  let prunedMs = 0;
  const unwritten = createWriteBehind<Exchange>({
    sizeOf: ({ request, answer }) => request.length + answer.length,
    batchSize: BATCH_BYTES,
    mostWaiting: MAX_WAITING_BYTES,
    newId: () => uuidv7(now()),
    async write(batch, id) {
      const [first_at = '', last_at = ''] = [batch[0]?.at, batch.at(-1)?.at];
      const content = await packText(batch.map(toRecord).join(''));
      const hook_instances = JSON.stringify(batch.map((exchange) => exchange.hookInstance));
      const expires_at = new Date(now() + retentionDays * 86_400_000).toISOString();
      await db.insertInto('cds.exchange_batch').values({ id, first_at, last_at, expires_at, hook_instances, content }).onConflict((conflict) => conflict.column('id').doNothing()).execute();
      if (now() - prunedMs < PRUNE_EVERY_MS) return;
      prunedMs = now();
      await db.deleteFrom('cds.exchange_batch').where('expires_at', '<', new Date(prunedMs).toISOString()).execute();
    },
  });
  const flush = async (): Promise<void> => {
    await unwritten.flush();
    atOnce = true;
  };
  return {
    record(exchange) {
      unwritten.add(exchange);
      if (!atOnce || unwritten.size() < BATCH_BYTES) return;
      atOnce = false;
      flush().catch(onError);
    },
    async find(hookInstance) {
      await flush();
      const batches = await db.selectFrom('cds.exchange_batch').select('content').where(sql<boolean>`hook_instances @> ${JSON.stringify([hookInstance])}::jsonb`).orderBy('first_at').execute();
      const texts = await Promise.all(batches.map(({ content }) => unpackText(content)));
      return texts.flatMap(readRecords).filter((exchange) => exchange.hookInstance === hookInstance);
    },
    flush,
    waiting: () => unwritten.count(),
  };
}

/** A line of facts with the lengths of the two texts, then the texts as they were: nothing is escaped, so little is spent. */
function toRecord({ request, answer, ...facts }: Exchange): string {
  return `${JSON.stringify({ ...facts, lengths: [request.length, answer.length] })}\n${request}${answer}`;
}

function readRecords(text: string): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  for (let at = 0; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at);
    const { lengths, ...facts } = JSON.parse(text.slice(at, lineEnd)) as Omit<Exchange, 'request' | 'answer'> & { readonly lengths: readonly [number, number] };
    const requestEnd = lineEnd + 1 + lengths[0];
    at = requestEnd + lengths[1];
    exchanges.push({ ...facts, request: text.slice(lineEnd + 1, requestEnd), answer: text.slice(requestEnd, at) });
  }
  return exchanges;
}

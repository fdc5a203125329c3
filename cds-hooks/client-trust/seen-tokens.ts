import { type Kysely, sql } from 'kysely';
import type { Store } from '#store/database.ts';
import type { CdsTables } from '../tables.ts';

/**
 * `first`: no process has seen it. `seen`: it was used before. `unchecked`: not by this process; the store that the processes share did not answer in time.
 */
export type TokenUse = 'first' | 'seen' | 'unchecked';

/** Which JWTs were used, across processes and restarts. */
export interface SeenTokens {
  /** Never rejects, and answers within the deadline. `expiresAt` is in epoch seconds. */
  use(issuer: string, jti: string, expiresAt: number): Promise<TokenUse>;
  /** Forgets what has expired. */
  flush(): Promise<void>;
}

interface Waiting {
  readonly row: CdsTables['cds.seen_token'];
  readonly answer: (use: TokenUse) => void;
}

const DEADLINE_MS = 150;
/** After a failure the store is not waited for during this long; uses are still written as soon as it is back. */
const REST_MS = 1_000;
const MAX_BATCH = 500;
const MAX_WAITING = 20_000;
/** A token that has expired by the clock of the process that removes its row may be good by the clock of another one. */
const CLOCKS_DIFFER_MS = 300_000;

/**
 * The unique key (issuer, jti) decides. Tokens that come while a statement runs go into the next one together, so a busy process writes once for many calls;
 * a token that this process has seen is refused without asking.
 */
export async function openSeenTokens(store: Store, now: () => number, onError: (error: unknown) => void, deadlineMs = DEADLINE_MS): Promise<SeenTokens> {
  const db = store.db.withTables<CdsTables>();
  const keyOf = (issuer: string, jti: string): string => `${issuer} ${jti}`;
  const seen = new Map<string, number>();
  let waiting: Waiting[] = [];
  let writing = false;
  let awayUntil = 0;

  const write = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0 && performance.now() >= awayUntil) {
      // The newest first: their callers wait, those of a backlog do not.
      const batch = waiting.splice(-MAX_BATCH);
      try {
        const written = await insertAll(db, batch.map(({ row }) => row));
        const first = new Set(written.map(({ issuer, jti }) => keyOf(issuer, jti)));
        for (const { row, answer } of batch) answer(first.has(keyOf(row.issuer, row.jti)) ? 'first' : 'seen');
      } catch (error) {
        awayUntil = performance.now() + REST_MS;
        for (const { answer } of batch) answer('unchecked');
        waiting = [...waiting, ...batch].slice(-MAX_WAITING);
        onError(error);
      }
    }
    writing = false;
  };
  return {
    use(issuer, jti, expiresAt) {
      const key = keyOf(issuer, jti);
      if ((seen.get(key) ?? 0) > now() / 1000) return Promise.resolve('seen');
      seen.set(key, expiresAt);
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          awayUntil = performance.now() + REST_MS;
          resolve('unchecked');
        }, deadlineMs);
        waiting.push({ row: { issuer, jti, expires_at: new Date(expiresAt * 1000).toISOString() }, answer: (use) => { clearTimeout(timer); resolve(use); } });
        if (performance.now() < awayUntil) {
          clearTimeout(timer);
          resolve('unchecked');
        } else if (!writing) {
          void write();
        }
      });
    },
    async flush() {
      const nowMs = now();
      for (const [key, expiresAt] of seen) if (expiresAt * 1000 <= nowMs) seen.delete(key);
      waiting = waiting.filter(({ row }) => Date.parse(row.expires_at) > nowMs).slice(-MAX_WAITING);
      if (!writing && waiting.length > 0) await write();
      await db.deleteFrom('cds.seen_token').where('expires_at', '<=', new Date(nowMs - CLOCKS_DIFFER_MS).toISOString()).execute();
    },
  };
}

/** Rows that were not there before. All in one parameter: the statement is the same however many calls it is for. */
async function insertAll(db: Kysely<CdsTables>, rows: readonly CdsTables['cds.seen_token'][]): Promise<readonly Pick<CdsTables['cds.seen_token'], 'issuer' | 'jti'>[]> {
  const { rows: written } = await sql<Pick<CdsTables['cds.seen_token'], 'issuer' | 'jti'>>`insert into cds.seen_token (issuer, jti, expires_at)
    select issuer, jti, expires_at from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (issuer text, jti text, expires_at timestamptz) on conflict do nothing returning issuer, jti`.execute(db);
  return written;
}

import type { Store } from '#store/database.ts';
import type { CdsTables } from './tables.ts';

/** Which JWTs were used. Held in memory and written to the store in batches, so that a restart does not open a window for replays. */
export interface SeenTokens {
  /** False when issuer and jti were seen before and have not expired. `expiresAt` is in epoch seconds. */
  firstTime(issuer: string, jti: string, expiresAt: number): boolean;
  flush(): Promise<void>;
}

export async function openSeenTokens(store: Store, now: () => number): Promise<SeenTokens> {
  const db = store.db.withTables<CdsTables>();
  const keyOf = (issuer: string, jti: string): string => `${issuer} ${jti}`;
  const rows = await db.selectFrom('cds.seen_token').selectAll().where('expires_at', '>', new Date(now()).toISOString()).execute();
  const seen = new Map(rows.map((row) => [keyOf(row.issuer, row.jti), Date.parse(new Date(row.expires_at).toISOString()) / 1000]));
  let waiting: CdsTables['cds.seen_token'][] = [];
  return {
    firstTime(issuer, jti, expiresAt) {
      const key = keyOf(issuer, jti);
      if (jti === '' || (seen.get(key) ?? 0) > now() / 1000) return false;
      seen.set(key, expiresAt);
      waiting.push({ issuer, jti, expires_at: new Date(expiresAt * 1000).toISOString() });
      return true;
    },
    async flush() {
      const batch = waiting;
      waiting = [];
      const cutoff = now();
      for (const [key, expiresAt] of seen) if (expiresAt * 1000 <= cutoff) seen.delete(key);
      if (batch.length === 0) return;
      try {
        await db.insertInto('cds.seen_token').values(batch).onConflict((conflict) => conflict.doNothing()).execute();
        await db.deleteFrom('cds.seen_token').where('expires_at', '<=', new Date(cutoff).toISOString()).execute();
      } catch (error) {
        waiting = [...batch, ...waiting];
        throw error;
      }
    },
  };
}

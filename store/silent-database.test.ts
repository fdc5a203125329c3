import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { openOverNetwork, type SilentNetwork } from '#test-fixtures/silent-network.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import type { Store } from './database.ts';

const LIMIT_MS = 400;
let behind: Store;
let network: SilentNetwork;
let store: Store;

/** False: the embedded engine has no network that can fall silent. */
async function open(): Promise<boolean> {
  behind = await openTestStore();
  if (behind.engine !== 'postgresql') return false;
  ({ network, over: store } = await openOverNetwork(behind, LIMIT_MS));
  return true;
}

afterEach(async () => {
  if (behind.engine === 'postgresql') {
    await store.close();
    await network.close();
  }
  await behind.close();
});

const one = () => sql<{ one: number }>`select 1 as one`.execute(store.db).then(({ rows }) => rows[0]?.one);
const took = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

describe('(PostgreSQL) connections that fall silent', () => {
  it('are given up and replaced, however many they are', async (context) => {
    if (!(await open())) return context.skip('the embedded engine has no connection');
    const all = Array.from({ length: 16 });
    await Promise.all(all.map(() => sql`select pg_sleep(0.1)`.execute(store.db)));
    network.silence();
    const failed = await Promise.all(all.map(() => one().catch((error: unknown) => error)));
    for (const error of failed) expect(error).toMatchObject({ code: 'STORE_SILENT' });
    expect(await one()).toBe(1);
    expect(store.pool?.totalCount).toBe(1);
  });

  it('fail a transaction at once, and the next one has another connection', async (context) => {
    if (!(await open())) return context.skip('the embedded engine has no connection');
    await sql`create table n (i integer)`.execute(store.db);
    const lost = store.transaction(async (trx) => {
      await sql`insert into n values (1)`.execute(trx);
      network.silence();
      await sql`insert into n values (2)`.execute(trx);
    });
    expect(await took(() => expect(lost).rejects.toMatchObject({ code: 'STORE_SILENT' }))).toBeLessThan(2 * LIMIT_MS);
    await store.transaction((trx) => sql`insert into n values (3)`.execute(trx));
    expect((await sql`select i from n`.execute(store.db)).rows).toEqual([{ i: 3 }]);
  });

  it('do not keep the store from being closed', async (context) => {
    if (!(await open())) return context.skip('the embedded engine has no connection');
    await Promise.all([1, 2, 3].map(() => sql`select pg_sleep(0.1)`.execute(store.db)));
    network.silence();
    const unlimited = sql`select 1`.execute(store.answeringWithin(undefined).db).catch(() => 'lost');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await took(() => store.close())).toBeLessThan(3_000);
    expect(await unlimited).toBe('lost');
  });

  it('are told from long statements by the time that these may take', async (context) => {
    if (!(await open())) return context.skip('the embedded engine has no connection');
    const long = () => sql`select pg_sleep(${(LIMIT_MS * 1.5) / 1000})`;
    await expect(long().execute(store.db)).rejects.toMatchObject({ code: 'STORE_SILENT' });
    await long().execute(store.answeringWithin(LIMIT_MS * 5).db);
    await store.answeringWithin(undefined).transaction((trx) => long().execute(trx));
  });

  it('are not those whose answer came while the process was busy', async (context) => {
    if (!(await open())) return context.skip('the embedded engine has no connection');
    const { db } = behind.answeringWithin(LIMIT_MS);
    await sql`select 1`.execute(db);
    const asked = sql`select 2 as two`.execute(db);
    await new Promise((resolve) => setImmediate(resolve));
    for (const until = performance.now() + LIMIT_MS * 1.5; performance.now() < until; );
    expect((await asked).rows).toEqual([{ two: 2 }]);
  });
});

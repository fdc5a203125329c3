import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { type CdsTables, migrations } from '../tables.ts';
import { openSeenTokens } from './seen-tokens.ts';

const ISSUER = 'https://ehr.example';
const NOW = Date.parse('2026-11-22T10:00:00Z');
const SECONDS = NOW / 1000;
const MINUTE = 60_000;
let store: Store;
beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cds', migrations);
});
afterAll(() => store.close());

const at = (nowMs: number) => openSeenTokens(store, () => nowMs, (error) => expect.fail(String(error)), 10_000);

it('a token is used once though the clock of a process that forgets is ahead', async () => {
  expect(await (await at(NOW)).use(ISSUER, 'once', SECONDS + 15)).toBe('first');
  for (const ahead of [20_000, MINUTE, 5 * MINUTE]) await (await at(NOW + ahead)).flush();
  expect(await (await at(NOW)).use(ISSUER, 'once', SECONDS + 15)).toBe('seen');
});

it('a token is forgotten when no clock takes it any more', async () => {
  await (await at(NOW)).use(ISSUER, 'old', SECONDS);
  await (await at(NOW + 6 * MINUTE)).flush();
  expect(await store.db.withTables<CdsTables>().selectFrom('cds.seen_token').select('jti').where('jti', '=', 'old').execute()).toEqual([]);
});

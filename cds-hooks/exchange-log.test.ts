import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { openOverNetwork } from '#test-fixtures/silent-network.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { type Exchange, openExchangeLog } from './exchange-log.ts';
import { type CdsTables, migrations } from './tables.ts';

let store: Store;
beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cds', migrations);
});
afterAll(() => store.close());

const at = (hookInstance: string, more: Partial<Exchange> = {}): Exchange => ({ at: '2026-11-22T10:00:00.000Z', client: 'https://ehr.example', hookInstance, status: 200, request: '{"a":1}', answer: '{"cards":[]}', ...more });
const fail = (error: unknown): never => {
  throw error;
};
const batches = async () => (await store.db.withTables<CdsTables>().selectFrom('cds.exchange_batch').select('id').execute()).length;

it('gives back call and answer letter for letter, whatever characters they have', async () => {
  const log = openExchangeLog(store, Date.now, 90, fail);
  const exchanges = ['Zoë\n\nŁódź', '\u0000 \ud83e\ude7a “quoted”', ''].map((text) => at('one-firing', { request: JSON.stringify({ text }), answer: text }));
  for (const exchange of exchanges) log.record(exchange);
  log.record(at('another'));
  expect(await log.find('one-firing')).toEqual(exchanges);
});

it('writes at a flush what waited for it, and not a few at a time what comes meanwhile', async () => {
  const log = openExchangeLog(store, Date.now, 90, fail);
  const before = await batches();
  log.record(at('first'));
  const coming = setInterval(() => log.record(at('later')), 1);
  const flushed = log.flush();
  await new Promise((resolve) => setImmediate(resolve));
  log.record(at('later'));
  await flushed;
  clearInterval(coming);
  expect(await batches()).toBe(before + 1);
  expect((await log.find('later')).length).toBeGreaterThan(0);
  expect(await batches()).toBe(before + 2);
});

it('writes much in several statements, the first as soon as it is full', async () => {
  const log = openExchangeLog(store, Date.now, 90, fail);
  const before = await batches();
  for (let i = 0; i < 2; i += 1) log.record(at('large', { request: 'x'.repeat(400_000) }));
  await expect.poll(batches).toBe(before + 1);
  for (let i = 0; i < 5; i += 1) log.record(at('large', { request: 'x'.repeat(400_000) }));
  await log.flush();
  expect(await log.find('large')).toHaveLength(7);
});

it('waits for the next flush with a full batch when the store has failed, and loses nothing', async () => {
  const other = await openTestStore();
  await migratePart(other, 'cds', migrations);
  const faults: unknown[] = [];
  const log = openExchangeLog(other, Date.now, 90, (error) => faults.push(error));
  await sql`alter table cds.exchange_batch rename to moved`.execute(other.db);
  for (let i = 0; i < 6; i += 1) {
    log.record(at('large', { request: 'x'.repeat(400_000) }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await expect(log.flush()).rejects.toThrow('exchange_batch');
  expect(faults).toHaveLength(1);
  await sql`alter table cds.moved rename to exchange_batch`.execute(other.db);
  expect(await log.find('large')).toHaveLength(6);
  await other.close();
});

it('(PostgreSQL) keeps once what was written without our hearing of it, though more came meanwhile', async (context) => {
  if (store.engine !== 'postgresql') return context.skip('the embedded engine loses no answer');
  const { network, over } = await openOverNetwork(store);
  const log = openExchangeLog(over, Date.now, 90, fail);
  const lost = network.loseAnswerTo('"cds"."exchange_batch"');
  log.record(at('told-once', { request: '1' }));
  await expect(log.flush()).rejects.toThrow(/terminated|ECONNRESET/);
  await lost;
  log.record(at('told-once', { request: '2' }));
  expect((await log.find('told-once')).map(({ request }) => request)).toEqual(['1', '2']);
  await over.close();
  await network.close();
});

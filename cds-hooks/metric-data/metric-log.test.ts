import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { openOverNetwork } from '#test-fixtures/silent-network.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { type CdsTables, migrations } from '../tables.ts';
import type { CrdMetricData } from './crd-metric-data.ts';
import { exportMetrics, openMetricLog } from './metric-log.ts';

const DAY = 86_400_000;
let store: Store;
beforeAll(async () => {
  store = await openTestStore();
  await migratePart(store, 'cds', migrations);
});
afterAll(() => store.close());

it('keeps rows for their time and drops them after it', async () => {
  let nowMs = Date.parse('2026-11-22T10:00:00Z');
  const log = openMetricLog(store, () => nowMs, 30);
  const rowAt = (ms: number) => ({ requestTime: new Date(ms).toISOString() }) as CrdMetricData;
  const kept = async () => {
    const lines: string[] = [];
    for await (const line of exportMetrics(store, new Date(0), new Date(nowMs + DAY))) lines.push((JSON.parse(line) as CrdMetricData).requestTime.slice(0, 10));
    return lines;
  };
  log.record(rowAt(nowMs));
  await log.flush();
  nowMs += 29 * DAY;
  log.record(rowAt(nowMs));
  await log.flush();
  expect(await kept()).toEqual(['2026-11-22', '2026-12-21']);
  nowMs += 2 * DAY;
  await log.flush();
  expect(await kept()).toEqual(['2026-12-21']);
});

it('writes at a flush what waited for it, and not a few at a time what comes meanwhile', async () => {
  const log = openMetricLog(store, Date.now, 30);
  const batches = async () => (await store.db.withTables<CdsTables>().selectFrom('cds.metric_batch').select('id').execute()).length;
  const before = await batches();
  const row = { requestTime: new Date().toISOString() } as CrdMetricData;
  log.record(row);
  const coming = setInterval(() => log.record(row), 1);
  const flushed = log.flush();
  await new Promise((resolve) => setImmediate(resolve));
  log.record(row);
  await flushed;
  clearInterval(coming);
  expect(await batches()).toBe(before + 1);
  await log.flush();
  expect(await batches()).toBe(before + 2);
});

it('holds 64 MiB while the store is away, however large its rows, and the newest of them', async () => {
  const other = await openTestStore();
  await migratePart(other, 'cds', migrations);
  await sql`alter table cds.metric_batch rename to moved`.execute(other.db);
  const log = openMetricLog(other, Date.now, 30);
  const requestTime = new Date().toISOString();
  for (let i = 0; i < 100; i += 1) log.record({ requestTime, hookInstance: `row ${i}`, providerId: { value: 'x'.repeat(1_048_576) } } as CrdMetricData);
  await expect(log.flush()).rejects.toThrow('metric_batch');
  await sql`alter table cds.moved rename to metric_batch`.execute(other.db);
  await log.flush();
  const kept: string[] = [];
  for await (const line of exportMetrics(other, new Date(0), new Date(Date.now() + DAY))) kept.push((JSON.parse(line) as CrdMetricData).hookInstance);
  expect(kept).toEqual(Array.from({ length: 63 }, (_, index) => `row ${index + 37}`));
  await other.close();
});

it('(PostgreSQL) keeps once what was written without our hearing of it, though more came meanwhile', async (context) => {
  if (store.engine !== 'postgresql') return context.skip('the embedded engine loses no answer');
  const { network, over } = await openOverNetwork(store);
  const log = openMetricLog(over, () => Date.parse('2001-01-02'), 30_000);
  const rowAt = (requestTime: string) => ({ requestTime }) as CrdMetricData;
  const lost = network.loseAnswerTo('"cds"."metric_batch"');
  log.record(rowAt('2001-01-01T01:00:00Z'));
  await expect(log.flush()).rejects.toThrow(/terminated|ECONNRESET/);
  await lost;
  log.record(rowAt('2001-01-01T02:00:00Z'));
  await log.flush();
  const times: string[] = [];
  for await (const line of exportMetrics(store, new Date('2001-01-01'), new Date('2001-01-02'))) times.push((JSON.parse(line) as CrdMetricData).requestTime);
  expect(times).toEqual(['2001-01-01T01:00:00Z', '2001-01-01T02:00:00Z']);
  await over.close();
  await network.close();
});

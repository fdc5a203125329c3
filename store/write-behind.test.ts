import { describe, expect, it } from 'vitest';
import { createWriteBehind } from './write-behind.ts';

describe('rows that wait to be written', () => {
  const open = (fails: () => boolean = () => false) => {
    const written: string[][] = [];
    const rows = createWriteBehind<string>({
      sizeOf: (row) => row.length, batchSize: 4, mostWaiting: 10,
      write: async (batch) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (fails()) throw new Error('away');
        written.push([...batch]);
      },
    });
    return { written, rows };
  };
  it('go in batches that end with the row that fills them', async () => {
    const { written, rows } = open();
    for (const row of ['a', 'bb', 'ccc', 'd']) rows.add(row);
    await rows.flush();
    expect(written).toEqual([['a', 'bb', 'ccc'], ['d']]);
    expect(rows.size()).toBe(0);
  });
  it('that come during a flush wait for the next', async () => {
    const { written, rows } = open();
    rows.add('a');
    const flushed = rows.flush();
    await Promise.resolve();
    rows.add('b');
    await flushed;
    expect(written).toEqual([['a']]);
    await Promise.all([rows.flush(), rows.flush()]);
    expect(written).toEqual([['a'], ['b']]);
  });
  it('that could not be written wait in their order, and the oldest are given up', async () => {
    let away = true;
    const { written, rows } = open(() => away);
    for (const row of ['aaa', 'bbb', 'ccc']) rows.add(row);
    await expect(rows.flush()).rejects.toThrow('away');
    expect(rows.size()).toBe(9);
    rows.add('dd');
    expect(rows.size()).toBe(8);
    away = false;
    await rows.flush();
    expect(written.flat()).toEqual(['bbb', 'ccc', 'dd']);
  });
  it('come again as the batch that failed, under its id, without the rows that came meanwhile', async () => {
    const tried: [readonly string[], string][] = [];
    const rows = createWriteBehind<string>({ batchSize: 10, mostWaiting: 3, newId: () => `id-${tried.length}`, write: async (batch, id) => {
      tried.push([[...batch], id]);
      if (tried.length < 3) throw new Error('the answer was lost');
    } });
    for (const row of ['a', 'b']) rows.add(row);
    await expect(rows.flush()).rejects.toThrow('lost');
    rows.add('c');
    await expect(rows.flush()).rejects.toThrow('lost');
    rows.add('d');
    expect(rows.count()).toBe(3);
    await rows.flush();
    expect(tried).toEqual([[['a', 'b'], 'id-0'], [['a', 'b'], 'id-0'], [['b'], 'id-0'], [['c', 'd'], 'id-3']]);
    expect([rows.count(), rows.size()]).toEqual([0, 0]);
  });
  it('are tried once for all flushes that were asked for while one was under way', async () => {
    let tries = 0;
    const rows = createWriteBehind<string>({ batchSize: 10, mostWaiting: 10, write: async () => {
      tries += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
      throw new Error('away');
    } });
    rows.add('a');
    const first = rows.flush();
    await Promise.resolve();
    expect(rows.count()).toBe(1);
    const flushes = [first, ...Array.from({ length: 20 }, () => rows.flush())];
    expect(new Set(await Promise.all(flushes.map((flush) => flush.catch((error: Error) => error.message))))).toEqual(new Set(['away']));
    expect(tries).toBe(2);
  });
  it('are given up while a flush is under way, too', async () => {
    const { written, rows } = open();
    for (const row of ['aaaa', 'bbbb']) rows.add(row);
    const flushed = rows.flush();
    await Promise.resolve();
    for (const row of ['cccc', 'dddd']) rows.add(row);
    await flushed;
    await rows.flush();
    expect(written.flat()).toEqual(['aaaa', 'cccc', 'dddd']);
    expect(rows.size()).toBe(0);
  });
});

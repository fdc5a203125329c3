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

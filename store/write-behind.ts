import { randomUUID } from 'node:crypto';

/** Rows that wait to be written together, so that a hot path never does. */
export interface WriteBehind<T> {
  add(row: T): void;
  /** Sum of the sizes of what waits. */
  size(): number;
  /** Rows that wait, with those that are being written. */
  count(): number;
  /** Writes what waits when it begins. Rejects as `write` does; what could not be written waits for the next flush. Flushes asked for while one is under way are one. */
  flush(): Promise<void>;
}

export interface WriteBehindOptions<T> {
  /**
   * A batch that could not be written comes again under its id, with the same rows or, when it had to give some up, fewer: it may have been written
   * without our hearing of it, so an insert says `on conflict (id) do nothing`.
   */
  readonly write: (batch: readonly T[], id: string) => Promise<void>;
  /** Default: random UUIDs. */
  readonly newId?: () => string;
  /** Default: 1. */
  readonly sizeOf?: (row: T) => number;
  /** A batch ends with the row that reaches this size. */
  readonly batchSize: number;
  /** While the store stays away, the oldest beyond this size are given up. */
  readonly mostWaiting: number;
}

interface Batch<T> {
  readonly id: string;
  readonly rows: T[];
}

export function createWriteBehind<T>({ write, newId = randomUUID, sizeOf = () => 1, batchSize, mostWaiting }: WriteBehindOptions<T>): WriteBehind<T> {
  /** It could not be written, and is older than the rows. */
  let failed: Batch<T> | undefined;
  let beingWritten = 0;
  const rows: T[] = [];
  let size = 0;
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  const sum = (of: readonly T[]): number => of.reduce((total, row) => total + sizeOf(row), 0);
  const giveUpOldest = (): void => {
    if (size <= mostWaiting) return;
    for (const from of [failed?.rows ?? [], rows]) {
      let count = 0;
      for (; size > mostWaiting && count < from.length; count += 1) size -= sizeOf(from[count] as T);
      from.splice(0, count);
    }
    if (failed?.rows.length === 0) failed = undefined;
  };
  const nextBatch = (most: number): Batch<T> => {
    const again = failed;
    failed = undefined;
    if (again) return again;
    let count = 0;
    for (let taken = 0; count < Math.min(most, rows.length) && taken < batchSize; count += 1) taken += sizeOf(rows[count] as T);
    return { id: newId(), rows: rows.splice(0, count) };
  };
  const waiting = (): number => (failed?.rows.length ?? 0) + rows.length;
  // Only what waits at its beginning: under load, what comes meanwhile would make it write a few at a time without end.
  const writeAll = async (): Promise<void> => {
    next = undefined;
    for (let left = waiting(); left > 0 && waiting() > 0; ) {
      const batch = nextBatch(left);
      left -= batch.rows.length;
      size -= sum(batch.rows);
      beingWritten = batch.rows.length;
      try {
        await write(batch.rows, batch.id);
      } catch (error) {
        failed = batch;
        size += sum(batch.rows);
        giveUpOldest();
        throw error;
      } finally {
        beingWritten = 0;
      }
    }
  };
  return {
    add(row) {
      rows.push(row);
      size += sizeOf(row);
      giveUpOldest();
    },
    size: () => size,
    count: () => waiting() + beingWritten,
    flush() {
      next ??= writing = writing.then(writeAll, writeAll);
      return next;
    },
  };
}

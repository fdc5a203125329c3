/** Rows that wait to be written together, so that a hot path never does. */
export interface WriteBehind<T> {
  add(row: T): void;
  /** Sum of the sizes of what waits. */
  size(): number;
  /** Writes what waits when it begins. Rejects as `write` does; what could not be written waits for the next flush. */
  flush(): Promise<void>;
}

export interface WriteBehindOptions<T> {
  readonly write: (batch: readonly T[]) => Promise<void>;
  /** Default: 1. */
  readonly sizeOf?: (row: T) => number;
  /** A batch ends with the row that reaches this size. */
  readonly batchSize: number;
  /** While the store stays away, the oldest beyond this size are given up. */
  readonly mostWaiting: number;
}

export function createWriteBehind<T>({ write, sizeOf = () => 1, batchSize, mostWaiting }: WriteBehindOptions<T>): WriteBehind<T> {
  let rows: T[] = [];
  let size = 0;
  let writing: Promise<void> = Promise.resolve();

  const sum = (of: readonly T[]): number => of.reduce((total, row) => total + sizeOf(row), 0);
  const take = (count: number): T[] => {
    const taken = rows.splice(0, count);
    size -= sum(taken);
    return taken;
  };
  const giveUpOldest = (): void => {
    let count = 0;
    for (let over = size - mostWaiting; over > 0; count += 1) over -= sizeOf(rows[count] as T);
    if (count > 0) take(count);
  };
  const nextBatch = (most: number): T[] => {
    let count = 0;
    for (let taken = 0; count < Math.min(most, rows.length) && taken < batchSize; count += 1) taken += sizeOf(rows[count] as T);
    return take(count);
  };
  // Only what waits at its beginning: under load, what comes meanwhile would make it write a few at a time without end.
  const writeAll = async (): Promise<void> => {
    for (let left = rows.length; left > 0 && rows.length > 0; ) {
      const batch = nextBatch(left);
      left -= batch.length;
      try {
        await write(batch);
      } catch (error) {
        rows = [...batch, ...rows];
        size += sum(batch);
        giveUpOldest();
        throw error;
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
    flush() {
      writing = writing.then(writeAll, writeAll);
      return writing;
    },
  };
}

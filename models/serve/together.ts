/** A run that takes longer no longer keeps the next one waiting, milliseconds. */
const SLOW_MS = 50;

interface Asked {
  readonly rows: readonly Float32Array[];
  readonly resolve: (answers: readonly number[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Rows that are asked for while the runtime is at work go to it together, in its next run: a run of sixteen rows costs little more than one of one.
 * Nobody waits for company: a row that comes while nothing runs goes at once.
 */
export function runTogether(run: (rows: Float32Array) => Promise<ArrayLike<number>>, width: number): (rows: readonly Float32Array[]) => Promise<readonly number[]> {
  let waiting: Asked[] = [];
  let atWork = false;

  const work = async (): Promise<void> => {
    atWork = true;
    while (waiting.length > 0) {
      const asked = waiting;
      waiting = [];
      const running = run(joined(asked.flatMap(({ rows }) => rows), width)).then(
        (answers) => {
          let end = 0;
          for (const { rows, resolve } of asked) {
            const from = end;
            end += rows.length;
            resolve(rows.map((_, index) => answers[from + index] ?? Number.NaN));
          }
        },
        (error: unknown) => asked.forEach(({ reject }) => reject(error)),
      );
      await orLate(running);
    }
    atWork = false;
  };
  return (rows) => new Promise((resolve, reject) => {
    waiting.push({ rows, resolve, reject });
    if (!atWork) void work();
  });
}

function joined(rows: readonly Float32Array[], width: number): Float32Array {
  const [only] = rows;
  if (only && rows.length === 1) return only;
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, index) => all.set(row, index * width));
  return all;
}

async function orLate(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SLOW_MS);
  });
  await Promise.race([running, late]);
  clearTimeout(timer);
}

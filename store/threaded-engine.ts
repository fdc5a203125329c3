import { startThread } from '#threads/start-thread.ts';
import type { EngineReply, EngineRequest, EngineRows, EngineTask } from './engine-messages.ts';

interface Result<T> {
  readonly rows: T[];
  readonly affectedRows?: number;
  readonly fields: { dataTypeID: number; name: string }[];
}

interface Statements {
  query<T>(text: string, values?: readonly unknown[]): Promise<Result<T>>;
}

/** The embedded engine as Kysely and pg-boss speak to it. It runs in a thread of its own. */
export interface EmbeddedEngine extends Statements {
  readonly ready: boolean;
  readonly closed: boolean;
  readonly waitReady: Promise<void>;
  /** Several statements, without parameters. */
  exec(text: string): Promise<{ rows: Record<string, unknown>[] }[]>;
  transaction<T>(work: (trx: Statements & { rollback(): Promise<void> }) => Promise<T>): Promise<T>;
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (results: readonly EngineRows[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the engine on a folder, or in memory for `memory`. A thread that dies fails what waits for it and all that comes after. */
export async function openThreadedEngine(dataDir: string): Promise<EmbeddedEngine> {
  const worker = startThread(new URL('./engine-thread.ts', import.meta.url), dataDir);
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<number, (payload: string) => void>();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let numbers = 0;
  let failure: unknown;
  let closing: Promise<void> | undefined;
  let closed = false;

  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.on('error', (error) => {
      reject(error);
      fail(error);
    });
    worker.once('exit', () => fail(new Error('The embedded engine has ended.')));
  });
  worker.unref();
  worker.on('message', (reply: EngineReply) => {
    if (reply.kind === 'notified') return listeners.get(reply.listener)?.(reply.payload);
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    // A process that waits for nothing may end, as with an engine in its own thread.
    if (waiting.size === 0) worker.unref();
    if (reply.kind === 'done') asked?.resolve(reply.results);
    else asked?.reject(Object.assign(new Error(reply.message), reply.facts));
  });

  const ask = (task: EngineTask): Promise<readonly EngineRows[]> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      numbers += 1;
      if (waiting.size === 0) worker.ref();
      waiting.set(numbers, { resolve, reject });
      const request: EngineRequest = { id: numbers, task };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      worker.postMessage(request);
    });
  const query = async <T>(text: string, values: readonly unknown[] = [], tx?: number): Promise<Result<T>> => {
    const [result] = await ask({ kind: 'query', text, values, ...(tx === undefined ? {} : { tx }) });
    return { rows: (result ? rowsOf(result) : []) as T[], ...(result?.affectedRows === undefined ? {} : { affectedRows: result.affectedRows }), fields: [] };
  };
  return {
    ready: true,
    waitReady: Promise.resolve(),
    get closed() {
      return closed;
    },
    query: (text, values) => query(text, values),
    exec: async (text) => (await ask({ kind: 'exec', text })).map((result) => ({ rows: rowsOf(result) })),
    async transaction(work) {
      numbers += 1;
      const tx = numbers;
      let open = true;
      const end = async (commit: boolean): Promise<void> => {
        if (!open) return;
        open = false;
        await ask({ kind: 'end', tx, commit });
      };
      await ask({ kind: 'begin', tx });
      try {
        const result = await work({ query: (text, values) => query(text, values, tx), rollback: () => end(false) });
        await end(true);
        return result;
      } catch (error) {
        await end(false);
        throw error;
      }
    },
    async listen(channel, heard) {
      numbers += 1;
      const listener = numbers;
      listeners.set(listener, heard);
      await ask({ kind: 'listen', channel, listener });
      return async () => {
        listeners.delete(listener);
        await ask({ kind: 'unlisten', listener });
      };
    },
    close() {
      closing ??= ask({ kind: 'close' }).then(async () => {
        closed = true;
        // The process must not end before the thread has: what is awaited here would never come.
        worker.ref();
        await ended;
      });
      return closing;
    },
  };
}

function rowsOf({ rows, json }: EngineRows): Record<string, unknown>[] {
  for (const row of rows) for (const name of json) row[name] = readJson(row[name]);
  return rows;
}

function readJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readJson);
  return typeof value === 'string' ? JSON.parse(value) : value;
}

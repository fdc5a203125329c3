import { parentPort, workerData } from 'node:worker_threads';
import { type Results, type Transaction, types } from '@electric-sql/pglite';
import { openEngine } from './embedded-engine.ts';
import type { EngineReply, EngineRequest, EngineRows, EngineTask } from './engine-messages.ts';

/* The embedded engine in a thread of its own: a statement holds up whoever waits for it, and nobody else. */

const port = parentPort;
if (!port) throw new Error('This file runs as a worker');
const reply = (message: EngineReply): void => port.postMessage(message);

const JSON_TYPES: ReadonlySet<number> = new Set([types.JSON, types.JSONB, 199, 3807]);
const asText = (text: string): string => text;
const engine = await openEngine(String(workerData), { [types.JSON]: asText, [types.JSONB]: asText });

interface OpenTransaction {
  readonly handle: Transaction;
  readonly end: (commit: boolean) => void;
  readonly ended: Promise<void>;
}
const transactions = new Map<number, OpenTransaction>();
const listeners = new Map<number, () => Promise<void>>();

port.on('message', ({ id, task }: EngineRequest) => {
  run(task).then(
    (results) => {
      reply({ kind: 'done', id, results: results.map(toRows) });
      if (task.kind === 'close') port.close();
    },
    (error: unknown) => reply({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error), facts: factsOf(error) }),
  );
});
port.postMessage(null);

async function run(task: EngineTask): Promise<readonly Results[]> {
  switch (task.kind) {
    case 'query':
      return [await (task.tx === undefined ? engine : transaction(task.tx).handle).query<Record<string, unknown>>(task.text, [...task.values], { rowMode: 'object' })];
    case 'exec':
      return engine.exec(task.text);
    case 'begin':
      await begin(task.tx);
      return [];
    case 'end': {
      const open = transaction(task.tx);
      transactions.delete(task.tx);
      open.end(task.commit);
      await open.ended;
      return [];
    }
    case 'listen':
      listeners.set(task.listener, await engine.listen(task.channel, (payload) => reply({ kind: 'notified', listener: task.listener, payload })));
      return [];
    case 'unlisten':
      await listeners.get(task.listener)?.();
      listeners.delete(task.listener);
      return [];
    case 'close':
      await engine.close();
      return [];
  }
}

/** Resolves when the transaction is open; the engine keeps all else waiting until it has ended. */
function begin(tx: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = engine.transaction(async (handle) => {
      const outcome = new Promise<boolean>((end) => transactions.set(tx, { handle, end, ended }));
      resolve();
      if (!(await outcome)) await handle.rollback();
    });
    // One that never opened is told here; one that could not be committed, to who ends it.
    ended.catch(reject);
  });
}

function transaction(tx: number): OpenTransaction {
  const open = transactions.get(tx);
  if (!open) throw new Error('The transaction has ended.');
  return open;
}

function toRows({ rows, affectedRows, fields }: Results): EngineRows {
  return { rows, affectedRows, json: fields.filter(({ dataTypeID }) => JSON_TYPES.has(dataTypeID)).map(({ name }) => name) };
}

function factsOf(error: unknown): Readonly<Record<string, string>> {
  const facts = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'routine'];
  return Object.fromEntries(Object.entries(error instanceof Error ? error : {}).filter((entry): entry is [string, string] => facts.includes(entry[0]) && typeof entry[1] === 'string'));
}

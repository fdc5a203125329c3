import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { startThread } from './start-thread.ts';

const calls = new URL('../test-fixtures/wasm-calls-thread.ts', import.meta.url);

it('has V8 compile no way of its own from WebAssembly to JavaScript, as a bare thread has', async () => {
  expect(await once(new Worker(calls, { execArgv: [] }), 'message')).toEqual([{ before: 1, after: 0 }]);
  expect(await once(startThread(calls, undefined), 'message')).toEqual([{ before: 1, after: 1 }]);
});

it('gives the thread its data', async () => {
  const worker = startThread(new URL('data:text/javascript,import { parentPort, workerData } from "node:worker_threads"; parentPort.postMessage(workerData.rows.length)'), { rows: new Float32Array(3) });
  expect(await once(worker, 'message')).toEqual([3]);
});

import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

/** Calls after which V8 would compile a way of its own from WebAssembly to a JavaScript function: more than any thread makes. */
const NEVER = 2_000_000_000;

/**
 * A thread that runs a file of this project on a copy of the data. Its WebAssembly (the reader of TypeScript in Node, the embedded database) keeps to V8's general
 * way of calling JavaScript: compiled ways are shared by all threads, and one thread that compiles while another frees can end the process.
 * docs/decisions/wasm-in-threads.md
 */
export function startThread(file: URL, workerData: unknown): Worker {
  setFlagsFromString(`--wasm-wrapper-tiering-budget=${NEVER}`);
  return new Worker(file, { workerData, execArgv: [] });
}

import { setFlagsFromString } from 'node:v8';
import { parentPort } from 'node:worker_threads';

/* Calls a JavaScript function from WebAssembly, and tells how many ways of calling V8 had compiled for it before and after. */

// (module (import "m" "f" (func)) (func (export "g") call 0))
const MODULE = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 109, 1, 102, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 103, 0, 1, 10, 6, 1, 4, 0, 0x10, 0, 0x0b]);
const CALLS = 10_000;

setFlagsFromString('--allow-natives-syntax');
// oxlint-disable-next-line typescript/no-implied-eval -- only text can hold V8's own syntax
const uncompiledWays = new Function('instance', 'return %CountUnoptimizedWasmToJSWrapper(instance)') as (instance: WebAssembly.Instance) => number;

const instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { m: { f: () => {} } });
const before = uncompiledWays(instance);
for (let call = 0; call < CALLS; call += 1) (instance.exports['g'] as () => void)();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
parentPort?.postMessage({ before, after: uncompiledWays(instance) });

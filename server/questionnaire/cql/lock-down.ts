import { registerHooks } from 'node:module';

const NETWORK = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'BroadcastChannel', 'Worker', 'navigator', 'WebAssembly'];

/**
 * Takes from this process what a payer's expression has no business with, after the engines are loaded. The process was started without rights
 * to write files, to start processes or threads, to load addons or to make code from text, and may read program files only; what Node's
 * permission model leaves open is the network, so its doors go: the globals, `process`, and the loading of any further module.
 */
export function lockDown(): void {
  for (const name of NETWORK) Reflect.deleteProperty(globalThis, name);
  registerHooks({
    resolve() {
      throw new Error('No module can be loaded any more');
    },
  });
  // Engines ask for the environment and the next tick; nothing else of `process` is left to them.
  const remains = Object.freeze({ env: Object.freeze({}), argv: Object.freeze([]), versions: Object.freeze({}), nextTick: (work: (...given: unknown[]) => void, ...given: unknown[]) => queueMicrotask(() => work(...given)) });
  Object.defineProperty(globalThis, 'process', { value: remains, writable: false, configurable: false });
}

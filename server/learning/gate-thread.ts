import { parentPort, workerData } from 'node:worker_threads';
import type { GateInput } from './gate.ts';
import { measureGate } from './gate-checks.ts';

parentPort?.postMessage(await measureGate(workerData as GateInput));

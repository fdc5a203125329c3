import { parentPort, workerData } from 'node:worker_threads';
import type { GateInput, GateOutcome } from './gate.ts';
import { measureGate } from './gate-checks.ts';

if (!parentPort) throw new Error('this runs in a thread of the gate');
const port = parentPort;
const post = (outcome: GateOutcome): void => port.postMessage(outcome);

post(await measureGate(workerData as GateInput));

import { parentPort, workerData } from 'node:worker_threads';
import type { TrainingTable } from '../dataset.ts';
import { ModelError, type ModelErrorCode } from '../model-error.ts';
import type { ModelBundle } from '../model-file.ts';
import type { SetParameters, TrainingProgress } from './parameters.ts';
import { runImport, runTraining } from './run-training.ts';

/** What the thread of a training tells the one that waits for it. */
export type ThreadMessage =
  | { readonly kind: 'progress'; readonly progress: TrainingProgress }
  | { readonly kind: 'trained'; readonly bundle: ModelBundle }
  | { readonly kind: 'refused'; readonly code: ModelErrorCode; readonly message: string };

export interface ThreadWork {
  readonly table: TrainingTable;
  readonly parameters: SetParameters;
  /** A forest trained elsewhere; without it one is trained. */
  readonly content?: Uint8Array;
}

const { table, parameters, content } = workerData as ThreadWork;
const port = parentPort;
if (!port) throw new Error('training-thread.ts runs as a worker only');
const post = (message: ThreadMessage): void => port.postMessage(message);
const onProgress = (progress: TrainingProgress) => post({ kind: 'progress', progress });

try {
  post({ kind: 'trained', bundle: content ? runImport(content, table, parameters, onProgress) : runTraining(table, parameters, onProgress) });
} catch (error) {
  if (!(error instanceof ModelError)) throw error;
  post({ kind: 'refused', code: error.code, message: error.message });
}

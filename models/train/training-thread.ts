import { parentPort, workerData } from 'node:worker_threads';
import type { TrainingTable } from '../dataset.ts';
import { ModelError } from '../model-error.ts';
import type { ModelBundle } from '../model-file.ts';
import type { SetParameters, TrainingProgress } from './parameters.ts';
import { runTraining } from './run-training.ts';

/** What the thread of a training tells the one that waits for it. */
export type ThreadMessage =
  | { readonly kind: 'progress'; readonly progress: TrainingProgress }
  | { readonly kind: 'trained'; readonly bundle: ModelBundle }
  | { readonly kind: 'refused'; readonly message: string };

const { table, parameters } = workerData as { table: TrainingTable; parameters: SetParameters };
const post = (message: ThreadMessage) => parentPort?.postMessage(message);

try {
  post({ kind: 'trained', bundle: runTraining(table, parameters, (progress) => post({ kind: 'progress', progress })) });
} catch (error) {
  if (!(error instanceof ModelError)) throw error;
  post({ kind: 'refused', message: error.message });
}

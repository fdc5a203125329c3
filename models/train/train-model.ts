import { startThread } from '#threads/start-thread.ts';
import type { TrainingTable } from '../dataset.ts';
import { ModelError } from '../model-error.ts';
import type { ModelBundle } from '../model-file.ts';
import { settingsOf } from './kind-settings.ts';
import { type SetParameters, type TrainingParameters, type TrainingProgress, trainingParameters } from './parameters.ts';
import type { ThreadMessage, ThreadWork } from './training-thread.ts';

export interface TrainingOptions {
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains, calibrates and measures a model in a thread of its own; the same table, parameters and code give the same bytes. Nothing is written: an aborted run
 * leaves nothing behind and rejects with the signal's reason. Throws TRAINING_REFUSED when the table or the parameters cannot be trained with, TRAINING_FAILED
 * when the thread dies.
 */
export async function trainModel(table: TrainingTable, parameters: TrainingParameters, options: TrainingOptions = {}): Promise<ModelBundle> {
  return runInThread({ table, parameters: setParameters(table, parameters) }, options);
}

/**
 * Makes a bundle of a model trained elsewhere (XGBoost JSON, LightGBM text or dump, an ONNX tree ensemble), calibrated and measured on the table as our own are.
 * The parameters' split, seed, kind, bands and history count; the file decides the rest. Throws MODEL_IMPORT_REFUSED when the file cannot be read, and as trainModel.
 */
export async function importModel(content: Uint8Array, table: TrainingTable, parameters: TrainingParameters, options: TrainingOptions = {}): Promise<ModelBundle> {
  return runInThread({ table, parameters: setParameters(table, parameters), content }, options);
}

function setParameters(table: TrainingTable, parameters: TrainingParameters): SetParameters {
  const parsed = trainingParameters.safeParse({ ...settingsOf(parameters.kind, table), ...parameters });
  if (parsed.success) return parsed.data;
  throw new ModelError('TRAINING_REFUSED', `The parameters are not right: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}.`);
}

async function runInThread(workerData: ThreadWork, { onProgress, signal }: TrainingOptions): Promise<ModelBundle> {
  signal?.throwIfAborted();
  const worker = startThread(new URL('./training-thread.ts', import.meta.url), workerData);
  let abort: () => void = () => {};
  try {
    return await new Promise<ModelBundle>((resolve, reject) => {
      abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      worker.on('message', (message: ThreadMessage) => {
        if (message.kind === 'progress') onProgress?.(message.progress);
        else if (message.kind === 'trained') resolve(message.bundle);
        else reject(new ModelError(message.code, message.message));
      });
      worker.on('error', (cause) => reject(new ModelError('TRAINING_FAILED', 'The training stopped with a fault.', { cause })));
      worker.on('exit', (code) => reject(new ModelError('TRAINING_FAILED', `The training thread ended with code ${code} and gave no model.`)));
    });
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

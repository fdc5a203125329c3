import { InferenceSession, Tensor } from 'onnxruntime-node';
import { shapValues } from '../explain/tree-shap.ts';
import { marginOf } from '../forest.ts';
import type { ModelBundle } from '../model-file.ts';

const WARM_UP = 50;

/** How the runtime stands to the walk of the trees (log-odds), and how long a score with its reasons takes, one after the other. Throws what the runtime throws. */
export async function measureRuntime({ file, onnx }: ModelBundle, rows: readonly Float32Array[]): Promise<{ readonly greatestDifference: number; readonly p99Ms: number }> {
  const session = await InferenceSession.create(onnx, { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' });
  try {
    const took: number[] = [];
    let greatestDifference = 0;
    for (const row of [...rows.slice(0, WARM_UP), ...rows]) {
      const begun = performance.now();
      const outputs = await session.run({ X: new Tensor('float32', row, [1, row.length]) }, ['probabilities']);
      shapValues(file.forest, row, row.length);
      took.push(performance.now() - begun);
      const probability = Number(outputs['probabilities']?.data[1]);
      const difference = Math.abs(Math.log(probability / (1 - probability)) - marginOf(file.forest, row));
      if (!(difference <= greatestDifference)) greatestDifference = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
    const measured = took.slice(Math.min(WARM_UP, rows.length)).sort((a, b) => a - b);
    return { greatestDifference, p99Ms: measured[Math.ceil(measured.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY };
  } finally {
    await session.release();
  }
}

import { type ModelFile, modelFile, sha256, versionOf } from '#models/model-file.ts';
import type { BundleBytes, ModelSource, Stages } from '#models/serve/model-source.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';

/** The shipped model with something else in its JSON, and a version that fits. */
export async function variant(edit: (file: ModelFile) => Partial<ModelFile>, onnx?: Uint8Array): Promise<BundleBytes> {
  const shipped = await shippedModel();
  const file = modelFile.parse(JSON.parse(shipped.json));
  const bytes = onnx ?? shipped.onnx;
  const changed = { ...file, onnxSha256: sha256(bytes), ...edit(file) };
  const version = versionOf(changed);
  return { version, onnx: bytes, json: JSON.stringify({ ...changed, version }) };
}

/** Says another probability for the same rows. */
export const shiftedVariant = (intercept: number): Promise<BundleBytes> => variant(() => ({ calibration: { method: 'platt', slope: 1, intercept } }));

/** A source of models that a test changes. */
export function changingSource(first: Partial<Stages> = {}): ModelSource & { becomes(stages: Partial<Stages> | Error): void } {
  let stages: Partial<Stages> | Error = first;
  const listeners = new Set<() => void>();
  return {
    async current() {
      if (stages instanceof Error) throw stages;
      return { live: null, canary: null, shadows: [], ...stages };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    becomes(next) {
      stages = next;
      for (const listener of listeners) listener();
    },
  };
}

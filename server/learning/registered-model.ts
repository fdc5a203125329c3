import { marginOf } from '#models/forest.ts';
import { type ModelBundle, type ModelFile, modelFile, sha256, versionOf } from '#models/model-file.ts';
import type { ModelStage } from '#prior-auth/learning-api.ts';
import { RegistryError } from './registry-error.ts';

/** What is told of a model without its trees and tables. */
type FileSummary = Pick<ModelFile, 'kind' | 'version' | 'onnxSha256' | 'simulated' | 'trainedAt' | 'trainedOn' | 'features' | 'measures' | 'lineage' | 'importedFrom' | 'bands'> & { readonly trees: number };

export interface RegisteredModel extends FileSummary {
  readonly origin: 'shipped' | 'trained' | 'imported';
  readonly registeredBy: string;
  readonly registeredAt: string;
  readonly stage: ModelStage;
  readonly stageSince: string;
  /** Share of the clinics, 0..1; of a canary only. */
  readonly canaryShare: number | null;
  /** The version that was live before this one became it. */
  readonly replaced: string | null;
}

export function summaryOf(file: ModelFile): FileSummary {
  const { kind, version, onnxSha256, simulated, trainedAt, trainedOn, features, measures, lineage, importedFrom, bands, forest } = file;
  return { kind, version, onnxSha256, simulated, trainedAt, trainedOn, features, measures, lineage, ...(importedFrom ? { importedFrom } : {}), bands, trees: forest.roots.length };
}

const SELF_CHECK_TOLERANCE = 1e-4;

/** A bundle from outside: the JSON and the ONNX file fit each other, and the trees give the stored rows' log-odds. @throws RegistryError */
export function readBundle(json: string, onnx: Uint8Array): ModelBundle {
  const refuse = (why: string, cause?: unknown): never => {
    throw new RegistryError('MODEL_BUNDLE_INVALID', `The model cannot be registered: ${why}.`, { cause, nextStep: 'Train it again, or export it again from where it comes from.' });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    return refuse('its JSON file is not JSON', cause);
  }
  const read = modelFile.safeParse(parsed);
  if (!read.success) return refuse(`its JSON file does not fit: ${read.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`).join('; ')}`);
  const file = read.data;
  if (sha256(onnx) !== file.onnxSha256) return refuse('its ONNX file is not the one its JSON file describes');
  if (versionOf(file) !== file.version) return refuse('its version is not the hash of its content, so something was changed after the training');
  if (file.selfCheck.length === 0) return refuse('it brings no rows to check itself with');
  const reproduces = file.selfCheck.every(({ row, margin }) => Math.abs(marginOf(file.forest, Float32Array.from(row, (value) => value ?? Number.NaN)) - margin) < SELF_CHECK_TOLERANCE);
  return reproduces ? { file, onnx } : refuse('its trees do not give the log-odds of its stored rows');
}

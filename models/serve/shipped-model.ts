import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BundleBytes } from './model-source.ts';

/** The denial-risk model that the program brings; it is checked when it is opened. */
export async function shippedModel(folder = join(import.meta.dirname, '..')): Promise<BundleBytes> {
  const [onnx, json] = await Promise.all([readFile(join(folder, 'denial-risk.onnx')), readFile(join(folder, 'denial-risk.json'), 'utf8')]);
  return { version: z.object({ version: z.string() }).parse(JSON.parse(json)).version, onnx, json };
}

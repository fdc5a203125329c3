import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelBundle } from './model-file.ts';

/** Writes a bundle's two files into a folder. Both are complete on disk before either takes its name, so an interrupted run leaves the old pair or the new one. */
export function writeBundle(folder: string, { file, onnx }: ModelBundle): void {
  const parts: readonly [string, Uint8Array | string][] = [[`${file.kind}.onnx`, onnx], [`${file.kind}.json`, `${JSON.stringify(file)}\n`]];
  try {
    for (const [name, content] of parts) writeFileSync(join(folder, `${name}.part`), content);
    for (const [name] of parts) renameSync(join(folder, `${name}.part`), join(folder, name));
  } finally {
    for (const [name] of parts) rmSync(join(folder, `${name}.part`), { force: true });
  }
}

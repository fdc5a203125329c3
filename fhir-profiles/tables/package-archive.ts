import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const BLOCK_BYTES = 512;

export interface PackageArchive {
  readonly sha256: string;
  /** Text of the files directly in `package/`, by file name. */
  readonly files: ReadonlyMap<string, string>;
}

/** Reads an npm-style FHIR package (tar + gzip). Examples and folders below `package/` are left out. */
export function readPackageArchive(path: string): PackageArchive {
  const compressed = readFileSync(path);
  const files = new Map<string, string>();
  for (const [name, text] of tarFiles(gunzipSync(compressed))) {
    const match = /^(?:\.\/)?package\/([^/]+\.json)$/.exec(name);
    if (match?.[1] !== undefined) files.set(match[1], text);
  }
  return { sha256: createHash('sha256').update(compressed).digest('hex'), files };
}

/** Every regular file of a tar archive, in its order (POSIX ustar with pax and GNU long names). */
export function* tarFiles(tar: Buffer): Generator<readonly [name: string, text: string]> {
  let longName: string | undefined;
  for (let offset = 0; offset + BLOCK_BYTES <= tar.length; ) {
    const header = tar.subarray(offset, offset + BLOCK_BYTES);
    if (header[0] === 0) break;
    const size = Number.parseInt(text(header, 124, 12), 8) || 0;
    const content = tar.subarray(offset + BLOCK_BYTES, offset + BLOCK_BYTES + size);
    offset += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    const kind = String.fromCharCode(header[156] ?? 0);
    if (kind === 'x') longName = /\d+ path=([^\n]+)\n/.exec(content.toString('utf8'))?.[1];
    else if (kind === 'L') longName = text(content, 0, size);
    else {
      const prefix = text(header, 345, 155);
      const name = longName ?? (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100);
      longName = undefined;
      if (kind === '0' || kind === '\0') yield [name, content.toString('utf8')];
    }
  }
}

function text(bytes: Buffer, start: number, length: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString('utf8', start, end < 0 || end > start + length ? start + length : end).trimEnd();
}

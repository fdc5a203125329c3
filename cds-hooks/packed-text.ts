import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type RawBuilder, sql } from 'kysely';

/** Compressed, as a value of a bytea column. As base64: the embedded engine writes bytes as parameters one by one, and every answer waits meanwhile. */
export async function packText(text: string): Promise<RawBuilder<Uint8Array>> {
  const packed = await promisify(gzip)(text, { level: 1 });
  return sql<Uint8Array>`decode(${packed.toString('base64')}, 'base64')`;
}

export async function unpackText(content: Uint8Array): Promise<string> {
  return (await promisify(gunzip)(content)).toString('utf8');
}

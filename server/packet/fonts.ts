import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';

const read = (url: string): Buffer => unpackWoff(readFileSync(fileURLToPath(url)));
let fonts: { readonly regular: Buffer; readonly bold: Buffer } | undefined;

/** Latin, Greek and Cyrillic with every diacritic in use. Read at the first packet. */
export function packetFonts(): { readonly regular: Buffer; readonly bold: Buffer } {
  fonts ??= {
    regular: read(import.meta.resolve('roboto-fontface/fonts/roboto/Roboto-Regular.woff')),
    bold: read(import.meta.resolve('roboto-fontface/fonts/roboto/Roboto-Bold.woff')),
  };
  return fonts;
}

/** WOFF 1.0 §4–5: the tables of an sfnt font, each deflated. The font library would inflate a whole table for each glyph. */
function unpackWoff(woff: Buffer): Buffer {
  const count = woff.readUInt16BE(12);
  const head = Buffer.alloc(12 + 16 * count);
  head.writeUInt32BE(woff.readUInt32BE(4), 0);
  const power = 2 ** Math.floor(Math.log2(count));
  [count, power * 16, Math.log2(power), (count - power) * 16].forEach((value, index) => head.writeUInt16BE(value, 4 + 2 * index));
  const tables: Buffer[] = [];
  let offset = head.length;
  for (let index = 0; index < count; index += 1) {
    const entry = 44 + 20 * index;
    const [start, packed, length] = [4, 8, 12].map((at) => woff.readUInt32BE(entry + at)) as [number, number, number];
    const stored = woff.subarray(start, start + packed);
    const padded = Buffer.alloc(Math.ceil(length / 4) * 4);
    (packed < length ? inflateSync(stored) : stored).copy(padded);
    woff.copy(head, 12 + 16 * index, entry, entry + 4);
    [woff.readUInt32BE(entry + 16), offset, length].forEach((value, at) => head.writeUInt32BE(value, 12 + 16 * index + 4 + 4 * at));
    tables.push(padded);
    offset += padded.length;
  }
  return Buffer.concat([head, ...tables]);
}

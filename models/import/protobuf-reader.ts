import { refused } from './read-tree.ts';

/** One field of a protocol-buffer message: a number for varints, bytes for everything else. */
export interface ProtobufField {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/** The fields of a message in their order. Throws MODEL_IMPORT_REFUSED when the bytes are no message. */
export function readFields(bytes: Uint8Array): ProtobufField[] {
  const fields: ProtobufField[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = readVarint(bytes, at);
    const wireType = tag % 8;
    const field = Math.floor(tag / 8);
    if (field === 0) throw notProtobuf();
    if (wireType === 0) {
      const [value, end] = readVarint(bytes, afterTag);
      fields.push({ field, value });
      at = end;
      continue;
    }
    const [length, from] = wireType === 2 ? readVarint(bytes, afterTag) : wireType === 5 ? [4, afterTag] : wireType === 1 ? [8, afterTag] : [-1, afterTag];
    if (length < 0 || from + length > bytes.length) throw notProtobuf();
    fields.push({ field, value: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return fields;
}

/** Whole numbers that fit a double; a negative one, as protobuf writes it in 64 bits, comes back negative. */
function readVarint(bytes: Uint8Array, from: number): [value: number, end: number] {
  let value = 0n;
  for (let at = from; at < from + 10; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw notProtobuf();
    value |= BigInt(byte & 127) << BigInt(7 * (at - from));
    if (byte < 128) return [Number(BigInt.asIntN(64, value)), at + 1];
  }
  throw notProtobuf();
}

/** All messages, texts or tensors under a field number. */
export function bytesOf(fields: readonly ProtobufField[], field: number): Uint8Array[] {
  return fields.flatMap((each) => (each.field === field && typeof each.value !== 'number' ? [each.value] : []));
}

export function textOf(fields: readonly ProtobufField[], field: number): string {
  return decode(bytesOf(fields, field).at(-1));
}

export function decode(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** A repeated integer, packed or not. */
export function integersOf(fields: readonly ProtobufField[], field: number): number[] {
  return fields.flatMap(({ field: number, value }) => {
    if (number !== field) return [];
    if (typeof value === 'number') return [value];
    const values: number[] = [];
    for (let at = 0; at < value.length; ) {
      const [next, end] = readVarint(value, at);
      values.push(next);
      at = end;
    }
    return values;
  });
}

/** A repeated float, packed or not. */
export function floatsOf(fields: readonly ProtobufField[], field: number): number[] {
  return bytesOf(fields, field).flatMap((bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getFloat32(index * 4, true));
  });
}

function notProtobuf() {
  return refused('The file is neither JSON of XGBoost or LightGBM, nor LightGBM text, nor an ONNX model.');
}

/** Writes protocol-buffer messages, as far as ONNX needs them. */
export class ProtobufWriter {
  readonly #chunks: Buffer[] = [];

  integer(field: number, value: number): this {
    return this.#tag(field, 0).#varint(value);
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#tag(field, 5).#chunks.push(bytes);
    return this;
  }

  text(field: number, value: string): this {
    return this.#bytes(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, value: ProtobufWriter): this {
    return this.#bytes(field, value.finish());
  }

  floats(field: number, values: readonly number[]): this {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
    return this.#bytes(field, bytes);
  }

  integers(field: number, values: readonly number[]): this {
    const packed = new ProtobufWriter();
    for (const value of values) packed.#varint(value);
    return this.#bytes(field, packed.finish());
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #tag(field: number, wireType: number): this {
    return this.#varint((field << 3) | wireType);
  }

  #bytes(field: number, bytes: Buffer): this {
    this.#tag(field, 2).#varint(bytes.length).#chunks.push(bytes);
    return this;
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#chunks.push(Buffer.from(bytes));
    return this;
  }
}

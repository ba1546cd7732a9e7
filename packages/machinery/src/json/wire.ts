/** Reads protobuf's wire format. Source: https://protobuf.dev/programming-guides/encoding */
export class WireReader {
  readonly bytes: Uint8Array;
  at: number;
  /** The upper half of the last varint. */
  high = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A varint's lower 32 bits, unsigned; the upper ones are in `high`. */
  varint(): number {
    const { bytes } = this;
    let low = 0;
    this.high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new RangeError('a message is cut off');
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        this.high = bits >>> 4;
      } else this.high |= bits << (shift - 32);
      if (byte < 0x80) return low >>> 0;
    }
    throw new RangeError('a number in a message is too long');
  }

  double(): number {
    const { buffer, byteOffset } = this.bytes;
    const value = new DataView(buffer, byteOffset + this.at, 8).getFloat64(0, true);
    this.at += 8;
    return value;
  }

  /** Where what follows its length ends. */
  end(): number {
    const end = this.varint() + this.at;
    if (end > this.bytes.length) throw new RangeError('a message is cut off');
    return end;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 2) this.at = this.end();
    else if (wireType === 5) this.at += 4;
    else throw new RangeError(`a message has wire type ${wireType}`);
  }
}

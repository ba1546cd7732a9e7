/** Protocol buffers' base-128 numbers. Source: https://protobuf.dev/programming-guides/encoding/#varints */

/** How many bytes `value` (not negative) takes. */
export function varintSize(value: bigint | number): number {
  let size = 1;
  if (typeof value === 'number' && value < 2 ** 31) {
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
    return size;
  }
  for (let rest = BigInt(value) >> 7n; rest > 0n; rest >>= 7n) size++;
  return size;
}

/** Writes `value` (not negative) at `offset` and returns where the next byte goes. */
export function writeVarint(target: Uint8Array, offset: number, value: bigint | number): number {
  let at = offset;
  if (typeof value === 'number' && value < 2 ** 31) {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
    target[at++] = rest;
    return at;
  }
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) target[at++] = Number(rest & 0x7fn) | 0x80;
  target[at++] = Number(rest);
  return at;
}

/** Reads a length or tag at `offset`: its value and where the next byte is. */
export function readVarint(source: Uint8Array, offset: number): { value: number; end: number } {
  let value = 0;
  for (let at = offset, scale = 1; at < source.length && at < offset + 5; at++, scale *= 128) {
    const byte = source[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new RangeError(`no varint at byte ${offset}`);
}

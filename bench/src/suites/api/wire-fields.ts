/** How often each field stands in an encoded message, by its number, without looking into any. */
export function countFields(message: Uint8Array): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < message.length; ) {
    const tag = varint(message, at);
    const field = tag.value >>> 3;
    counts.set(field, (counts.get(field) ?? 0) + 1);
    const value = varint(message, tag.end);
    at = (tag.value & 7) === 2 ? value.end + value.value : value.end;
  }
  return counts;
}

/** Good for lengths and small numbers; of a larger one only the end is right. */
function varint(message: Uint8Array, offset: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = offset;
  for (let shift = 0; ; shift += 7) {
    const byte = message[at++];
    if (byte === undefined) throw new RangeError(`no number at byte ${offset}`);
    if (shift < 28) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: at };
  }
}

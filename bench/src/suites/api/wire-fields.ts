/** Calls `visit` for each field of an encoded message, without looking into any: its number, and the value of a number. */
export function eachField(message: Uint8Array, visit: (field: number, value: number) => void): void {
  for (let at = 0; at < message.length; ) {
    const tag = varint(message, at);
    const value = varint(message, tag.end);
    const delimited = (tag.value & 7) === 2;
    visit(Math.floor(tag.value / 8), delimited ? 0 : value.value);
    at = delimited ? value.end + value.value : value.end;
  }
}

/** How often each field stands in an encoded message, by its number. */
export function countFields(message: Uint8Array): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  eachField(message, (field) => counts.set(field, (counts.get(field) ?? 0) + 1));
  return counts;
}

/** Exact up to 2^53, which is more than the revisions of a benchmark. */
function varint(message: Uint8Array, offset: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = offset;
  for (let scale = 1; ; scale *= 128) {
    const byte = message[at++];
    if (byte === undefined) throw new RangeError(`no number at byte ${offset}`);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at };
  }
}

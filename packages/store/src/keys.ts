import { ApiError } from '@navarch/machinery';

/**
 * The order of two keys by their UTF-8 bytes, which is etcd's. JavaScript compares UTF-16 code units, where the halves
 * of a surrogate pair (D800–DFFF) come before E000–FFFF although the characters they stand for come after.
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return byteRank(x) - byteRank(y);
  }
  return a.length - b.length;
}

function byteRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** etcd's way to say a range of keys: `key` inclusive to `rangeEnd` exclusive; one zero byte as the end is "no end". */
export interface KeyRange {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
}

const zeroByte = Buffer.from([0]);
export const everyKey: KeyRange = { key: zeroByte, rangeEnd: zeroByte };

/** Every key that starts with `prefix`, or those of them that come after `startAfter`. */
export function prefixRange(prefix: string, startAfter?: string): KeyRange {
  const key = startAfter !== undefined && compareKeys(startAfter, prefix) >= 0 ? `${startAfter}\0` : prefix;
  const rangeEnd = Buffer.from(prefix);
  const last = rangeEnd.length - 1;
  if (last < 0) return { key: key === '' ? zeroByte : Buffer.from(key), rangeEnd: zeroByte };
  // UTF-8 has no byte FF, so the last byte can always be raised.
  rangeEnd.writeUInt8(rangeEnd.readUInt8(last) + 1, last);
  return { key: Buffer.from(key), rangeEnd };
}

export function checkKey(key: string): void {
  if (key === '') throw new ApiError('BadRequest', 'a key must not be empty');
  checkWellFormed(key);
}

export function checkWellFormed(key: string): void {
  if (!key.isWellFormed()) {
    throw new ApiError('BadRequest', `the key ${JSON.stringify(key)} has half a surrogate pair, which UTF-8 can't say`);
  }
}

import { WireReader } from '@navarch/machinery';

/** A ListResponse, of which only the frame was read. */
export interface EncodedList {
  readonly revision: string;
  readonly bytes: Uint8Array;
  /** Where each item, an encoded Resource, begins and ends: start, end, start, end … */
  readonly items: readonly number[];
  readonly continueToken: string;
}

/** Fields of navarch.api.v1.ListResponse. */
const revisionTag = 1 * 8;
const itemTag = 2 * 8 + 2;
const continueTag = 3 * 8 + 2;

export function readList(bytes: Buffer): EncodedList {
  const from = new WireReader(bytes);
  const items: number[] = [];
  let revision = '0';
  let continueToken = '';
  while (from.at < bytes.length) {
    const tag = from.varint();
    if (tag === revisionTag) {
      const low = from.varint();
      revision = String(from.high * 2 ** 32 + low);
    } else if (tag === itemTag) {
      const end = from.end();
      items.push(from.at, end);
      from.at = end;
    } else if (tag === continueTag) {
      const end = from.end();
      continueToken = bytes.toString('utf8', from.at, end);
      from.at = end;
    } else from.skip(tag & 7);
  }
  return { revision, bytes, items, continueToken };
}

import { WireReader } from '@navarch/machinery';

export interface EncodedEvent {
  /** 1 added, 2 modified, 3 deleted. */
  readonly type: number;
  /** Where its encoded Resource begins and ends. */
  readonly start: number;
  readonly end: number;
}

/** A WatchResponse, of which only the frame was read. */
export interface EncodedWatch {
  readonly revision: string;
  readonly initial: boolean;
  readonly bytes: Buffer;
  readonly events: readonly EncodedEvent[];
}

/** Fields of navarch.api.v1.WatchResponse, and of WatchEvent. */
const revisionTag = 1 * 8;
const eventTag = 2 * 8 + 2;
const initialTag = 3 * 8;
const typeTag = 1 * 8;
const resourceTag = 2 * 8 + 2;

export function readWatch(bytes: Buffer): EncodedWatch {
  const from = new WireReader(bytes);
  const events: EncodedEvent[] = [];
  let revision = '0';
  let initial = false;
  while (from.at < bytes.length) {
    const tag = from.varint();
    if (tag === revisionTag) {
      const low = from.varint();
      revision = String(from.high * 2 ** 32 + low);
    } else if (tag === eventTag) {
      const end = from.end();
      events.push(readEvent(from, end));
      from.at = end;
    } else if (tag === initialTag) initial = from.varint() !== 0;
    else from.skip(tag & 7);
  }
  return { revision, initial, bytes, events };
}

function readEvent(from: WireReader, end: number): EncodedEvent {
  let type = 0;
  let place = { start: end, end };
  while (from.at < end) {
    const tag = from.varint();
    if (tag === typeTag) type = from.varint();
    else if (tag === resourceTag) {
      const resourceEnd = from.end();
      place = { start: from.at, end: resourceEnd };
      from.at = resourceEnd;
    } else from.skip(tag & 7);
  }
  return { type, ...place };
}

import type { etcd } from '@navarch/proto';
import type { Entry } from './store.ts';

/** The value is a view into the message it came in, as the contract allows. */
export function toEntry({ key, value, createRevision, modRevision }: etcd.KeyValue): Entry {
  return { key: toKey(key), value, createRevision, modRevision };
}

export function toKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
}

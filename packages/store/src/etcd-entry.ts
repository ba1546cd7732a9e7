import type { etcd } from '@navarch/proto';
import type { Entry } from './store.ts';

/** The value is copied: as decoded it is a view that would keep its whole message, perhaps megabytes, in memory. */
export function toEntry({ key, value, createRevision, modRevision }: etcd.KeyValue): Entry {
  return { key: toKey(key), value: Buffer.from(value), createRevision, modRevision };
}

export function toKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
}

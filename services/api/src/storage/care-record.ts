import { ApiError } from '@navarch/machinery';
import type { Compare, Store } from '@navarch/store';

/** What was done for the store, and what is under way. In the store, beside the objects, so that every replica knows. */
export interface CareRecord {
  readonly compaction?: { readonly revision: string; readonly atMs: number };
  /** The newest of each member, by its endpoint. */
  readonly defragmentations: Readonly<Record<string, Defragmentation>>;
  /** The one that is under way: a claim, so that never two members are defragmented at once. */
  readonly defragmenting?: { readonly endpoint: string; readonly sinceMs: number; readonly by: string } | undefined;
  readonly disarmedAtMs?: number;
}

export interface Defragmentation {
  readonly atMs: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const key = '/navarch-storage/care';
const maxAttempts = 10;

export const emptyRecord: CareRecord = { defragmentations: {} };

export async function readCareRecord(store: Store, signal?: AbortSignal): Promise<CareRecord> {
  const entry = await store.get(key, signal ? { signal } : {});
  return decode(entry?.value);
}

/**
 * Writes what `change` makes of the record, with a compare-and-swap and under `fence`, which is asked anew each time. When
 * `change` or `fence` gives undefined, it is not ours to write: then nothing is, and the answer is undefined.
 */
export async function changeCareRecord(
  store: Store,
  change: (record: CareRecord) => CareRecord | undefined,
  fence: () => readonly Compare[] | undefined,
): Promise<CareRecord | undefined> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const entry = await store.get(key);
    const next = change(decode(entry?.value));
    const conditions = fence();
    if (next === undefined || conditions === undefined) return undefined;
    const compare = [{ key, modRevision: entry?.modRevision ?? 0n }, ...conditions];
    const value = Buffer.from(JSON.stringify(next));
    const result = await store.commit({ compare, ops: [{ type: 'put', key, value }] });
    if (result.committed) return next;
  }
  throw new ApiError('Conflict', 'the record of the care of the store changes all the time');
}

function decode(value: Uint8Array | undefined): CareRecord {
  if (value === undefined) return emptyRecord;
  return { ...emptyRecord, ...(JSON.parse(Buffer.from(value).toString('utf8')) as CareRecord) }; // only written above
}

import { ApiError, isApiError } from '@navarch/machinery';
import type { etcd } from '@navarch/proto';
import type { EtcdConnection } from './etcd-connection.ts';
import { toEntry } from './etcd-entry.ts';
import { prefixRange } from './keys.ts';
import { atLeastOne } from './revisions.ts';
import type { Entry, Page } from './store.ts';

export interface ListOptions {
  readonly revision?: bigint;
  readonly limit?: number;
  readonly startAfter?: string;
  readonly signal?: AbortSignal;
}

/** Each answer should be about this large: enough to be quick, little enough to leave room between for other calls. */
const chunkBytes = 4 * 1024 * 1024;
const firstChunkKeys = 128;
const maxChunkKeys = 10_000;
/** How often a list of the newest revision starts again when that is compacted away under it. */
const maxRestarts = 3;

/** Reads a prefix in chunks, all at the revision of the first. */
export async function listEtcd(
  connection: Pick<EtcdConnection, 'range'>,
  prefix: string,
  options: ListOptions,
): Promise<Page> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listOnce(connection, prefix, options);
    } catch (error) {
      const restart = options.revision === undefined && isApiError(error, 'Expired') && restarts < maxRestarts;
      if (!restart) throw error;
    }
  }
}

async function listOnce(
  connection: Pick<EtcdConnection, 'range'>,
  prefix: string,
  options: ListOptions,
): Promise<Page> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  let { revision, startAfter } = options;
  const entries: Entry[] = [];
  let chunkKeys = firstChunkKeys;
  for (;;) {
    const wanted = Math.min(limit - entries.length, chunkKeys);
    const request = {
      ...prefixRange(prefix, startAfter),
      limit: BigInt(wanted),
      revision: revision === undefined ? 0n : atLeastOne(revision),
      serializable: false,
      keysOnly: false,
      countOnly: false,
    };
    let answer: etcd.RangeResponse;
    try {
      answer = await connection.range(request, signal);
    } catch (error) {
      // After small objects came large ones.
      if (!isApiError(error, 'RequestEntityTooLarge') || wanted === 1) throw error;
      chunkKeys = Math.max(1, Math.floor(wanted / 16));
      continue;
    }
    revision ??= headerRevision(answer);
    let bytes = 1;
    for (const kv of answer.kvs) {
      bytes += kv.key.length + kv.value.length;
      entries.push(toEntry(kv));
    }
    if (!answer.more || entries.length >= limit) return { entries, revision, more: answer.more };
    startAfter = entries.at(-1)?.key;
    chunkKeys = Math.min(maxChunkKeys, Math.max(1, Math.floor((chunkBytes * answer.kvs.length) / bytes)));
  }
}

/** etcd answers every call with the revision at which it was served. */
export function headerRevision({ header }: { header: { revision: bigint } | undefined }): bigint {
  if (!header) throw new ApiError('Unavailable', 'an answer of etcd came without its header: is it etcd v3?');
  return header.revision;
}

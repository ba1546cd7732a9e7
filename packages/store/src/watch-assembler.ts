import { ApiError } from '@navarch/machinery';
import { etcd } from '@navarch/proto';
import { toEntry, toKey } from './etcd-entry.ts';
import type { StoreEvent, WatchBatch } from './store.ts';

/** Something is missing between two revisions of a stream. */
export class RevisionGap extends Error {
  readonly position: bigint;

  constructor(position: bigint, next: bigint) {
    super(`the watch jumped from revision ${position} to ${next}`);
    this.name = 'RevisionGap';
    this.position = position;
  }
}

/**
 * Makes whole revisions out of the responses of one watch of every key. etcd may split a response in the middle of a
 * revision (`fragment`), and what comes before `position` again is left out. As each revision of etcd has an event,
 * and every key is watched, the revisions must follow one another without a gap, so that a loss can't pass unseen.
 */
export class WatchAssembler {
  readonly #prefix: Buffer;
  readonly #acceptGapAt: bigint | undefined;
  #position: bigint;
  /** The revision whose end hasn't been seen yet, and those of its events that match the prefix. */
  #open: { readonly revision: bigint; readonly events: StoreEvent[] } | undefined;

  /** `acceptGapAt`: a gap right after this position was seen in an earlier stream as well, so history has no more. */
  constructor(options: { prefix: string; position: bigint; acceptGapAt?: bigint | undefined }) {
    this.#prefix = Buffer.from(options.prefix);
    this.#position = options.position;
    this.#acceptGapAt = options.acceptGapAt;
  }

  /** The last complete revision. */
  get position(): bigint {
    return this.#position;
  }

  /** The batches that `response` completes; revisions without an event under the prefix only move `position`. */
  *add(response: etcd.WatchResponse): Iterable<WatchBatch> {
    if (response.compactRevision > 0n) {
      const message = `the watch's revision is older than the history kept (from ${response.compactRevision}): list again`;
      throw new ApiError('Expired', message);
    }
    if (response.canceled) throw new Error(`etcd cancelled the watch: ${response.cancelReason || 'no reason given'}`);
    for (const { type, kv } of response.events) {
      if (!kv || kv.modRevision <= this.#position) continue;
      if (kv.modRevision !== this.#open?.revision) {
        yield* this.#complete();
        this.#begin(kv.modRevision);
      }
      if (this.#matches(kv.key)) this.#open?.events.push(toEvent(type, kv));
    }
    if (!response.fragment) yield* this.#complete();
  }

  #begin(revision: bigint): void {
    const gap = revision !== this.#position + 1n && this.#position > 1n;
    if (gap && this.#position !== this.#acceptGapAt) throw new RevisionGap(this.#position, revision);
    this.#open = { revision, events: [] };
  }

  *#complete(): Iterable<WatchBatch> {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    this.#position = open.revision;
    if (open.events.length > 0) yield open;
  }

  #matches(key: Uint8Array): boolean {
    const { length } = this.#prefix;
    return key.length >= length && this.#prefix.compare(key, 0, length) === 0;
  }
}

function toEvent(type: etcd.Event['type'], kv: etcd.KeyValue): StoreEvent {
  if (type === etcd.Event_EventType.PUT) return { type: 'put', entry: toEntry(kv) };
  return { type: 'delete', key: toKey(kv.key), modRevision: kv.modRevision };
}

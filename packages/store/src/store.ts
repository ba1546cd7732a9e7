/**
 * The Store contract: a revisioned key-value map with compare-and-swap transactions and a gap-free watch.
 * etcd stands behind it in production, a map in tests; both pass the suite in `conformance.ts`.
 *
 * Revisions are etcd's: one counter for the whole store, moved by one for every transaction that changes something.
 * All writes of one transaction share one revision. 0n is "before everything"; an empty store stands at 1n.
 * Keys are well-formed, non-empty strings, ordered by their UTF-8 bytes.
 *
 * Every rejection is an ApiError: `Unavailable` when the store can't be reached in time, `Cancelled` when `signal`
 * aborted, `Expired` for a revision that is compacted away or that the store has never reached (its data was reset).
 */
export interface Store {
  /** The newest value of `key`, or undefined. Linearizable. */
  get(key: string, options?: { revision?: bigint; signal?: AbortSignal }): Promise<Entry | undefined>;

  /**
   * Entries under `prefix` in key order, at one revision: `options.revision`, or the newest (linearizable).
   * With `limit`, at most that many, and `more` tells whether others follow; go on with `startAfter` = last key, at the
   * returned `revision`. Without `limit` everything, whatever its size (read in chunks at one revision).
   * `startAfter` need not exist. Rejects with ApiError('Expired') when `revision` has been compacted away.
   */
  list(
    prefix: string,
    options?: { revision?: bigint; limit?: number; startAfter?: string; signal?: AbortSignal },
  ): Promise<Page>;

  /** The store's newest revision, linearizable. Concurrent callers share one question to the store. */
  revision(signal?: AbortSignal): Promise<bigint>;

  /**
   * Commits `transaction` when all its `compare`s hold, else changes nothing and says so: a failed compare is a value.
   * Concurrent transactions on distinct keys travel together (group commit) without delaying a lone one, and then share
   * one revision. Those that touch a common key take effect in the order of the calls.
   * Rejects with ApiError('Unavailable') when it is unknown whether the transaction was committed; it is never tried
   * again blindly. After `signal` aborts that is unknown too. Rejects with ApiError('RequestEntityTooLarge') above 128
   * operations, 128 compares or 1.25 MiB of keys and values (so an object of 1 MiB fits), and with
   * ApiError('TooManyRequests') while too many transactions wait already.
   */
  commit(transaction: Transaction, signal?: AbortSignal): Promise<TransactionResult>;

  /**
   * Commits each of `transactions` as a call of `commit` would, in their order, and resolves with what became of each once
   * all have an outcome. Never rejects. Costs less than that many calls.
   */
  commitEach(
    transactions: readonly Transaction[],
    signal?: AbortSignal,
  ): Promise<readonly PromiseSettledResult<TransactionResult>[]>;

  /**
   * Every change under `prefix` with a revision greater than `after`, in revision order, each once, across reconnects.
   * A batch holds all events of one revision. `events` is empty for a bookmark: everything up to its revision has been
   * delivered, and the store confirms that this was the newest or that what is newer comes. There is one as soon as the
   * watch has caught up, and then at least every `bookmarkMs` when idle (default 1000); none while the store is away.
   * Ends only by `signal` (the iteration then simply ends) or `close` (it throws). Throws ApiError('Expired') when the
   * store has compacted past `after`, or never reached it: list again. A slow reader slows the sender, not the store.
   */
  watch(
    prefix: string,
    options: { after: bigint; bookmarkMs?: number; signal: AbortSignal },
  ): AsyncIterable<WatchBatch>;

  /**
   * Forgets history before `revision`: reads of an earlier revision and watches after an earlier one are Expired. Does
   * nothing when that is so already. Rejects with ApiError('Expired') when the store hasn't reached `revision`.
   */
  compact(revision: bigint, signal?: AbortSignal): Promise<void>;

  /** Frees connections; calls from then on, and watches, fail with ApiError('Unavailable'). Idempotent. */
  close(): Promise<void>;
}

/**
 * One key's state. `createRevision` survives updates; `modRevision` is the revision of the last change. `value` may be a
 * view into a message of megabytes: whoever keeps it for long copies it.
 */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** The revision at which the whole page was read. */
  readonly revision: bigint;
  readonly more: boolean;
}

/**
 * A compare-and-swap: all of `compare` is checked against the state before the transaction. Keys in `ops` are distinct,
 * and so are those in `compare`. Without `ops` it only asks; without `compare` it always commits. Deleting a key that
 * isn't there changes nothing.
 */
export interface Transaction {
  readonly compare: readonly Compare[];
  readonly ops: readonly Operation[];
}

/**
 * `modRevision`: holds when the key's mod revision is exactly this; 0n means that the key must not exist.
 * `notAfter`: holds when the key was not put after this revision, and when it is not there.
 */
export type Compare =
  | { readonly key: string; readonly modRevision: bigint }
  | { readonly key: string; readonly notAfter: bigint };

/** Whether a compare holds for a key whose mod revision is `modRevision`, 0n when it is not there. */
export function holds(compare: Compare, modRevision: bigint): boolean {
  return 'notAfter' in compare ? modRevision <= compare.notAfter : modRevision === compare.modRevision;
}

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: string };

export type TransactionResult =
  /** `revision`: what the changed keys now carry; when nothing changed, a revision at which that was so. */
  | { readonly committed: true; readonly revision: bigint }
  /** `conflicts`: each compared key that did not match, with its entry as it was then. */
  | { readonly committed: false; readonly revision: bigint; readonly conflicts: readonly Conflict[] };

export interface Conflict {
  readonly key: string;
  readonly entry: Entry | undefined;
}

export interface WatchBatch {
  readonly revision: bigint;
  readonly events: readonly StoreEvent[];
}

/** `previous` is not carried: a cache that applies every event in order has it. */
export type StoreEvent =
  | { readonly type: 'put'; readonly entry: Entry }
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: bigint };

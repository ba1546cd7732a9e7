/**
 * The Store contract: a revisioned key-value map with compare-and-swap transactions and a gap-free watch.
 * etcd stands behind it in production, a map in tests; both pass the suite in `conformance.ts`.
 *
 * Revisions are etcd's: one counter for the whole store, moved by one for every transaction that changes something.
 * All writes of one transaction share one revision. 0n is "before everything".
 */
export interface Store {
  /** The newest value of `key`, or undefined. Linearizable. */
  get(key: string, options?: { revision?: bigint; signal?: AbortSignal }): Promise<Entry | undefined>;

  /**
   * Entries under `prefix` in key order, at one revision: `options.revision`, or the newest (linearizable).
   * With `limit`, at most that many, and `more` tells whether others follow; go on with `startAfter` = last key, at the
   * returned `revision`. Without `limit` everything, whatever its size (read in chunks at one revision).
   * Throws ApiError('Expired') when `revision` has been compacted away.
   */
  list(
    prefix: string,
    options?: { revision?: bigint; limit?: number; startAfter?: string; signal?: AbortSignal },
  ): Promise<Page>;

  /** The store's newest revision, linearizable. Concurrent callers share one question to the store. */
  revision(signal?: AbortSignal): Promise<bigint>;

  /**
   * Commits `transaction` when all its `compare`s hold, else changes nothing and says so: a failed compare is a value.
   * Concurrent transactions on distinct keys travel together (group commit) without delaying a lone one.
   * Rejects with ApiError('Unavailable') when it is unknown whether the transaction was committed; it is never tried
   * again blindly. Rejects with ApiError('RequestEntityTooLarge') above 128 operations or 1 MiB + one object.
   */
  commit(transaction: Transaction, signal?: AbortSignal): Promise<TransactionResult>;

  /**
   * Every change under `prefix` with a revision greater than `after`, in revision order, each once, across reconnects.
   * A batch holds all events of one revision; `events` is empty for a bookmark (at least every `bookmarkMs` when idle,
   * default 1000). Ends only by `signal` (the iteration then simply ends). Throws ApiError('Expired') when the store
   * has compacted past `after`: list again.
   */
  watch(
    prefix: string,
    options: { after: bigint; bookmarkMs?: number; signal: AbortSignal },
  ): AsyncIterable<WatchBatch>;

  /** Forgets history before `revision`: reads and watches from before it are Expired. */
  compact(revision: bigint, signal?: AbortSignal): Promise<void>;

  /** Frees connections. Idempotent. */
  close(): Promise<void>;
}

/** One key's state. `createRevision` survives updates; `modRevision` is the revision of the last change. */
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

/** A compare-and-swap: `compare` are all checked against the state before the transaction. Keys in `ops` are distinct. */
export interface Transaction {
  readonly compare: readonly Compare[];
  readonly ops: readonly Operation[];
}

/** Holds when the key's mod revision is exactly `modRevision`; 0n means that the key must not exist. */
export interface Compare {
  readonly key: string;
  readonly modRevision: bigint;
}

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: string };

export type TransactionResult =
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

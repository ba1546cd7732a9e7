import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject, Live, ObjectKey } from '@navarch/machinery';

/**
 * Caches of several kinds that move together: at any moment all of them show the cluster as it was at one `revision`
 * (or, between two batches of one revision on different feed subjects, will within the same turn of the event loop).
 *
 * Filled by one list of each kind and one gRPC Watch of all; while the change feed on the bus flows without a hole it is
 * used instead, and the Watch is closed. Handlers are called after the caches show the change, in revision order.
 * Nothing is lost or doubled across reconnects; after a gap (Expired) the difference to a new list is delivered as changes.
 */
export interface InformerSet {
  lister<T extends KubeObject>(kind: KindDefinition<T>): Lister<T>;
  /** `handler` hears of each change from now on; at the start each object is 'added'. Call before start. */
  onChange<T extends KubeObject>(kind: KindDefinition<T>, handler: (change: Change<T>) => void): void;
  /** Everything up to and with this revision is in the caches. 0n before the first sync. */
  readonly revision: bigint;
  /** Resolves once the caches have been filled. */
  synced(signal: AbortSignal): Promise<void>;
  /** Resolves once the caches show `revision`: a controller waits for its own last write before it acts again. */
  reached(revision: bigint, signal: AbortSignal): Promise<void>;
  /** Runs until `signal` aborts, waiting with back-off for an api that is down. */
  run(signal: AbortSignal): Promise<void>;
}

/** What a cache holds. Objects are shared: never change them. */
export interface Lister<T extends KubeObject> {
  get(key: ObjectKey | string): Live<T> | undefined;
  /** All objects, or those in a namespace. */
  list(namespace?: string): readonly Live<T>[];
  /** Objects by an index that was registered with addIndex. */
  byIndex(index: string, value: string): readonly Live<T>[];
  /** `keys` gives the index values of an object. Call before start. */
  addIndex(index: string, keys: (object: Live<T>) => readonly string[]): void;
}

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: Live<T> }
  | { readonly type: 'modified'; readonly object: Live<T>; readonly previous: Live<T> }
  | { readonly type: 'deleted'; readonly object: Live<T> };

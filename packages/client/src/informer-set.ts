import type { EventBus } from '@navarch/bus';
import type { KindDefinition } from '@navarch/kinds';
import type { Clock, Logger } from '@navarch/kit';
import type { KubeObject, Live, ObjectKey } from '@navarch/machinery';
import type { WatchSource } from './watch-source.ts';

/**
 * Caches of several kinds that move together: at any moment all of them show the cluster as it was at one `revision`, and
 * a transaction over several kinds is seen whole. (Kinds that never travel on the bus move on their own beside the others.)
 *
 * Filled by one gRPC Watch of all kinds from the beginning; while the change feed on the bus flows without a hole it is
 * used instead, and the Watch is closed. Handlers are called after the caches show a whole revision, in revision order.
 * Nothing is lost or doubled across reconnects; after a gap (Expired) the difference to a new list is delivered as changes.
 * A handler that throws is logged, and the others go on.
 */
export interface InformerSet {
  lister<T extends KubeObject>(kind: KindDefinition<T>): Lister<T>;
  /** `handler` hears of each change from now on; at the start each object is 'added'. Call before start. */
  onChange<T extends KubeObject>(kind: KindDefinition<T>, handler: (change: Change<T>) => void): void;
  /** Everything up to and with this revision is in the caches. 0n before the first sync. */
  readonly revision: bigint;
  /** What keeps the caches up to date right now: for logs, metrics and tests. */
  readonly source: 'none' | 'watch' | 'feed';
  /** Resolves once the caches have been filled. */
  synced(signal: AbortSignal): Promise<void>;
  /**
   * Resolves once the caches show `revision`: a controller waits for its own last write before it acts again. Takes about a
   * millisecond while the feed flows, and up to a second otherwise, or with kinds that never travel on the bus, when the
   * revision changed nothing that is watched.
   */
  reached(revision: bigint, signal: AbortSignal): Promise<void>;
  /** Runs until `signal` aborts, waiting with back-off for an api that is down. Never throws. */
  run(signal: AbortSignal): Promise<void>;
}

/** One kind to keep in a cache. */
export interface InformerTarget {
  readonly kind: KindDefinition;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Hear only this token of the kind's feed: a node's Pods. The selectors must choose the same objects. */
  readonly feedToken?: string;
}

export interface InformerOptions {
  /** Where lists and watches come from: a client's `raw`. */
  readonly api: WatchSource;
  /** Without it everything comes by gRPC Watch. */
  readonly bus?: EventBus;
  /** Each kind once. Kinds that are kept as events have revisions of their own and can't stand beside others. */
  readonly targets: readonly InformerTarget[];
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Freeze every object, so that a test fails where the code changes what it was lent. Default false. */
  readonly freeze?: boolean;
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
  /** `object` is its last state, with the revision at which it went where that is known. */
  | { readonly type: 'deleted'; readonly object: Live<T> };

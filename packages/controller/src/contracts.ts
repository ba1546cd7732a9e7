import type { KindDefinition } from '@navarch/kinds';
import type { Fence } from '@navarch/proto';
import type { KubeObject } from '@navarch/machinery';

/**
 * Brings one kind of thing towards what is wanted. The runner calls `reconcile` with a key, never twice at once for one
 * key, again after each change of it, and again with back-off after an error. It is not called while the caches are older
 * than the controller's own last write for that key.
 */
export interface Controller {
  readonly name: string;
  /** Which changes concern which keys. */
  readonly sources: readonly Source[];
  /** How many keys are worked on at once. Default 4. */
  readonly concurrency?: number;
  /** Looks at what is wanted and what is, and takes the next step. Decided from state alone. */
  reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult>;
}

/** A kind that is watched, and the keys that a changed object concerns (both its old and its new state are asked). */
export interface Source<T extends KubeObject = KubeObject> {
  readonly kind: KindDefinition<T>;
  /** A method, so that a Source<Pod> can stand in a list of sources. */
  keys(object: T): readonly string[];
}

/** A Source whose `keys` knows what it is given: `source(pod, (pod) => …)`. */
export function source<T extends KubeObject>(
  kind: KindDefinition<T>,
  keys: (object: T) => readonly string[],
): Source<T> {
  return { kind, keys };
}

export interface ReconcileContext {
  /** Put it in every write. */
  readonly fence: Fence;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal: AbortSignal;
}

export interface ReconcileResult {
  /** The highest revision that this call wrote: the key waits until the caches show it. */
  readonly wroteRevision?: bigint;
  /** Look again after this time even if nothing changes. */
  readonly againAfterMs?: number;
}

/** Reports what happened to an object as an Event. Never blocks, never throws; drops the oldest when too many wait. */
export interface EventRecorder {
  event(kind: KindDefinition, object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

import type { KindDefinition, Kinds } from '@navarch/kinds';
import type { Compare, Operation } from '@navarch/store';
import type { CachedObject } from '../cache/cached-object.ts';
import type { StoragePressure } from '../storage/pressure.ts';
import type { TolerationSeconds } from './admission/tolerations.ts';
import type { Room, Taking } from './rooms.ts';
import type { ServiceNetwork } from './service-network.ts';

/** The current state that writes are decided on. */
export interface View {
  get(kind: KindDefinition, namespace: string, name: string): CachedObject | undefined;
  /** By name; of one namespace, or of all when it is ''. */
  list(kind: KindDefinition, namespace?: string): Iterable<CachedObject>;
  /** Whether the transaction that is being decided has written the object already. */
  written(kind: KindDefinition, namespace: string, name: string): boolean;
  /** What is taken of a node. */
  room(nodeName: string): Room;
  /** Everything up to this revision is in it. */
  readonly revision: bigint;
}

/** What a decision may depend on besides its request. `now` is RFC 3339; `random` gives numbers in [0, 1). */
export interface Circumstances {
  readonly view: View;
  readonly kinds: Kinds;
  readonly now: string;
  /** The writing program: it owns what a write without a manager changes. '' when it gives no name. */
  readonly program: string;
  readonly random: () => number;
  readonly serviceNetwork: ServiceNetwork;
  readonly tolerationSeconds: TolerationSeconds;
  /** How full the store is; undefined when nobody can tell. */
  readonly pressure: StoragePressure | undefined;
}

/**
 * One write, decoded and checked as far as that goes without the current state. `prepare` decides against that state
 * what to commit; it is asked again when the state has moved meanwhile. Throws ApiError when the write is refused.
 */
export interface Write {
  readonly kind: KindDefinition;
  readonly namespace: string;
  /** What the write is about; for a name that the api makes up, what it was made from. */
  readonly name: string;
  /** It depends on other objects, whose changes no compare covers: it is decided on a state as new as the call. */
  readonly decidedOnOthers?: true;
  /** Writes of one call with the same word here are committed in one transaction where they can: they all change this key. */
  readonly goesTogether?: string;
  prepare(circumstances: Circumstances): Prepared;
}

/**
 * The write that `decode` gives, which is let go of once it is prepared, and decoded again should it have to be prepared
 * again: until it is committed only what it came to is needed.
 */
export function letGo(decode: () => Write): Write {
  let decoded: Write | undefined = decode();
  const { kind, namespace, name, decidedOnOthers, goesTogether } = decoded;
  return {
    kind,
    namespace,
    name,
    ...(decidedOnOthers && { decidedOnOthers }),
    ...(goesTogether !== undefined && { goesTogether }),
    prepare: (circumstances) => {
      const write = decoded ?? decode();
      decoded = undefined;
      return write.prepare(circumstances);
    },
  };
}

/** Another object that goes with a write: `body` takes its place, unless it has changed meanwhile. */
export interface OtherWrite {
  /** As it is. */
  readonly object: CachedObject;
  /** As it will be: an encoded Resource without revision. */
  readonly body: Uint8Array;
}

/** What one write comes to: a part of a transaction, and the object as it will be. */
export interface Prepared {
  /** The storage key of the object. */
  readonly key: string;
  /**
   * Every operation is covered by a compare on its own key or on that of the object that owns it. Without operations: what
   * the write is a condition for, where there are others in its transaction.
   */
  readonly compare: readonly Compare[];
  /** Empty when the write changes nothing. */
  readonly ops: readonly Operation[];
  /** Other objects that the write changes: quotas that it is charged to. */
  readonly others?: readonly OtherWrite[];
  /** The room that it takes on a node. */
  readonly taking?: Taking;
  /** The object after the write (before it, when it goes): an encoded Resource without revision. */
  readonly body: Uint8Array;
  /** The object's revision when nothing is written. */
  readonly revision: bigint;
  /** The object is gone after the write. */
  readonly gone: boolean;
  /** The object is new. */
  readonly created?: boolean;
}

import type { KindDefinition, Kinds } from '@navarch/kinds';
import type { CachedObject } from '../cache/cached-object.ts';

/** All objects at one revision. */
export interface Snapshot {
  readonly kinds: Kinds;
  /** The kinds of objects that are kept, each once. */
  readonly keptKinds: readonly KindDefinition[];
  readonly revision: bigint;
  get(kind: KindDefinition, namespace: string, name: string): CachedObject | undefined;
  /** Those of one namespace, or all when it is ''. */
  list(kind: KindDefinition, namespace: string): Iterable<CachedObject>;
}

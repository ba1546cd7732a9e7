import type { KindDefinition } from '@navarch/kinds';
import type { Compare, Operation } from '@navarch/store';
import type { CachedObject } from '../cache/cached-object.ts';
import type { WritableObject } from './object-rules.ts';
import type { Circumstances } from './write.ts';

/** What admitting an object adds to its transaction. */
export interface Admitted {
  readonly compare: readonly Compare[];
  readonly ops: readonly Operation[];
}

const nothing: Admitted = { compare: [], ops: [] };

/** What the api itself adds to an object, or to its transaction, beyond defaults. Changes `next`. */
export function admit(
  _circumstances: Circumstances,
  _kind: KindDefinition,
  _next: WritableObject,
  _previous: CachedObject | undefined,
): Admitted {
  return nothing;
}

/** What has to be given back when an object goes. */
export function release(_cached: CachedObject): readonly Operation[] {
  return [];
}

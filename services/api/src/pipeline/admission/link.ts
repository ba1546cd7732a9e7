import type { KindDefinition } from '@navarch/kinds';
import type { FieldError } from '@navarch/machinery';
import type { Compare, Operation } from '@navarch/store';
import type { CachedObject } from '../../cache/cached-object.ts';
import type { WritableObject } from '../object-rules.ts';
import type { Door } from '../owners.ts';
import type { Taking } from '../rooms.ts';
import type { Circumstances, OtherWrite } from '../write.ts';

/** An object that is to be made or changed. */
export interface Step {
  readonly circumstances: Circumstances;
  readonly kind: KindDefinition;
  /** As it will be. A link may replace its fields, but must not change what is inside them: that is shared between tries. */
  readonly next: WritableObject;
  /** As it is; undefined when it is new. */
  readonly previous: CachedObject | undefined;
  /** The door to a part of spec that the write came through; undefined for the front door. */
  readonly door?: Door | undefined;
}

/** What a link adds to a write. */
export interface Admitted {
  /** What is wrong with which field; all links' together make one refusal. */
  readonly errors?: readonly FieldError[];
  /** What must not have changed when the write is committed. */
  readonly compare?: readonly Compare[];
  /** What goes into the write's transaction. */
  readonly ops?: readonly Operation[];
  /** Other objects that change with it. */
  readonly others?: readonly OtherWrite[];
  /** The room that it takes. */
  readonly taking?: Taking;
}

/**
 * One rule of admission: a pure function of a write and of the state it is decided on. Asked again whenever that state has
 * moved. Throws ApiError for a refusal that concerns no single field.
 */
export interface Link {
  /** Called for each create and each change of an object, its status and its binding included. */
  admit?(step: Step): Admitted | undefined;
  /** Called when an object goes. */
  release?(circumstances: Circumstances, going: CachedObject): Admitted | undefined;
}

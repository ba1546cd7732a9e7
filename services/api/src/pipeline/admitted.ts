import type { Compare, Operation } from '@navarch/store';

/** What admitting an object adds to its transaction. */
export interface Admitted {
  readonly compare: readonly Compare[];
  readonly ops: readonly Operation[];
}

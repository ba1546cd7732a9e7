import type { ClientWrite } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';

/** What a decision wants done, as data. Empty at the fixed point. */
export interface Plan {
  /** Independent of one another unless `atomic`; no two to one object. Updates carry the version that was looked at. */
  readonly writes: readonly ClientWrite[];
  /** All of the writes or none of them, in one call. At most 100. */
  readonly atomic?: boolean;
  /** What to tell people. */
  readonly events: readonly PlannedEvent[];
  /** In whose name the writes are made, where fields' owners are remembered; the program's when undefined. */
  readonly fieldManager?: string;
  /** When to look again although nothing changes. */
  readonly againAfterMs?: number;
}

export interface PlannedEvent {
  readonly kind: KindDefinition;
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Told only once this write is done. */
  readonly after?: ClientWrite;
}

export const nothingToDo: Plan = { writes: [], events: [] };

/** The earlier of two times to look again. */
export function sooner(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

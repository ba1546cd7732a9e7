import type { Budget } from '../preemption.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Profile } from '../profiles.ts';
import type { QueueName } from '../queue.ts';
import type { Snapshot } from '../snapshot.ts';

/** The cluster as a scheduler knows it at one moment, standing still. Whoever has it may change the snapshot. */
export interface Picture {
  readonly snapshot: Snapshot;
  readonly budgets: readonly Budget[];
  readonly profiles: ReadonlyMap<string, Profile>;
  /** The Pod with what is known of its claims. */
  readonly withClaims: (pod: PodInfo) => PodInfo;
  /** How a Pod without a node waits; undefined when it does not. */
  readonly waits: (key: string) => QueueName | 'taken' | undefined;
  /** The node where room is kept for the Pod. */
  readonly nominationOf: (pod: PodInfo) => string | undefined;
  /** Whether less important Pods are on their way out of there. */
  readonly isLeaving: (pod: PodInfo) => boolean;
}

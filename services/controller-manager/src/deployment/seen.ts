import type { Live } from '@navarch/machinery';
import type { CanaryStatus, Deployment, DeploymentStatus, Pod, ReplicaSet } from '@navarch/proto';
import type { Configuration, KnownTemplate } from './configuration.ts';
import type { Health } from './crashes.ts';
import type { ReplicaSets } from './replica-sets.ts';

export interface DeploymentObserved {
  readonly deployment: Live<Deployment>;
  /** The ReplicaSets that it manages, and those of its namespace that nobody does. */
  readonly replicaSets: readonly Live<ReplicaSet>[];
  /** Whether a ReplicaSet of this name is in its namespace. */
  readonly taken: { has(name: string): boolean };
  /** The Pods of its ReplicaSets; needed by Recreate and by a rollout that may go back. */
  readonly pods: readonly Live<Pod>[];
  /** The ConfigMaps and Secrets of its namespace, where they are a part of its releases. */
  readonly configuration?: Configuration | undefined;
}

/** The same, looked through: all that the next step and the status depend on. */
export interface Seen {
  readonly deployment: Live<Deployment>;
  readonly known: KnownTemplate | undefined;
  /** What must be there before anybody knows the template. */
  readonly lacks?: string | undefined;
  readonly sets: ReplicaSets;
  readonly health: Health;
  readonly canary: CanaryStatus | undefined;
  /** Why a ReplicaSet could not be made just now. */
  readonly failure?: string | undefined;
  /** The ReplicaSet that is being made in this step. */
  readonly created?: string | undefined;
  readonly collisions?: number | undefined;
}

export type Counts = Pick<
  DeploymentStatus,
  'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas' | 'observedGeneration'
>;

import { countOf } from '../count-or-percent.ts';
import type { View } from './view.ts';

/** On how many nodes an update may take the Pod away, or have two. One of them is 0. */
export interface Limits {
  readonly maxUnavailable: number;
  readonly maxSurge: number;
}

/**
 * Shares of the nodes that should have a Pod round up. When both come to nothing, one Pod may be missing, since the update
 * could not move otherwise. Undefined for OnDelete. Source: the Kubernetes API reference, RollingUpdateDaemonSet.
 */
export function limitsOf({ set, nodes }: View): Limits | undefined {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return undefined;
  const wanted = nodes.filter(({ fit }) => fit === 'should').length;
  const { maxUnavailable = 1, maxSurge = 0 } = rollingUpdate ?? {};
  const surge = countOf(maxSurge, wanted, Math.ceil);
  if (surge > 0) return { maxUnavailable: 0, maxSurge: surge };
  return { maxUnavailable: Math.max(1, countOf(maxUnavailable, wanted, Math.ceil)), maxSurge: 0 };
}

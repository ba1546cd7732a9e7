import type { DeploymentSpec } from '@navarch/proto';
import { countOf } from '../count-or-percent.ts';

/** By how many Pods a rolling update may be over and under what is wanted. */
export interface Limits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/**
 * A share of the replicas rounds up for surge and down for unavailable; when both come to nothing, one Pod may be
 * unavailable, since the update could not move otherwise. Defaults 25 %. Source:
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function rollingLimits(spec: DeploymentSpec): Limits {
  const replicas = replicasOf(spec);
  if (isRecreate(spec)) return { maxSurge: 0, maxUnavailable: replicas };
  const { maxSurge: surge = '25%', maxUnavailable: unavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  const maxSurge = countOf(surge, replicas, Math.ceil);
  const maxUnavailable = countOf(unavailable, replicas, Math.floor);
  if (maxSurge === 0 && maxUnavailable === 0) return { maxSurge, maxUnavailable: Math.min(1, replicas) };
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

export function isRecreate({ strategy }: DeploymentSpec): boolean {
  return strategy?.type === 'Recreate';
}

export function replicasOf({ replicas }: { readonly replicas?: number | undefined }): number {
  return replicas ?? 1;
}

import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';

/** A Pod's say in whether it goes first: lower goes earlier. Default 0. */
const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

/**
 * Pods in the order in which they are given up: those that do the least first. `related` are the Pods that do the same
 * beside them, those of a Deployment's other ReplicaSets. The order is Kubernetes'
 * (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset): without a node, pending,
 * not ready, cheaper, on a node with more of their kind, ready for a shorter time, restarted more often, younger.
 */
export function removalOrder(pods: readonly Live<Pod>[], related: readonly Live<Pod>[] = []): readonly Live<Pod>[] {
  const perNode = new Map<string, number>();
  for (const { spec } of [...pods, ...related]) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod, perNode.get(pod.spec.nodeName) ?? 0) }));
  return ranked.toSorted((a, b) => compare(a.rank, b.rank)).map(({ pod }) => pod);
}

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

function rank(pod: Live<Pod>, siblingsOnNode: number): readonly (number | string)[] {
  const { metadata, spec, status } = pod;
  const cost = Number(metadata.annotations[deletionCostAnnotation] ?? 0);
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  const restarts = status.containerStatuses.reduce((most, { restartCount }) => Math.max(most, restartCount), 0);
  return [
    spec.nodeName === '' ? 0 : 1,
    phaseRank[status.phase] ?? 0,
    isReady ? 1 : 0,
    Number.isFinite(cost) ? cost : 0,
    -siblingsOnNode,
    -(isReady ? ms(ready.lastTransitionTime) : 0),
    -restarts,
    -ms(metadata.creationTimestamp),
    metadata.name,
  ];
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** 0 for what is no time. */
function ms(time: string): number {
  return Date.parse(time) || 0;
}

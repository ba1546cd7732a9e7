import type { PodSpec, Toleration } from '@navarch/proto';
import { nodeTaints } from './taints.ts';

/**
 * What daemons put up with, so that a node in trouble keeps its own. Source:
 * https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
 */
export function daemonTolerations(spec: PodSpec | undefined): Toleration[] {
  const own = spec?.tolerations ?? [];
  const { notReady, unreachable, diskPressure, memoryPressure, pidPressure, unschedulable, networkUnavailable } =
    nodeTaints;
  const added = [
    ...[notReady, unreachable].map((key) => forAll(key, 'NoExecute')),
    ...[diskPressure, memoryPressure, pidPressure, unschedulable].map((key) => forAll(key, 'NoSchedule')),
    ...(spec?.hostNetwork === true ? [forAll(networkUnavailable, 'NoSchedule')] : []),
  ];
  // One that the template limits in time is meant for ever here.
  const isAdded = (each: Toleration) =>
    added.some(({ key, effect }) => each.key === key && each.effect === effect && each.operator === 'Exists');
  return [...own.filter((each) => !isAdded(each)), ...added];
}

function forAll(key: string, effect: string): Toleration {
  return { key, operator: 'Exists', value: '', effect, tolerationSeconds: undefined };
}

import type { Live } from '@navarch/machinery';
import { Condition, type Pod } from '@navarch/proto';

/**
 * The Pod with the condition that says why it has no node; undefined when it says so already. `now` is milliseconds since
 * the epoch.
 */
export function withUnschedulable(pod: Live<Pod>, message: string, now: number): Live<Pod> | undefined {
  const { conditions } = pod.status;
  const before = conditions.find(({ type }) => type === 'PodScheduled');
  if (before?.status === 'False' && before.reason === 'Unschedulable' && before.message === message) return undefined;
  const condition = Condition.fromJSON({
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime:
      before?.status === 'False' ? before.lastTransitionTime : `${new Date(now).toISOString().slice(0, 19)}Z`,
  });
  const others = conditions.filter(({ type }) => type !== 'PodScheduled');
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
}

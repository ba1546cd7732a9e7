import type { Live } from '@navarch/machinery';
import { Condition, type Pod } from '@navarch/proto';

/** The Pod with the condition that says for whom it has to leave. `now` is milliseconds since the epoch. */
export function withPreempted(pod: Live<Pod>, by: { readonly key: string }, now: number): Live<Pod> {
  const others = pod.status.conditions.filter(({ type }) => type !== 'DisruptionTarget');
  const condition = Condition.fromJSON({
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `Makes room for ${by.key}, which is more important`,
    lastTransitionTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
  });
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
}

import type { Live } from '@navarch/machinery';
import { Condition, type Pod } from '@navarch/proto';

/**
 * The Pod with the condition that says why it has no node; undefined when it says so already. `now` is milliseconds since
 * the epoch.
 */
export function withUnschedulable(pod: Live<Pod>, message: string, now: number): Live<Pod> | undefined {
  const before = pod.status.conditions.find(({ type }) => type === 'PodScheduled');
  if (before?.status === 'False' && before.reason === 'Unschedulable' && before.message === message) return undefined;
  const since = before?.status === 'False' ? before.lastTransitionTime : time(now);
  return withCondition(pod, {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: since,
  });
}

/** The Pod with the condition that says for whom it has to leave. */
export function withPreempted(pod: Live<Pod>, by: { readonly key: string }, now: number): Live<Pod> {
  return withCondition(pod, {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `Makes room for ${by.key}, which is more important`,
    lastTransitionTime: time(now),
  });
}

type Claim = Pick<Condition, 'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'>;

function withCondition(pod: Live<Pod>, claim: Claim): Live<Pod> {
  const others = pod.status.conditions.filter(({ type }) => type !== claim.type);
  return { ...pod, status: { ...pod.status, conditions: [...others, Condition.fromJSON(claim)] } };
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

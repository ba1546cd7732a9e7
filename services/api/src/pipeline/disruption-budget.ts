import { pod as podKind, podDisruptionBudget as budgetKind } from '@navarch/kinds';
import { ApiError, labelSelectorPredicate } from '@navarch/machinery';
import { Condition, type Pod, type PodDisruptionBudget, PodDisruptionBudgetStatus } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { copyOf } from './current.ts';
import { encodeBody } from './object-rules.ts';
import type { Circumstances, OtherWrite, View } from './write.ts';

/** So many evictions may wait to be seen by the controller that counts. */
const mostUnseen = 2_000;
const notCountedYetSeconds = 1;
const exhaustedSeconds = 2;

/**
 * What the eviction of `pod` takes from the budget that it stands under: its status with one disruption less, to be committed
 * with the deletion, so that two evictions can't both take the last one. Undefined when it takes nothing. Throws
 * TooManyRequests when there is none left.
 *
 * Beside what the controller has counted, the Pods that are healthy at this moment have to be enough: the count may be older
 * than the news that one has failed. Source of the rules: kubernetes pkg/registry/core/pod/storage/eviction.go.
 */
export function spendDisruption({ view, now }: Circumstances, { namespace, name }: CachedObject, pod: Pod) {
  const phase = pod.status?.phase ?? '';
  // It serves nobody: it has ended, or has not begun.
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || phase === '') return undefined;
  const cached = budgetOf(view, namespace, pod);
  if (cached === undefined) return undefined;
  const budget = cached.object as PodDisruptionBudget; // the cache decodes a kind's objects with its message
  const status = budget.status ?? PodDisruptionBudgetStatus.fromPartial({});
  const healthy = healthyPods(view, namespace, budget);
  const isOne = isHealthy(pod);
  if (!isOne && mayGoUnhealthy(budget, Math.min(healthy, status.currentHealthy))) return undefined;
  const refuse = (why: string, retryAfterSeconds: number) =>
    new ApiError(
      'TooManyRequests',
      `cannot evict pod ${namespace}/${name} as it would violate the pod's disruption budget: the disruption budget ${cached.name} ${why}`,
      { retryAfterSeconds },
    );
  if (status.observedGeneration < (budget.metadata?.generation ?? 0)) {
    throw refuse('is still being processed by the server', notCountedYetSeconds);
  }
  if (Object.keys(status.disruptedPods).length >= mostUnseen) {
    throw refuse(`waits for ${mostUnseen} evictions to be seen`, notCountedYetSeconds);
  }
  const failed = status.conditions.find(({ type, reason }) => type === 'DisruptionAllowed' && reason === 'SyncFailed');
  if (failed !== undefined) throw refuse(`can not be counted: ${failed.message}`, exhaustedSeconds);
  if (status.disruptionsAllowed <= 0 || healthy - (isOne ? 1 : 0) < status.desiredHealthy) {
    throw refuse(`needs ${status.desiredHealthy} healthy pods and has ${healthy} currently`, exhaustedSeconds);
  }
  return spent(cached, name, now);
}

/** Throws InternalError when there are several: nobody could say which of them counts. */
function budgetOf(view: View, namespace: string, pod: Pod): CachedObject | undefined {
  const labels = pod.metadata?.labels;
  const [budget, ...others] = [...view.list(budgetKind, namespace)].filter(({ object }) =>
    labelSelectorPredicate((object as PodDisruptionBudget).spec?.selector)(labels),
  );
  if (budget === undefined || others.length === 0) return budget;
  const names = [budget, ...others].map(({ name }) => name).join(', ');
  throw new ApiError(
    'InternalError',
    `pod ${namespace}/${pod.metadata?.name ?? ''} can not be evicted: it has more than one PodDisruptionBudget (${names}), which eviction does not support`,
  );
}

function healthyPods(view: View, namespace: string, { spec }: PodDisruptionBudget): number {
  const selects = labelSelectorPredicate(spec?.selector);
  let healthy = 0;
  for (const cached of view.list(podKind, namespace)) {
    if (selects(cached.labels) && isHealthy(cached.object as Pod)) healthy++; // the kind's message
  }
  return healthy;
}

function isHealthy({ metadata, status }: Pod): boolean {
  const ready = status?.conditions.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
  return ready && metadata?.deletionTimestamp === '';
}

/** Whether a Pod that isn't ready may go although that is not counted. */
function mayGoUnhealthy({ spec, status }: PodDisruptionBudget, healthy: number): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const desired = status?.desiredHealthy ?? 0;
  return desired > 0 && healthy >= desired;
}

function spent(object: CachedObject, podName: string, now: string): OtherWrite {
  const copy = copyOf(object) as ReturnType<typeof copyOf> & PodDisruptionBudget; // the cache decodes with the kind's message
  const status = copy.status ?? PodDisruptionBudgetStatus.fromPartial({});
  const disruptionsAllowed = status.disruptionsAllowed - 1;
  const disruptedPods = { ...status.disruptedPods, [podName]: now };
  const conditions =
    disruptionsAllowed > 0 ? status.conditions : status.conditions.map((each) => notAllowed(each, now));
  copy.status = { ...status, disruptionsAllowed, disruptedPods, conditions };
  return { object, body: encodeBody(budgetKind, copy) };
}

function notAllowed(condition: Condition, now: string): Condition {
  if (condition.type !== 'DisruptionAllowed' || condition.status === 'False') return condition;
  return { ...condition, status: 'False', reason: 'InsufficientPods', lastTransitionTime: now, lastUpdateTime: now };
}

import { isDeepStrictEqual } from 'node:util';
import { type ClientWrite } from '@navarch/client';
import { controllerOf, pod as podKind, podDisruptionBudget as budgetKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { OwnerReference, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '@navarch/proto';
import { type ConditionClaim, withCondition } from '../conditions.ts';
import { nothingToDo, type Plan, type PlannedEvent, sooner } from '../plan.ts';
import { isReady } from '../pod-state.ts';
import { parseTimestamp } from '../time.ts';

export interface BudgetObserved {
  readonly budget: Live<PodDisruptionBudget>;
  /** The Pods that it chooses and that are not over. */
  readonly pods: readonly Live<Pod>[];
  /** How many Pods a controller wants; undefined when it is not there, or says no such thing. */
  readonly scaleOf: (owner: OwnerReference) => number | undefined;
}

/** An eviction that was granted so long ago and did not happen is taken for failed, and its Pod counts again. */
const unseenForMs = 2 * 60_000;
/** Controllers of custom kinds may be scaled without a Pod changing at once. */
const countAgainMs = 60_000;

/**
 * Counts what a budget allows: the healthy Pods beyond those that must be. Source of the rules:
 * https://kubernetes.io/docs/tasks/run-application/configure-pdb/ and kubernetes pkg/controller/disruption.
 */
export function reconcileBudget(observed: BudgetObserved, now: number): Plan {
  const { budget, pods } = observed;
  if (budget.metadata.deletionTimestamp !== '') return nothingToDo;
  const unseen = evictionsUnderWay(observed, now);
  const expected = expectation(observed);
  if (typeof expected === 'string')
    return { ...write(budget, uncounted(budget, expected, now)), againAfterMs: countAgainMs };
  const currentHealthy = pods.filter(
    (pod) =>
      isReady(pod) && pod.metadata.deletionTimestamp === '' && !Object.hasOwn(unseen.disruptedPods, pod.metadata.name),
  ).length;
  const { expectedPods, desiredHealthy } = expected;
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const claim: ConditionClaim =
    disruptionsAllowed > 0
      ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' }
      : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' };
  const plan = write(budget, {
    observedGeneration: budget.metadata.generation,
    disruptedPods: unseen.disruptedPods,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withCondition(budget.status.conditions, claim, now),
  });
  const [statusWrite] = plan.writes;
  const unmanaged = statusWrite === undefined ? [] : unmanagedEvent(observed, statusWrite);
  const againAfterMs = sooner(unseen.againAfterMs, needsScale(budget) && pods.length > 0 ? countAgainMs : undefined);
  return {
    writes: plan.writes,
    events: [...unseen.events, ...unmanaged],
    ...(againAfterMs !== undefined && { againAfterMs }),
  };
}

/** How many Pods there should be, and be healthy; or why nobody can say. */
function expectation(observed: BudgetObserved): { expectedPods: number; desiredHealthy: number } | string {
  const { budget, pods } = observed;
  const { minAvailable, maxUnavailable } = budget.spec;
  if (!needsScale(budget)) {
    return { expectedPods: pods.length, desiredHealthy: typeof minAvailable === 'number' ? minAvailable : 0 };
  }
  const expectedPods = scaleOfAll(observed);
  if (typeof expectedPods === 'string') return expectedPods;
  if (maxUnavailable === undefined) return { expectedPods, desiredHealthy: share(minAvailable, expectedPods) };
  return { expectedPods, desiredHealthy: Math.max(0, expectedPods - share(maxUnavailable, expectedPods)) };
}

/** A number that must be healthy says all; everything else is measured by what there should be. */
function needsScale({ spec: { minAvailable, maxUnavailable } }: Live<PodDisruptionBudget>): boolean {
  return maxUnavailable !== undefined || typeof minAvailable === 'string';
}

/** What all controllers of the Pods want together. Pods without one are left out. */
function scaleOfAll({ pods, scaleOf }: BudgetObserved): number | string {
  const scales = new Map<string, number>();
  for (const { metadata } of pods) {
    const owner = controllerOf({ metadata });
    if (owner === undefined || scales.has(owner.uid)) continue;
    const scale = scaleOf(owner);
    if (scale === undefined) {
      return `nobody can say how many Pods ${owner.kind} "${owner.name}" of pod "${metadata.name}" wants: it is not there, or can't be scaled`;
    }
    scales.set(owner.uid, scale);
  }
  return [...scales.values()].reduce((sum, scale) => sum + scale, 0);
}

/** A share of the Pods rounds up: it protects more, or, of those that may be missing, lets one go of a few. */
function share(value: unknown, of: number): number {
  if (typeof value === 'number') return value;
  return Math.ceil((Number.parseInt(String(value), 10) * of) / 100);
}

/** Of the evictions that were granted, those that are not seen yet. */
function evictionsUnderWay({ budget, pods }: BudgetObserved, now: number) {
  const disruptedPods: Record<string, string> = {};
  const events: PlannedEvent[] = [];
  let againAfterMs: number | undefined;
  for (const [name, since] of Object.entries(budget.status.disruptedPods)) {
    const pod = pods.find(({ metadata }) => metadata.name === name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== '') continue;
    const leftMs = (parseTimestamp(since) ?? 0) + unseenForMs - now;
    if (leftMs > 0) {
      disruptedPods[name] = since;
      againAfterMs = sooner(againAfterMs, leftMs);
      continue;
    }
    const message = `Pod was expected by PDB ${budget.metadata.namespace}/${budget.metadata.name} to be deleted but it wasn't`;
    events.push({ kind: podKind, object: pod, type: 'Warning', reason: 'NotDeleted', message });
  }
  return { disruptedPods, events, againAfterMs };
}

function uncounted(budget: Live<PodDisruptionBudget>, message: string, now: number): PodDisruptionBudgetStatus {
  const claim: ConditionClaim = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message };
  const conditions = withCondition(budget.status.conditions, claim, now);
  return { ...budget.status, observedGeneration: budget.metadata.generation, disruptionsAllowed: 0, conditions };
}

function write(budget: Live<PodDisruptionBudget>, status: PodDisruptionBudgetStatus): Plan {
  if (isDeepStrictEqual(budget.status, status)) return nothingToDo;
  const object = { ...budget, status };
  return { writes: [{ type: 'updateStatus', kind: budgetKind, object }], events: [] };
}

function unmanagedEvent({ budget, pods }: BudgetObserved, after: ClientWrite): readonly PlannedEvent[] {
  const unmanaged = pods.filter(({ metadata }) => controllerOf({ metadata }) === undefined);
  if (!needsScale(budget) || unmanaged.length === 0) return [];
  const names = unmanaged.slice(0, 5).map(({ metadata }) => metadata.name);
  const message = `Pods selected by this PodDisruptionBudget have no controller and are not counted: ${names.join(', ')}${unmanaged.length > names.length ? ' …' : ''}`;
  return [{ kind: budgetKind, object: budget, type: 'Warning', reason: 'UnmanagedPods', message, after }];
}

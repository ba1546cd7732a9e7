import { horizontalPodAutoscaler as autoscalerKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from '@navarch/proto';
import type { PlannedEvent } from '../plan.ts';
import { lookBack, type ScalingHistory } from './history.ts';
import { limit, stabilize } from './limits.ts';
import { askMetrics } from './metrics.ts';
import { isProblem, type Observed, type Problem, type Target } from './observed.ts';
import { rulesOf } from './rules.ts';
import { type Finding, statusAfter } from './status.ts';

/** What is to be done about an autoscaler. */
export interface Decision {
  /** Give the target so many Pods, and why; undefined to leave it. */
  readonly scaleTo?: { readonly replicas: number; readonly why: string };
  /** With its status as it will be; undefined when that says nothing new. */
  readonly autoscaler?: Live<HorizontalPodAutoscaler>;
  readonly events: readonly PlannedEvent[];
  /** To be remembered for the next time, once `scaleTo` is done. */
  readonly history: ScalingHistory;
}

/** By then every node has told what it uses, at its usual interval. */
const firstReportsMs = 30_000;

/**
 * How many Pods the target should have, by its metrics, by what was asked for of late, by its policies and bounds, in this
 * order. A target beyond its bounds is brought back at once.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 */
export function reconcileAutoscaler(observed: Observed, nowMs: number): Decision {
  const { autoscaler, target, history } = observed;
  if (isProblem(target)) {
    const finding: Finding = { able: target };
    return conclude(observed, finding, history, nowMs);
  }
  const rules = rulesOf(autoscaler.spec);
  const past = lookBack(history, rules, target.wanted, nowMs);
  const { minReplicas: min = 1, maxReplicas: max } = autoscaler.spec;
  const obstacle = obstacleTo(observed, target, min);
  if (obstacle !== undefined) return conclude(observed, { target, active: obstacle }, past, nowMs);
  if (target.wanted > max || target.wanted < min) {
    const [replicas, why] =
      target.wanted > max ? [max, 'there are more than maxReplicas'] : [min, 'there are fewer than minReplicas'];
    return conclude(observed, { target, scaleTo: { replicas, why } }, past, nowMs);
  }
  const { current, verdict } = askMetrics(autoscaler.spec.metrics, { ...observed, target, rules, nowMs });
  // Whoever has only just begun to listen can't tell what is not known from what it has not heard yet.
  if (isProblem(verdict) && observed.heardForMs < firstReportsMs) return { events: [], history: past };
  if (isProblem(verdict)) return conclude(observed, { target, metrics: current, active: verdict }, past, nowMs);
  const scope = { wanted: target.wanted, history: past, rules, min, max };
  const stable = stabilize(verdict.replicas, scope, nowMs);
  const bounded = limit(stable.replicas, scope, nowMs);
  const recommendations = [...past.recommendations, { atMs: nowMs, replicas: verdict.replicas }];
  const { replicas } = bounded;
  const why = replicas > target.wanted ? `${verdict.metric} above target` : 'all metrics below target';
  const finding: Finding = {
    target,
    metrics: current,
    valid: verdict.metric,
    stable,
    bounded,
    ...(replicas === target.wanted ? {} : { scaleTo: { replicas, why } }),
  };
  return conclude(observed, finding, { ...past, recommendations }, nowMs);
}

/** The same once it turned out that the target can't be scaled. */
export function afterFailure(observed: Observed, { history }: Decision, message: string, nowMs: number): Decision {
  const { target } = observed;
  const reason = 'FailedUpdateScale';
  const finding: Finding = { able: { reason, message }, ...(isProblem(target) ? {} : { target }) };
  const changes = history.changes.filter(({ atMs }) => atMs !== nowMs);
  return conclude(observed, finding, { ...history, changes }, nowMs);
}

/** Why the metrics are not even asked. */
function obstacleTo({ rivals, autoscaler }: Observed, { wanted, selector }: Target, min: number): Problem | undefined {
  if (wanted === 0 && min !== 0) return { reason: 'ScalingDisabled', message: disabledText(autoscaler.spec) };
  if (selector === '') {
    return { reason: 'InvalidSelector', message: 'the scale of the target does not say which Pods are its own' };
  }
  if (rivals.length === 0) return undefined;
  const names = rivals.join(', ');
  return {
    reason: 'AmbiguousSelector',
    message: `other autoscalers have the same target: ${names}; neither scales it`,
  };
}

function disabledText({ metrics }: HorizontalPodAutoscalerSpec): string {
  const off = 'the target was scaled to 0, which switches autoscaling off until somebody scales it up again';
  const canWake = metrics.some(({ type }) => type === 'Object' || type === 'External');
  return canWake
    ? `${off}; with minReplicas 0 its Object and External metrics would`
    : `${off}: from 0 it could only be woken by Object and External metrics, and it has none`;
}

function conclude(observed: Observed, finding: Finding, history: ScalingHistory, nowMs: number): Decision {
  const { autoscaler } = observed;
  const { scaleTo, target } = finding;
  const { status, isNews, troubles } = statusAfter(autoscaler, finding, nowMs);
  const told: Omit<PlannedEvent, 'type' | 'reason' | 'message'> = { kind: autoscalerKind, object: autoscaler };
  const events: PlannedEvent[] = troubles.map((trouble) => ({ ...told, type: 'Warning', ...trouble }));
  if (scaleTo !== undefined) {
    const message = `New size: ${scaleTo.replicas}; reason: ${scaleTo.why}`;
    events.push({ ...told, type: 'Normal', reason: 'SuccessfulRescale', message });
  }
  const by = scaleTo === undefined || target === undefined ? 0 : scaleTo.replicas - target.wanted;
  return {
    ...(scaleTo === undefined ? {} : { scaleTo }),
    ...(isNews ? { autoscaler: { ...autoscaler, status } } : {}),
    events,
    history: by === 0 ? history : { ...history, changes: [...history.changes, { atMs: nowMs, by }] },
  };
}

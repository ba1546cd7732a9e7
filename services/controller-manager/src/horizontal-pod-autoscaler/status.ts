import { metricKey, sourceOf } from '@navarch/kinds';
import { type Live, parseQuantity } from '@navarch/machinery';
import {
  type HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  type MetricSpec,
  type MetricStatus,
  type MetricValueStatus,
} from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { type ConditionClaim, withCondition } from '../conditions.ts';
import { timestamp } from '../time.ts';
import type { Bounded } from './limits.ts';
import type { Problem, Target } from './observed.ts';

/** What was found out, as far as it came. */
export interface Finding {
  /** Absent when there is none. */
  readonly target?: Target;
  /** Why it can't be scaled. */
  readonly able?: Problem;
  /** Why the metrics say nothing. */
  readonly active?: Problem;
  /** The metric that counted. */
  readonly valid?: string;
  /** What was read; absent when nobody asked. */
  readonly metrics?: readonly MetricStatus[];
  readonly stable?: Bounded;
  readonly bounded?: Bounded;
  readonly scaleTo?: { readonly replicas: number; readonly why: string };
}

export interface StatusAfter {
  readonly status: HorizontalPodAutoscalerStatus;
  /** Whether it says something that is worth a write. */
  readonly isNews: boolean;
  /** What went wrong that was not wrong before. */
  readonly troubles: readonly Problem[];
}

/** The status of an autoscaler once all that was found is done. */
export function statusAfter(
  { metadata, spec, status: before }: Live<HorizontalPodAutoscaler>,
  finding: Finding,
  nowMs: number,
): StatusAfter {
  const { target, scaleTo, metrics, able, active } = finding;
  const claims = [ableClaim(finding), activeClaim(finding), limitedClaim(finding)].filter(
    (claim) => claim !== undefined,
  );
  const conditions = claims.reduce((all, claim) => withCondition(all, claim, nowMs), before.conditions);
  const status: HorizontalPodAutoscalerStatus = {
    ...before,
    observedGeneration: metadata.generation,
    lastScaleTime: scaleTo === undefined ? before.lastScaleTime : timestamp(nowMs),
    currentReplicas: target?.current ?? before.currentReplicas,
    desiredReplicas: scaleTo?.replicas ?? target?.wanted ?? before.desiredReplicas,
    currentMetrics: metrics === undefined ? before.currentMetrics : [...metrics],
    conditions,
  };
  const troubles = [able, active].filter((problem) => problem !== undefined);
  return {
    status,
    isNews: isNews(spec.metrics, before, status),
    troubles: troubles.filter(
      ({ reason }) => !before.conditions.some((each) => each.status === 'False' && each.reason === reason),
    ),
  };
}

function ableClaim({ able, scaleTo, stable, target }: Finding): ConditionClaim | undefined {
  const type = 'AbleToScale';
  if (able !== undefined) return { type, status: 'False', ...able };
  if (scaleTo !== undefined) {
    const message = `the target was given ${scaleTo.replicas} replicas`;
    return { type, status: 'True', reason: 'SucceededRescale', message };
  }
  if (stable !== undefined) return { type, status: 'True', reason: stable.reason, message: stable.message };
  if (target === undefined) return undefined;
  return { type, status: 'True', reason: 'SucceededGetScale', message: "the target's scale could be read" };
}

function activeClaim({ active, valid }: Finding): ConditionClaim | undefined {
  const type = 'ScalingActive';
  if (active !== undefined) return { type, status: 'False', ...active };
  if (valid === undefined) return undefined;
  return { type, status: 'True', reason: 'ValidMetricFound', message: `the number of replicas follows from ${valid}` };
}

function limitedClaim({ bounded }: Finding): ConditionClaim | undefined {
  if (bounded === undefined) return undefined;
  const { reason, message } = bounded;
  return { type: 'ScalingLimited', status: reason === 'DesiredWithinRange' ? 'False' : 'True', reason, message };
}

/** A metric that moved by less than this share of its target is no news: cpu is never quite the same twice. */
const newsShare = 0.02;

function isNews(
  specs: readonly MetricSpec[],
  before: HorizontalPodAutoscalerStatus,
  after: HorizontalPodAutoscalerStatus,
): boolean {
  const rest = (status: HorizontalPodAutoscalerStatus) => ({
    ...HorizontalPodAutoscalerStatus.fromPartial({ ...status, currentMetrics: [] }),
  });
  if (!equalValues(rest(before), rest(after))) return true;
  if (before.currentMetrics.length !== after.currentMetrics.length) return true;
  return after.currentMetrics.some((metric, index) => {
    const last = before.currentMetrics[index];
    const spec = specs.find((each) => metricKey(each) === metricKey(metric));
    if (last === undefined || metricKey(last) !== metricKey(metric)) return true;
    return Math.abs(shareOf(metric, spec) - shareOf(last, spec)) >= newsShare;
  });
}

/** How many times its target a metric is. */
function shareOf(metric: MetricStatus, spec: MetricSpec | undefined): number {
  const current = currentOf(metric);
  const target = spec && sourceOf(spec)?.target;
  if (target?.averageUtilization !== undefined) return (current?.averageUtilization ?? 0) / target.averageUtilization;
  if (target?.type === 'AverageValue') return numberOf(current?.averageValue) / numberOf(target.averageValue);
  return numberOf(current?.value) / numberOf(target?.value);
}

function currentOf({
  resource,
  containerResource,
  pods,
  object,
  external,
}: MetricStatus): MetricValueStatus | undefined {
  return (resource ?? containerResource ?? pods ?? object ?? external)?.current;
}

function numberOf(text: string | undefined): number {
  return Number(parseQuantity(text ?? '') ?? 0n);
}

/** An autoscaler of a target with Pods and what they use, in the few words that a test needs. */
import { horizontalPodAutoscaler as kind } from '@navarch/kinds';
import { applyDefaults, type Live } from '@navarch/machinery';
import { HorizontalPodAutoscaler, type PushedMetric, PushedMetric as Pushed } from '@navarch/proto';
import { agoMs, live, now, pod } from '../objects.fixture.ts';
import { noHistory, type ScalingHistory } from './history.ts';
import type { MeasuredPod, Observed, PodUse } from './observed.ts';
import { type Decision, reconcileAutoscaler } from './reconcile.ts';

export interface Scene {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
  /** How many Pods the target is told to have. As many as there are, unless it is said. */
  readonly wanted?: number;
  readonly pods?: readonly MeasuredPod[];
  readonly pushed?: readonly PushedMetric[];
  readonly rivals?: readonly string[];
  readonly history?: ScalingHistory;
  readonly selector?: string;
}

/** cpu at 50 % of what is requested, unless told otherwise. */
export const cpuAt = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

export const external = (name: string, target: Record<string, string>, matchLabels?: Record<string, string>) => ({
  type: 'External',
  external: {
    metric: { name, ...(matchLabels === undefined ? {} : { selector: { matchLabels } }) },
    target: { type: 'value' in target ? 'Value' : 'AverageValue', ...target },
  },
});

export function autoscaler(spec: Record<string, unknown> = {}, status: object = {}): Live<HorizontalPodAutoscaler> {
  const object = HorizontalPodAutoscaler.fromJSON({
    metadata: { name: 'web', namespace: 'default', uid: 'uid-hpa', resourceVersion: '7', generation: 1 },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      maxReplicas: 10,
      metrics: [cpuAt(50)],
      ...spec,
    },
    status,
  });
  applyDefaults(kind.schema, object);
  kind.complete?.(object);
  return live(object);
}

/** A Pod that requests 1000m and uses `cpu` thousandths of a core, long ready unless told otherwise. */
export function using(
  name: string,
  cpu: number | undefined,
  more: Parameters<typeof pod>[1] & { startedAgoMs?: number } = {},
): MeasuredPod {
  const { startedAgoMs = 3_600_000, readyForMs = 3_500_000, ...rest } = more;
  const requests = { cpu: '1', memory: '100Mi' };
  const made = pod(name, {
    readyForMs,
    ...rest,
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests, limits: {} } }], ...rest.spec },
    status: { startTime: agoMs(startedAgoMs), ...rest.status },
  });
  return { pod: made, usage: cpu === undefined ? undefined : use(cpu) };
}

export function use(cpu: number, memoryMebibytes = 50): PodUse {
  const memory = memoryMebibytes * 2 ** 20 * 1000;
  return { atMs: now - 5_000, windowMs: 10_000, containers: [{ name: 'c', cpu, memory }] };
}

/** So many Pods that use as much each. */
export function all(count: number, cpu: number): readonly MeasuredPod[] {
  return Array.from({ length: count }, (_, index) => using(`web-${index}`, cpu));
}

export function series(name: string, value: string, more: Partial<PushedMetric> = {}): PushedMetric {
  return Pushed.fromPartial({ namespace: 'default', name, value, time: agoMs(1_000), ...more });
}

/** What was asked for so many seconds ago. */
export function asked(
  ...recommendations: readonly (readonly [secondsAgo: number, replicas: number])[]
): ScalingHistory {
  return {
    lookedMs: now - 15_000,
    recommendations: recommendations.map(([secondsAgo, replicas]) => ({ atMs: now - secondsAgo * 1000, replicas })),
    changes: [],
  };
}

/** A history in which nothing happened, but which is not new: what is asked for now counts at once. */
export const quiet: ScalingHistory = { ...noHistory, lookedMs: now - 15_000 };

export function observe(scene: Scene): Observed {
  const { pods = [], wanted = pods.length, selector = 'app=web', pushed = [], rivals = [], history = quiet } = scene;
  return {
    autoscaler: autoscaler(scene.spec, scene.status),
    target: { wanted, current: wanted, selector },
    pods,
    pushed,
    unheard: { usage: 'the usual reasons', pushed: 'nobody pushed one' },
    heardForMs: 3_600_000,
    rivals,
    history,
  };
}

export function decide(scene: Scene): Decision {
  return reconcileAutoscaler(observe(scene), now);
}

/** How many Pods the target is to have. */
export function replicasOf(scene: Scene): number {
  const { pods = [], wanted = pods.length } = scene;
  return decide(scene).scaleTo?.replicas ?? wanted;
}

/** A condition as `True Reason`. */
export function claim({ autoscaler }: Decision, type: string): string {
  const found = autoscaler?.status.conditions.find((each) => each.type === type);
  return found === undefined ? 'none' : `${found.status} ${found.reason}`;
}

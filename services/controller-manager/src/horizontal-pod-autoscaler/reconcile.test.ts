import { describe, expect, test } from 'vitest';
import { agoMs, now } from '../objects.fixture.ts';
import { afterFailure, reconcileAutoscaler } from './reconcile.ts';
import {
  all,
  asked,
  autoscaler,
  claim,
  cpuAt,
  decide,
  external,
  observe,
  quiet,
  replicasOf,
  type Scene,
  series,
  using,
} from './scene.fixture.ts';

/** Fast enough for a table of numbers to show nothing but the metric's own arithmetic. */
const unhurried = {
  scaleUp: { policies: [{ type: 'Percent', value: 900, periodSeconds: 15 }] },
  scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
};
const base = { maxReplicas: 100, behavior: unhurried };

describe('desired = ceil(current × value / target)', () => {
  test.each<{ name: string; scene: Scene; replicas: number }>([
    { name: 'twice the target: twice the Pods', scene: { pods: all(2, 1000) }, replicas: 4 },
    { name: 'half the target: half the Pods', scene: { pods: all(4, 250) }, replicas: 2 },
    { name: 'a fraction is rounded up', scene: { pods: all(3, 600) }, replicas: 4 },
    { name: '10 % above the target is tolerated', scene: { pods: all(10, 550) }, replicas: 10 },
    { name: '11 % is not', scene: { pods: all(10, 560) }, replicas: 12 },
    { name: '10 % below is tolerated', scene: { pods: all(10, 450) }, replicas: 10 },
    { name: 'no less than one Pod', scene: { pods: all(3, 0) }, replicas: 1 },
    {
      name: 'a tolerance of its own, upwards',
      scene: {
        pods: all(10, 550),
        spec: { behavior: { ...unhurried, scaleUp: { ...unhurried.scaleUp, tolerance: '0.05' } } },
      },
      replicas: 11,
    },
    {
      name: 'an average value instead of a percentage',
      scene: {
        pods: all(2, 300),
        spec: {
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '100m' } } },
          ],
        },
      },
      replicas: 6,
    },
    {
      name: 'memory, of what is requested of it',
      scene: {
        pods: all(2, 0),
        spec: {
          metrics: [
            { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 25 } } },
          ],
        },
      },
      replicas: 4,
    },
    {
      name: 'one container of each Pod',
      scene: {
        pods: all(2, 1000),
        spec: {
          metrics: [
            {
              type: 'ContainerResource',
              containerResource: {
                name: 'cpu',
                container: 'c',
                target: { type: 'Utilization', averageUtilization: 50 },
              },
            },
          ],
        },
      },
      replicas: 4,
    },
    {
      name: 'what is pushed of each Pod, on average',
      scene: {
        pods: all(2, 0),
        pushed: ['web-0', 'web-1'].map((name, index) =>
          series('requests', String(10 + 20 * index), { object: { kind: 'Pod', apiVersion: 'v1', name } }),
        ),
        spec: {
          metrics: [
            {
              type: 'Pods',
              pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
            },
          ],
        },
      },
      replicas: 4,
    },
    {
      name: 'what is pushed of another object',
      scene: {
        pods: all(2, 0),
        pushed: [
          series('requests', '300', { object: { kind: 'Service', apiVersion: 'v1', name: 'web' } }),
          series('requests', '999', { object: { kind: 'Service', apiVersion: 'v1', name: 'other' } }),
        ],
        spec: {
          metrics: [
            {
              type: 'Object',
              object: {
                describedObject: { kind: 'Service', apiVersion: 'v1', name: 'web' },
                metric: { name: 'requests' },
                target: { type: 'Value', value: '100' },
              },
            },
          ],
        },
      },
      replicas: 6,
    },
    {
      name: 'the sum of what is pushed from outside with the labels that are asked for',
      scene: {
        pods: all(2, 0),
        pushed: [
          series('length', '60', { labels: { queue: 'mail', at: 'north' } }),
          series('length', '40', { labels: { queue: 'mail', at: 'south' } }),
          series('length', '900', { labels: { queue: 'other' } }),
        ],
        spec: { metrics: [external('length', { averageValue: '20' }, { queue: 'mail' })] },
      },
      replicas: 5,
    },
    {
      name: 'of several metrics the largest number counts',
      scene: {
        pods: all(2, 500),
        pushed: [series('length', '100')],
        spec: { metrics: [cpuAt(50), external('length', { averageValue: '20' })] },
      },
      replicas: 5,
    },
  ])('$name', ({ scene, replicas }) => {
    expect(replicasOf({ ...scene, spec: { ...base, ...scene.spec } })).toBe(replicas);
  });
});

describe('Pods that say nothing, or not yet', () => {
  const starting = { startedAgoMs: 20_000, readyForMs: 15_000 };
  test.each<{ name: string; scene: Scene; replicas: number }>([
    {
      name: 'upwards, a Pod without a value counts as if it used nothing',
      scene: { pods: [...all(3, 1000), using('new', undefined)] },
      replicas: 6,
    },
    {
      name: 'downwards, it counts as if it used all that it requests',
      scene: { pods: [...all(3, 100), using('new', undefined)] },
      replicas: 3,
    },
    {
      name: 'where that turns the tide nothing is done',
      scene: { pods: [using('a', 600), using('new', undefined), using('b', undefined)] },
      replicas: 3,
    },
    {
      name: 'a Pod that is not ready counts as if it used nothing, upwards',
      scene: { pods: [...all(1, 1000), using('new', 900, { ready: false, startedAgoMs: 20_000 })] },
      replicas: 2,
    },
    {
      name: 'a Pod whose sample is from before it was ready is not ready yet, so that the work of starting counts for nothing',
      scene: { pods: [...all(1, 500), using('new', 1000, { ...starting, readyForMs: 6_000 })] },
      replicas: 2,
    },
    {
      name: 'a whole window after it was ready it counts',
      scene: { pods: [...all(1, 500), using('new', 1000, starting)] },
      replicas: 3,
    },
    {
      name: 'a Pod that was ready for long and is not now counts',
      scene: { pods: [...all(1, 1000), using('ill', 1000, { ready: false, readyForMs: 60_000 })] },
      replicas: 4,
    },
    {
      name: 'a Pod that was never ready does not',
      scene: { pods: [...all(1, 500), using('never', 1000, { ready: false, readyForMs: 3_595_000 })] },
      replicas: 2,
    },
    {
      name: 'a Pod that is pending uses nothing',
      scene: { pods: [...all(1, 1000), using('new', undefined, { status: { phase: 'Pending' } })] },
      replicas: 2,
    },
    {
      name: 'Pods that are over or going are left out',
      scene: {
        wanted: 2,
        pods: [
          ...all(2, 500),
          using('over', 1000, { status: { phase: 'Failed' } }),
          using('going', 1000, { metadata: { deletionTimestamp: agoMs(1_000) } }),
        ],
      },
      replicas: 2,
    },
  ])('$name', ({ scene, replicas }) => {
    expect(replicasOf({ ...scene, spec: base })).toBe(replicas);
  });
});

describe('what can not be read', () => {
  const both = { ...base, metrics: [cpuAt(50), external('length', { averageValue: '20' })] };

  test.each<{ name: string; scene: Scene; reason: string; message: string }>([
    {
      name: 'usage that nobody told',
      scene: { wanted: 2, pods: [using('a', undefined), using('b', undefined)] },
      reason: 'FailedGetResourceMetric',
      message: 'cpu is known of no Pod that is ready (of 2): the usual reasons',
    },
    { name: 'no Pod at all', scene: { wanted: 2, pods: [] }, reason: 'FailedGetResourceMetric', message: 'no Pod' },
    {
      name: 'a percentage of nothing',
      scene: { pods: [using('a', 1, { spec: { containers: [{ name: 'c', image: 'x' }] } })] },
      reason: 'FailedGetResourceMetric',
      message: 'container "c" of Pod a requests no cpu',
    },
    {
      name: 'a container that is not there',
      scene: {
        pods: all(1, 500),
        spec: {
          metrics: [
            {
              type: 'ContainerResource',
              containerResource: {
                name: 'cpu',
                container: 'side',
                target: { type: 'Utilization', averageUtilization: 50 },
              },
            },
          ],
        },
      },
      reason: 'FailedGetContainerResourceMetric',
      message: 'cpu is known of no Pod',
    },
    {
      name: 'an external metric that nobody pushed',
      scene: { pods: all(1, 500), spec: { metrics: [external('length', { value: '1' })] } },
      reason: 'FailedGetExternalMetric',
      message: 'no value of "length" is known: nobody pushed one',
    },
    {
      name: 'the metric of an object',
      scene: {
        pods: all(1, 500),
        spec: {
          metrics: [
            {
              type: 'Object',
              object: {
                describedObject: { kind: 'Service', name: 'web' },
                metric: { name: 'n' },
                target: { type: 'Value', value: '1' },
              },
            },
          ],
        },
      },
      reason: 'FailedGetObjectMetric',
      message: 'no value of "n" of Service/web',
    },
  ])('$name: it holds still and says so', ({ scene, reason, message }) => {
    const decision = decide({ ...scene, spec: { ...base, ...scene.spec } });
    expect(decision.scaleTo).toBeUndefined();
    expect(claim(decision, 'ScalingActive')).toBe(`False ${reason}`);
    expect(decision.events).toMatchObject([
      { type: 'Warning', reason, message: expect.stringContaining(message) as string },
    ]);
  });

  test('one of two metrics: it may still go up by the other', () => {
    const decision = decide({ pods: all(2, 1000), spec: both });
    expect(decision.scaleTo?.replicas).toBe(4);
    expect(claim(decision, 'ScalingActive')).toBe('True ValidMetricFound');
    expect(decision.autoscaler?.status.currentMetrics).toMatchObject([{ type: 'Resource' }]);
  });

  test('but not down, for the other might ask for more', () => {
    const decision = decide({ pods: all(4, 10), spec: both });
    expect(decision.scaleTo).toBeUndefined();
    expect(claim(decision, 'ScalingActive')).toBe('False FailedGetExternalMetric');
    expect(decision.events[0]?.message).toContain("1 of 2 metrics can't be read");
  });

  test('nothing is said of it by whoever has only just begun to listen', () => {
    const observed = observe({ pods: [using('a', undefined)] });
    expect(reconcileAutoscaler({ ...observed, heardForMs: 29_999 }, now)).toEqual({
      events: [],
      history: { ...quiet, lookedMs: now },
    });
    expect(claim(reconcileAutoscaler({ ...observed, heardForMs: 30_000 }, now), 'ScalingActive')).toContain('False');
  });

  test('the same trouble is told once', () => {
    const first = decide({ pods: [using('a', undefined)], wanted: 1 });
    const status = first.autoscaler?.status;
    const again = decide({ pods: [using('a', undefined)], wanted: 1, status: { ...status } });
    expect([again.events, again.autoscaler]).toEqual([[], undefined]);
  });

  test('a target that is not there', () => {
    const observed = observe({ pods: all(1, 500) });
    const target = { reason: 'FailedGetScale', message: 'deployments.apps "web" not found' };
    const decision = reconcileAutoscaler({ ...observed, target }, now);
    expect(decision.scaleTo).toBeUndefined();
    expect(claim(decision, 'AbleToScale')).toBe('False FailedGetScale');
  });

  test('a target that refuses to be scaled', () => {
    const observed = observe({ pods: all(2, 1000), spec: base });
    const failed = afterFailure(observed, reconcileAutoscaler(observed, now), 'the quota is used up', now);
    expect(failed.scaleTo).toBeUndefined();
    expect(claim(failed, 'AbleToScale')).toBe('False FailedUpdateScale');
    expect(failed.history.changes).toEqual([]);
    expect(failed.events).toMatchObject([{ type: 'Warning', message: 'the quota is used up' }]);
  });

  test('two autoscalers of one target: neither scales it', () => {
    const decision = decide({ pods: all(2, 1000), rivals: ['other'] });
    expect(decision.scaleTo).toBeUndefined();
    expect(claim(decision, 'ScalingActive')).toBe('False AmbiguousSelector');
  });
});

describe('bounds', () => {
  test.each<{ name: string; scene: Scene; replicas: number; limited: string }>([
    {
      name: 'no more than maxReplicas',
      scene: { pods: all(2, 1000), spec: { ...base, maxReplicas: 3 } },
      replicas: 3,
      limited: 'True TooManyReplicas',
    },
    {
      name: 'no fewer than minReplicas',
      scene: { pods: all(4, 10), spec: { ...base, minReplicas: 3 } },
      replicas: 3,
      limited: 'True TooFewReplicas',
    },
    {
      name: 'more than maxReplicas are brought back whatever the metrics say',
      scene: { wanted: 9, spec: { maxReplicas: 4 } },
      replicas: 4,
      limited: 'none',
    },
    {
      name: 'and so are fewer than minReplicas',
      scene: { wanted: 1, spec: { minReplicas: 2 } },
      replicas: 2,
      limited: 'none',
    },
    {
      name: 'within them',
      scene: { pods: all(2, 1000), spec: base },
      replicas: 4,
      limited: 'False DesiredWithinRange',
    },
  ])('$name', ({ scene, replicas, limited }) => {
    const decision = decide(scene);
    expect(decision.scaleTo?.replicas).toBe(replicas);
    expect(claim(decision, 'ScalingLimited')).toBe(limited);
  });
});

describe('to and from 0', () => {
  const { scaleDown } = unhurried;
  const metrics = [external('length', { averageValue: '20' })];
  const spec = { maxReplicas: 100, behavior: { scaleDown }, minReplicas: 0, metrics };
  const length = (value: string) => [series('length', value)];
  test.each<{ name: string; scene: Scene; replicas: number }>([
    { name: 'nothing to do: none', scene: { pods: all(2, 0), pushed: length('0') }, replicas: 0 },
    { name: 'none, and still nothing to do', scene: { wanted: 0, pushed: length('0') }, replicas: 0 },
    { name: 'something to do: as many as it takes', scene: { wanted: 0, pushed: length('50') }, replicas: 3 },
    {
      name: 'by a whole value: as many times as it is the target',
      scene: { wanted: 0, pushed: length('50'), spec: { ...spec, metrics: [external('length', { value: '20' })] } },
      replicas: 3,
    },
    {
      name: 'while the first Pods start nothing is taken back',
      scene: {
        wanted: 3,
        pods: [using('a', undefined, { ready: false })],
        pushed: length('50'),
        spec: { ...spec, metrics: [external('length', { value: '20' })] },
      },
      replicas: 3,
    },
    {
      name: 'a percentage of nothing is one Pod',
      scene: {
        wanted: 0,
        pushed: length('500'),
        spec: { ...spec, behavior: { scaleUp: { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] } } },
      },
      replicas: 1,
    },
    {
      name: 'cpu, of which nothing is known at 0, does not keep the others from waking it',
      scene: { wanted: 0, pushed: length('50'), spec: { ...spec, metrics: [cpuAt(50), ...spec.metrics] } },
      replicas: 3,
    },
  ])('$name', ({ scene, replicas }) => {
    expect(replicasOf({ spec, ...scene })).toBe(replicas);
  });

  test('by cpu alone there is no way back, and that is said', () => {
    const decision = decide({ wanted: 0 });
    expect(decision.scaleTo).toBeUndefined();
    expect(claim(decision, 'ScalingActive')).toBe('False ScalingDisabled');
    expect(decision.events[0]?.message).toContain('it has none');
  });
});

describe('stabilisation', () => {
  const window = (direction: string, stabilizationWindowSeconds: number) => ({
    maxReplicas: 100,
    behavior: { ...unhurried, [direction]: { ...unhurried.scaleUp, stabilizationWindowSeconds } },
  });
  test.each<{ name: string; scene: Scene; replicas: number; able: string }>([
    {
      name: 'down to the most that was asked for in the window',
      scene: { pods: all(10, 100), history: asked([200, 7], [100, 4], [400, 9]), spec: { maxReplicas: 100 } },
      replicas: 7,
      able: 'True SucceededRescale',
    },
    {
      name: 'not at all while as many were asked for',
      scene: { pods: all(10, 100), history: asked([299, 10]), spec: { maxReplicas: 100 } },
      replicas: 10,
      able: 'True ScaleDownStabilized',
    },
    {
      name: 'what is older than the window does not count',
      scene: { pods: all(10, 100), history: asked([300, 10]), spec: { maxReplicas: 100 } },
      replicas: 2,
      able: 'True SucceededRescale',
    },
    {
      name: 'up to the least that was asked for, where a window upwards is set',
      scene: { pods: all(2, 1000), history: asked([30, 3], [50, 2]), spec: window('scaleUp', 60) },
      replicas: 2,
      able: 'True ScaleUpStabilized',
    },
    {
      name: 'up at once where none is',
      scene: { pods: all(2, 1000), history: asked([30, 2]), spec: base },
      replicas: 4,
      able: 'True SucceededRescale',
    },
    {
      name: 'a new leader waits as long as one that has watched all the time',
      scene: { pods: all(10, 100), history: { ...quiet, lookedMs: undefined }, spec: { maxReplicas: 100 } },
      replicas: 10,
      able: 'True ScaleDownStabilized',
    },
    {
      name: 'and so does one that has not led for a while',
      scene: { pods: all(10, 100), history: { ...asked([90, 2]), lookedMs: now - 61_000 }, spec: { maxReplicas: 100 } },
      replicas: 10,
      able: 'True ScaleDownStabilized',
    },
  ])('$name', ({ scene, replicas, able }) => {
    const decision = decide(scene);
    expect(decision.scaleTo?.replicas ?? scene.pods?.length).toBe(replicas);
    expect(claim(decision, 'AbleToScale')).toBe(able);
  });

  test('what was asked for is remembered as it was asked, not as it was done', () => {
    expect(decide({ pods: all(2, 5000), spec: { maxReplicas: 100 } }).history.recommendations).toEqual([
      { atMs: now, replicas: 20 },
    ]);
  });
});

describe('policies', () => {
  const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds });
  const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds });
  const up = (selectPolicy: string, ...policies: object[]) => ({ scaleUp: { selectPolicy, policies } });
  const down = (selectPolicy: string, ...policies: object[]) => ({
    scaleDown: { selectPolicy, policies, stabilizationWindowSeconds: 0 },
  });
  const changed = (...changes: readonly (readonly [secondsAgo: number, by: number])[]) => ({
    ...quiet,
    changes: changes.map(([secondsAgo, by]) => ({ atMs: now - secondsAgo * 1000, by })),
  });
  const busy = all(10, 5000);
  const idle = all(80, 0);
  test.each<{ name: string; behavior: object | undefined; scene: Scene; replicas: number }>([
    {
      name: 'by default by 4 Pods in 15 s while there are few',
      behavior: undefined,
      scene: { pods: all(1, 5000) },
      replicas: 5,
    },
    { name: 'and by 100 % when there are many', behavior: undefined, scene: { pods: busy }, replicas: 20 },
    { name: 'the largest step (Max)', behavior: up('Max', pods(5), percent(10)), scene: { pods: busy }, replicas: 15 },
    { name: 'the smallest step (Min)', behavior: up('Min', pods(5), percent(10)), scene: { pods: busy }, replicas: 11 },
    { name: 'none (Disabled)', behavior: up('Disabled', pods(5)), scene: { pods: busy }, replicas: 10 },
    {
      name: 'less what was added within the period',
      behavior: up('Max', pods(5)),
      scene: { pods: busy, history: changed([59, 3]) },
      replicas: 12,
    },
    {
      name: 'what was added before it does not count',
      behavior: up('Max', pods(5)),
      scene: { pods: busy, history: changed([60, 3]) },
      replicas: 15,
    },
    {
      name: 'a percentage is one of what there was when the period began',
      behavior: up('Max', percent(50)),
      scene: { pods: busy, history: changed([30, 2]) },
      replicas: 12,
    },
    {
      name: 'from 80 Pods down by 10 %: 72',
      behavior: down('Max', pods(4), percent(10)),
      scene: { pods: idle },
      replicas: 72,
    },
    {
      name: 'below 40 Pods 4 are the larger step',
      behavior: down('Max', pods(4), percent(10)),
      scene: { pods: all(36, 0) },
      replicas: 32,
    },
    {
      name: 'at most 5 Pods a minute',
      behavior: down('Min', pods(5), percent(10)),
      scene: { pods: idle },
      replicas: 75,
    },
    { name: 'never down (Disabled)', behavior: down('Disabled'), scene: { pods: idle }, replicas: 80 },
    {
      name: 'a period that has had its share allows nothing, and nothing back',
      behavior: down('Max', pods(4)),
      scene: { pods: idle, history: changed([20, -7]) },
      replicas: 80,
    },
  ])('$name', ({ behavior, scene, replicas }) => {
    const spec = { maxReplicas: 100, ...(behavior === undefined ? {} : { behavior }) };
    expect(replicasOf({ ...scene, spec })).toBe(replicas);
  });

  test('what they hold back is said', () => {
    const decision = decide({ pods: busy, spec: { maxReplicas: 100 } });
    expect(claim(decision, 'ScalingLimited')).toBe('True ScaleUpLimit');
  });
});

describe('status', () => {
  test('says what was measured, what is and what should be, and when it last changed', () => {
    const { autoscaler, events, history } = decide({ pods: all(2, 1000), spec: base });
    expect(autoscaler?.status).toMatchObject({
      observedGeneration: 1,
      currentReplicas: 2,
      desiredReplicas: 4,
      lastScaleTime: agoMs(0),
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '1' } } },
      ],
    });
    expect(events).toMatchObject([
      { type: 'Normal', reason: 'SuccessfulRescale', message: 'New size: 4; reason: cpu of the Pods above target' },
    ]);
    expect(history.changes).toEqual([{ atMs: now, by: 2 }]);
  });

  test('at the fixed point nothing is written, also while cpu wavers', () => {
    const first = decide({ pods: all(4, 500), spec: base });
    expect(first.scaleTo).toBeUndefined();
    const status = first.autoscaler?.status ?? {};
    const next = (cpu: number) =>
      reconcileAutoscaler(
        { ...observe({ pods: all(4, cpu), spec: base }), autoscaler: autoscaler(base, status) },
        now + 15_000,
      );
    expect(next(500)).toMatchObject({ events: [] });
    expect(next(500).autoscaler).toBeUndefined();
    expect(next(509).autoscaler).toBeUndefined();
    expect(next(510).autoscaler?.status.currentMetrics).toMatchObject([
      { resource: { current: { averageUtilization: 51 } } },
    ]);
  });
});

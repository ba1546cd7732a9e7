import { applyDefaults } from '@navarch/machinery';
import { HorizontalPodAutoscaler } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { targetsText } from './autoscaler-columns.ts';
import { horizontalPodAutoscaler as kind } from './horizontal-pod-autoscaler.ts';

type Spec = Record<string, unknown>;

const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } };
const queue = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
};

function completed(spec: Spec): HorizontalPodAutoscaler {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const object = HorizontalPodAutoscaler.fromJSON({ spec: { scaleTargetRef, maxReplicas: 10, ...spec } });
  applyDefaults(kind.schema, object);
  kind.complete?.(object);
  return object;
}

const errors = (spec: Spec) => kind.validate?.(completed(spec)) ?? [];

describe('an autoscaler', () => {
  test('measures cpu at 80 % unless told otherwise, and keeps at least one Pod', () => {
    const { spec } = completed({});
    expect(spec?.minReplicas).toBe(1);
    expect(spec?.metrics).toMatchObject([
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ]);
    expect(spec?.behavior).toBeUndefined();
  });

  test('whose behavior says something has the rest of it said, too', () => {
    const policies = [{ type: 'Pods', value: 1, periodSeconds: 60 }];
    const { spec } = completed({ behavior: { scaleDown: { policies } } });
    expect(spec?.behavior).toMatchObject({
      scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ value: 4 }, { value: 100 }] },
      scaleDown: { stabilizationWindowSeconds: 300, selectPolicy: 'Max', policies },
    });
  });

  test('may go to 0 by what can be measured when no Pod is', () => {
    expect(errors({ minReplicas: 0, metrics: [cpu, queue] })).toEqual([]);
  });

  test.each<{ name: string; spec: Spec; path: string; message?: string }>([
    {
      name: 'to 0 by the use of Pods alone',
      spec: { minReplicas: 0, metrics: [cpu] },
      path: 'spec.minReplicas',
      message: 'no way back from 0',
    },
    { name: 'more at least than at most', spec: { minReplicas: 11 }, path: 'spec.maxReplicas' },
    {
      name: 'a metric without what its type names',
      spec: { metrics: [{ type: 'Pods' }] },
      path: 'spec.metrics[0].pods',
    },
    {
      name: 'a metric with something else beside',
      spec: { metrics: [{ ...cpu, external: queue.external }] },
      path: 'spec.metrics[0].external',
    },
    {
      name: 'a target that this type can not have',
      spec: { metrics: [{ ...queue, external: { ...queue.external, target: { type: 'Utilization' } } }] },
      path: 'spec.metrics[0].external.target.type',
    },
    {
      name: 'a target without its value',
      spec: { metrics: [{ ...queue, external: { ...queue.external, target: { type: 'Value' } } }] },
      path: 'spec.metrics[0].external.target.value',
    },
    {
      name: 'a target of 0',
      spec: { metrics: [{ ...queue, external: { ...queue.external, target: { type: 'Value', value: '0' } } }] },
      path: 'spec.metrics[0].external.target.value',
    },
    {
      name: 'a target with a second value',
      spec: {
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { ...cpu.resource.target, averageValue: '1' } } },
        ],
      },
      path: 'spec.metrics[0].resource.target.averageValue',
    },
    {
      name: 'a negative tolerance',
      spec: { behavior: { scaleUp: { tolerance: '-0.1' } } },
      path: 'spec.behavior.scaleUp.tolerance',
    },
  ])('$name is refused', ({ spec, path, message = '' }) => {
    expect(errors(spec)).toEqual([{ path, message: expect.stringContaining(message) as string }]);
  });
});

describe('TARGETS', () => {
  const status = (...currentMetrics: object[]) => ({ currentMetrics });
  const of = (metrics: object[], currentMetrics: object[]) =>
    targetsText(HorizontalPodAutoscaler.fromJSON({ spec: { metrics }, status: status(...currentMetrics) }));

  test('says what was measured of what it should be', () => {
    const current = { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12 } } };
    expect(of([cpu], [current])).toBe('cpu: 12%/50%');
    const waiting = { type: 'External', external: { metric: { name: 'queue' }, current: { averageValue: '7' } } };
    expect(of([cpu, queue], [waiting])).toBe('cpu: <unknown>/50%, queue: 7/30 (avg)');
  });

  test('has room for two', () => {
    const memory = { ...cpu, resource: { ...cpu.resource, name: 'memory' } };
    expect(of([cpu, memory, queue], [])).toBe('cpu: <unknown>/50%, memory: <unknown>/50% + 1 more...');
  });
});

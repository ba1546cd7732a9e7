import { describe, expect, test } from 'vitest';
import { node } from '../objects.fixture.ts';
import { assignPodCidrs } from './pod-cidr.ts';

const assigned = (nodes: ReturnType<typeof node>[], cidr = '10.244.0.0/16') =>
  Object.fromEntries(
    assignPodCidrs(nodes, cidr).writes.flatMap((write) =>
      'object' in write && 'spec' in write.object ? [[write.object.metadata?.name, write.object.spec]] : [],
    ),
  );

describe('ranges of Pod addresses', () => {
  test('are given lowest first, each once', () => {
    expect(assigned([node('b'), node('a'), node('c', { spec: { podCidr: '10.244.0.0/24' } })])).toMatchObject({
      a: { podCidr: '10.244.1.0/24' },
      b: { podCidr: '10.244.2.0/24' },
    });
  });

  test('that are given stay', () => {
    expect(assigned([node('a', { spec: { podCidr: '10.244.7.0/24' } })])).toEqual({});
  });

  test('that came free are given again', () => {
    expect(assigned([node('a', { spec: { podCidr: '10.244.1.0/24' } }), node('b')])).toMatchObject({
      b: { podCidr: '10.244.0.0/24' },
    });
  });

  test('that ran out are an event that says what to do', () => {
    const nodes = [node('a', { spec: { podCidr: '10.9.0.0/24' } }), node('b')];
    const plan = assignPodCidrs(nodes, '10.9.0.0/24');
    expect(plan.writes).toEqual([]);
    expect(plan.events).toMatchObject([
      { reason: 'CIDRNotAvailable', message: expect.stringContaining('NAVARCH_CLUSTER_CIDR') },
    ]);
  });
});

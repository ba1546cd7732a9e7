import { describe, expect, test } from 'vitest';
import { type NodeWith, nodeInfo, type PodShape, podInfo, snapshotOf } from './objects.fixture.ts';
import { defaultProfiles, type Profile } from './profiles.ts';
import { schedule } from './schedule.ts';

const usual = defaultProfiles.find(({ schedulerName }) => schedulerName === 'kubernetes-defaults');
const decide = (pod: PodShape, nodes: readonly NodeWith[], profile = usual) => {
  if (profile === undefined) throw new Error('no profile');
  return schedule(podInfo('new', pod), snapshotOf(nodes), profile, 1);
};

describe('the usual plugins', () => {
  const GiB = 1024 ** 3;
  // Each node has 4 cores and 8 GiB.
  test.each<{ name: string; pod: PodShape; nodes: NodeWith[]; on: string; score: number }>([
    {
      // free: fit (75 + 75) / 2 = 75, balance 100; busy: fit (25 + 50) / 2 = 37, balance 100 - 25 / 2 = 87.
      name: 'together prefer room in like parts',
      pod: { cpu: '1', memory: '2Gi' },
      nodes: [nodeInfo('busy', {}, [podInfo('x', { cpu: '2', memory: '2Gi' })]), nodeInfo('free')],
      on: 'free',
      score: 175,
    },
    {
      // has: fit 75, balance 100, image of 1 GiB on one of two nodes: 100 × (512 - 23) / (1000 - 23) = 50.
      name: 'together prefer a node that has the image',
      pod: { cpu: '1', memory: '2Gi', image: 'app' },
      nodes: [nodeInfo('lacks'), nodeInfo('has', { images: { 'docker.io/library/app:latest': GiB } })],
      on: 'has',
      score: 225,
    },
    {
      // busy, without the taint: 37 + 87 + 3 × 100; free: 175 + 0.
      name: 'together let a taint that asks weigh more than room',
      pod: { cpu: '1', memory: '2Gi' },
      nodes: [
        nodeInfo('busy', {}, [podInfo('x', { cpu: '2', memory: '2Gi' })]),
        nodeInfo('free', { taints: [{ key: 'soft', effect: 'PreferNoSchedule' }] }),
      ],
      on: 'busy',
      score: 424,
    },
  ])('$name', ({ pod, nodes, on, score }) => {
    expect(decide(pod, nodes)).toMatchObject({ nodeName: on, score });
  });

  test('tell a Pod that says it requests nothing from one that does not say', () => {
    const snapshot = snapshotOf([nodeInfo('n')]);
    const fit: Profile = {
      schedulerName: 'fit',
      scores: [
        {
          name: 'NodeResourcesFit',
          weight: 1,
          scoringStrategy: { type: 'LeastAllocated', resources: [{ name: 'cpu', weight: 1 }] },
        },
      ],
    };
    const scoreOf = (pod: PodShape) => schedule(podInfo('new', pod), snapshot, fit, 1);
    expect([scoreOf({}), scoreOf({ cpu: '0' })]).toMatchObject([{ score: 97 }, { score: 100 }]);
  });

  test('without any, one node is as good as another', () => {
    const nodes = [nodeInfo('a'), nodeInfo('b', {}, [podInfo('x', { cpu: '2' })])];
    const chosen = Array.from({ length: 20 }, (_, seed) => {
      return schedule(podInfo('new', { cpu: '1' }), snapshotOf(nodes), { schedulerName: 'x', scores: [] }, seed);
    });
    expect(new Set(chosen.map((each) => each.type === 'place' && each.nodeName))).toEqual(new Set(['a', 'b']));
  });
});

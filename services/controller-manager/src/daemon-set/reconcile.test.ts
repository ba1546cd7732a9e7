import { nodeTaints, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Affinity, type Pod, type Taint } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { lines } from '../objects.fixture.ts';
import { DaemonWorld, onDelete, rolling, type Strategy, surging } from './world.fixture.ts';

/** A world of some nodes, each with its Pod up. */
function settledWorld(nodes = 4, strategy: Strategy = rolling(), more: object = {}): DaemonWorld {
  const world = new DaemonWorld({ updateStrategy: strategy, ...more });
  for (let number = 1; number <= nodes; number++) world.node(`n${number}`);
  world.settle();
  world.agents();
  expect(world.settle()).toEqual([]);
  return world;
}
const on = (world: DaemonWorld, node: string): Live<Pod> => {
  const pod = world.pods.find(({ spec }) => spec.nodeName === node);
  if (pod === undefined) throw new Error(`no Pod on ${node}`);
  return pod;
};
const taint = (key: string, effect: string): Partial<Taint>[] => [{ key, value: '', effect }];

describe('each node gets a Pod', () => {
  test('of the template, for that node alone, whatever trouble the node is in', () => {
    const world = settledWorld(2);
    expect(world.picture).toBe('n1=v1 n2=v1');
    const { metadata, spec } = on(world, 'n1');
    expect(metadata).toMatchObject({
      name: expect.stringMatching(/^logs-[a-z0-9]{5}$/) as string,
      labels: { app: 'logs', 'controller-revision-hash': expect.stringMatching(/^[a-z0-9]{10}$/) as string },
      ownerReferences: [{ kind: 'DaemonSet', name: 'logs', controller: true }],
    });
    expect(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchExpressions: [], matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] },
    ]);
    expect(spec.tolerations.map(({ key, operator, effect }) => `${key.split('/')[1]} ${operator} ${effect}`)).toEqual([
      'not-ready Exists NoExecute',
      'unreachable Exists NoExecute',
      'disk-pressure Exists NoSchedule',
      'memory-pressure Exists NoSchedule',
      'pid-pressure Exists NoSchedule',
      'unschedulable Exists NoSchedule',
    ]);
  });

  test('and one that uses the node’s network also before that works', () => {
    const world = new DaemonWorld({
      template: {
        metadata: { labels: { app: 'logs' } },
        spec: {
          hostNetwork: true,
          containers: [{ name: 'c', image: 'v1' }],
          tolerations: [{ key: nodeTaints.notReady, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
        },
      },
    });
    world.node('n1', {}, taint(nodeTaints.networkUnavailable, 'NoSchedule'));
    world.settle();
    world.agents();
    const { tolerations } = on(world, 'n1').spec;
    expect(tolerations.map(({ key }) => key)).toContain(nodeTaints.networkUnavailable);
    expect(tolerations.filter(({ key }) => key === nodeTaints.notReady)).toMatchObject([
      { tolerationSeconds: undefined },
    ]);
  });

  test('also the one that comes later; and the Pod of one that leaves before it had it goes', () => {
    const world = settledWorld(1);
    world.node('n2');
    world.settle();
    expect(world.picture).toBe('n1=v1 n2=v1?');
    world.leave('n2');
    world.settle();
    expect(world.picture).toBe('n1=v1');
  });

  test('as many in a step as are bearable', () => {
    const world = new DaemonWorld();
    for (let number = 0; number < 300; number++) world.node(`n${number}`);
    world.carryOut(world.plan());
    expect(world.plan().writes).toHaveLength(250);
    world.settle();
    expect(new Set(world.pods.map(({ metadata }) => metadata.name)).size).toBe(300);
  });
});

describe('only nodes that the template is for get a Pod', () => {
  const wants = (spec: object) => ({
    template: { metadata: { labels: { app: 'logs' } }, spec: { containers: [{ name: 'c', image: 'v1' }], ...spec } },
  });
  const affinity = Affinity.fromPartial({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }],
      },
    },
  });
  test.each<{ name: string; spec: object; node: Parameters<DaemonWorld['node']>; before: boolean; after: boolean }>([
    { name: 'no longer the label', spec: { nodeSelector: { disk: 'ssd' } }, node: ['n1'], before: true, after: false },
    { name: 'no longer the affinity', spec: { affinity }, node: ['n1'], before: true, after: false },
    { name: 'another name', spec: { nodeName: 'n1' }, node: ['n1'], before: true, after: true },
    {
      name: 'a taint for new Pods',
      spec: {},
      node: ['n1', { disk: 'ssd' }, taint('x', 'NoSchedule')],
      before: true,
      after: true,
    },
    {
      name: 'a taint for all Pods',
      spec: {},
      node: ['n1', { disk: 'ssd' }, taint('x', 'NoExecute')],
      before: true,
      after: false,
    },
    {
      name: 'a taint that asks only',
      spec: {},
      node: ['n1', { disk: 'ssd' }, taint('x', 'PreferNoSchedule')],
      before: true,
      after: true,
    },
    {
      name: 'a taint that is tolerated',
      spec: { tolerations: [{ operator: 'Exists' }] },
      node: ['n1', { disk: 'ssd' }, taint('x', 'NoExecute')],
      before: true,
      after: true,
    },
    {
      name: 'been cordoned',
      spec: {},
      node: ['n1', { disk: 'ssd' }, taint(nodeTaints.unschedulable, 'NoSchedule')],
      before: true,
      after: true,
    },
    {
      name: 'been lost',
      spec: {},
      node: ['n1', { disk: 'ssd' }, taint(nodeTaints.unreachable, 'NoExecute')],
      before: true,
      after: true,
    },
  ])('one that has $name: $before, then $after', ({ spec, node, before, after }) => {
    const world = new DaemonWorld(wants(spec));
    world.node('n1', { disk: 'ssd' });
    world.settle();
    world.agents();
    expect(world.picture).toBe(before ? 'n1=v1' : '');
    world.node(...node);
    world.settle();
    world.agents();
    expect(world.picture).toBe(after ? 'n1=v1' : '');
  });

  test('one with a taint for new Pods gets none, and counts as none that should have one', () => {
    const world = new DaemonWorld();
    world.node('n1', {}, taint('x', 'NoSchedule'));
    world.settle();
    expect(world.picture).toBe('');
    expect(world.set.status.desiredNumberScheduled).toBe(0);
  });
});

describe('a Pod that has ended', () => {
  test.each([
    { phase: 'Failed', reason: 'FailedDaemonPod' },
    { phase: 'Succeeded', reason: 'SucceededDaemonPod' },
  ])('$phase is told, removed, and made anew once it is gone', ({ phase, reason }) => {
    const world = settledWorld(1);
    world.become(on(world, 'n1'), phase);
    const plan = world.plan();
    expect(plan.events.map((event) => event.reason)).toContain(reason);
    expect(plan.failedOn).toEqual(['n1']);
    world.carryOut(plan);
    world.settle();
    expect(world.picture).toBe('n1=v1?');
  });

  test('again and again is made anew ever later, to a quarter of an hour', () => {
    const world = settledWorld(1);
    const delays: number[] = [];
    for (let round = 0; round < 13; round++) {
      world.become(on(world, 'n1'), 'Failed');
      const { againAfterMs = 0 } = world.plan();
      delays.push(againAfterMs / 1000);
      world.nowMs += againAfterMs;
      world.settle();
      world.agents();
    }
    expect(delays).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    world.nowMs += 31 * 60_000;
    world.become(on(world, 'n1'), 'Failed');
    expect(world.plan().failedOn).toEqual(['n1']);
    world.settle();
    world.agents();
    world.become(on(world, 'n1'), 'Failed');
    expect(world.plan().againAfterMs).toBe(1_000);
  });
});

describe('a new template is rolled out', () => {
  const roll = (world: DaemonWorld, image = 'v2') => {
    world.image(image);
    const pictures: string[] = [];
    for (let step = 0; step < 30; step++) {
      expect(world.settle()).toEqual([]);
      if (pictures.at(-1) === world.picture) return pictures;
      pictures.push(world.picture);
      world.agents();
    }
    throw new Error(`it never ends: ${pictures.join('; ')}`);
  };

  test('node by node', () => {
    expect(roll(settledWorld(3))).toEqual([
      'n1=v1! n2=v1 n3=v1',
      'n1=v2? n2=v1 n3=v1',
      'n1=v2 n2=v1! n3=v1',
      'n1=v2 n2=v2? n3=v1',
      'n1=v2 n2=v2 n3=v1!',
      'n1=v2 n2=v2 n3=v2?',
      'n1=v2 n2=v2 n3=v2',
    ]);
  });

  test.each([
    { limit: 2, first: 'n1=v1! n2=v1! n3=v1 n4=v1' },
    { limit: '25%', first: 'n1=v1! n2=v1 n3=v1 n4=v1' },
    { limit: '26%', first: 'n1=v1! n2=v1! n3=v1 n4=v1' },
    { limit: '100%', first: 'n1=v1! n2=v1! n3=v1! n4=v1!' },
  ])('on up to $limit nodes at once', ({ limit, first }) => {
    expect(roll(settledWorld(4, rolling(limit)))[0]).toBe(first);
  });

  test('beside the old Pods, which go when the new ones serve', () => {
    expect(roll(settledWorld(2, surging(1)))).toEqual([
      'n1=v1 n1=v2? n2=v1',
      'n1=v1! n1=v2 n2=v1 n2=v2?',
      'n1=v2 n2=v1! n2=v2',
      'n1=v2 n2=v2',
    ]);
  });

  test.each([
    { limit: '50%', first: 'n1=v1 n1=v2? n2=v1 n2=v2? n3=v1 n4=v1' },
    { limit: '1%', first: 'n1=v1 n1=v2? n2=v1 n3=v1 n4=v1' },
  ])('beside the old Pods, on up to $limit nodes at once', ({ limit, first }) => {
    expect(roll(settledWorld(4, surging(limit)))[0]).toBe(first);
  });

  test('only where somebody deletes the old Pod', () => {
    const world = settledWorld(2, onDelete);
    world.image('v2');
    expect(world.settle()).toEqual([]);
    expect(world.picture).toBe('n1=v1 n2=v1');
    world.end(on(world, 'n2'));
    world.settle();
    expect(world.picture).toBe('n1=v1 n2=v2?');
  });

  test('first where the old Pod does not serve, and then no further than the limit', () => {
    const world = settledWorld(3);
    world.become(on(world, 'n3'), 'Running', false);
    world.image('v2');
    world.settle();
    expect(world.picture).toBe('n1=v1 n2=v1 n3=v1!');
  });

  test('and stops where new Pods don’t come up', () => {
    const world = settledWorld(3);
    world.image('v2');
    world.settle();
    world.end(on(world, 'n1'));
    world.settle();
    const [broken] = world.pods.filter(({ status }) => status.phase === '');
    if (broken !== undefined) world.become(world.bind(broken), 'Running', false);
    world.settle();
    expect(world.picture).toBe('n1=v2? n2=v1 n3=v1');
    // Changed again in the middle, it is no further than the limit either.
    world.image('v3');
    world.settle();
    expect(world.picture).toBe('n1=v2! n2=v1 n3=v1');
  });

  test('and waits for each Pod to have been ready for a while', () => {
    const world = settledWorld(2, rolling(), { minReadySeconds: 10 });
    world.nowMs += 10_000;
    world.settle();
    world.image('v2');
    world.settle();
    world.agents();
    world.settle();
    world.agents();
    expect(world.settle()).toEqual([]);
    expect(world.picture).toBe('n1=v2 n2=v1');
    expect(world.plan().againAfterMs).toBe(10_000);
    world.nowMs += 10_000;
    world.settle();
    expect(world.picture).toBe('n1=v2 n2=v1!');
  });

  test('and back, to the same revision', () => {
    const world = settledWorld(1);
    const hash = on(world, 'n1').metadata.labels['controller-revision-hash'];
    roll(world, 'v2');
    roll(world, 'v1');
    expect(on(world, 'n1').metadata.labels['controller-revision-hash']).toBe(hash);
  });

  test('and old templates are kept as long as the limit says', () => {
    const world = settledWorld(1, rolling(), { revisionHistoryLimit: 1 });
    for (const image of ['v2', 'v3', 'v4']) roll(world, image);
    const revisions = world.objects.log.filter((line) => line.includes('controllerrevision'));
    expect(revisions.map((line) => line.split(' ')[0])).toEqual([
      'create',
      'create',
      'create',
      'delete',
      'create',
      'delete',
    ]);
  });
});

describe('the status', () => {
  test('says what is there and what is not', () => {
    const world = settledWorld(3);
    world.node('n3', {}, taint('x', 'NoSchedule'));
    world.become(on(world, 'n1'), 'Running', false);
    world.node('n4');
    world.settle();
    expect(world.set.status).toEqual({
      currentNumberScheduled: 3,
      numberMisscheduled: 1,
      desiredNumberScheduled: 3,
      numberReady: 1,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
      numberAvailable: 1,
      numberUnavailable: 2,
      collisionCount: undefined,
      conditions: [],
    });
  });
});

test('a set that is being deleted makes nothing any more', () => {
  const world = settledWorld(1);
  world.node('n2');
  world.image('v2');
  const { set } = world;
  const going = { ...set, metadata: { ...set.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(lines(world.plan(going).writes)).toEqual(['updateStatus daemonset logs']);
});

test('Pods that cannot be made are told of in the status', () => {
  const world = settledWorld(1);
  world.node('n2');
  expect(lines(world.plan().writes)).toEqual([expect.stringMatching(/^create pod/)]);
  expect(lines(world.plan(world.set, true).writes)).toEqual(['updateStatus daemonset logs']);
});

test('a Pod of its labels that nobody manages is adopted, and one that loses them is let go and replaced', () => {
  const world = settledWorld(1);
  const pod = on(world, 'n1');
  const metadata = { ...pod.metadata, labels: { app: 'other' } };
  world.do({ type: 'update', kind: podKind, object: { ...pod, metadata } });
  expect(lines(world.plan().writes)).toEqual([`update pod ${pod.metadata.name}`]);
  world.settle();
  expect(world.picture).toBe('n1=v1 n1=v1?');
  const free = world.objects.get(podKind, pod.metadata.name);
  expect(free?.metadata.ownerReferences).toEqual([]);
});

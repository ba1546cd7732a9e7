import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { available } from './node-info.ts';
import { type NodeShape, type NodeWith, nodeInfo, type PodShape, podInfo, snapshotOf } from './objects.fixture.ts';
import type { PodInfo } from './pod-info.ts';
import { rejections, schedule } from './schedule.ts';
import { type Strategy, strategies } from './select-node.ts';
import type { Snapshot } from './snapshot.ts';

const profile = (strategy: Strategy) => ({ schedulerName: strategy, strategy });

describe('a Pod is put', () => {
  const small = nodeInfo('small', { cpu: '2', memory: '4Gi' });
  const large = nodeInfo('large', { cpu: '8', memory: '16Gi' });
  const busy = nodeInfo('busy', { cpu: '8', memory: '16Gi' }, [podInfo('x', { cpu: '7', memory: '15Gi' })]);
  const asks = podInfo('web', { cpu: '500m', memory: '1Gi' });

  test.each<{ name: string; strategy: Strategy; nodes: NodeWith[]; pod?: PodInfo; last?: string; on: string }>([
    { name: 'where most is available', strategy: 'argmax', nodes: [small, large, busy], on: 'large' },
    { name: 'where least remains', strategy: 'least-remaining', nodes: [small, large, busy], on: 'busy' },
    {
      name: 'by the weight of the node',
      strategy: 'argmax',
      nodes: [nodeInfo('small', { cpu: '2', memory: '4Gi', weight: '5' }), large],
      on: 'small',
    },
    {
      name: 'without regard to a weight that is no number',
      strategy: 'argmax',
      nodes: [nodeInfo('small', { cpu: '2', memory: '4Gi', weight: 'heavy' }), large],
      on: 'large',
    },
    {
      name: 'by what it requests alone',
      strategy: 'argmax',
      nodes: [nodeInfo('cpu', { cpu: '16', memory: '1Gi' }), nodeInfo('memory', { cpu: '2', memory: '64Gi' })],
      pod: podInfo('web', { cpu: '1' }),
      on: 'cpu',
    },
    {
      name: 'among equals, where fewer Pods are',
      strategy: 'argmax',
      nodes: [nodeInfo('n1', {}, [podInfo('x')]), nodeInfo('n2'), nodeInfo('n3', {}, [podInfo('y')])],
      pod: podInfo('web'),
      on: 'n2',
    },
    { name: 'first of all by name', strategy: 'round-robin', nodes: [small, large, busy], on: 'busy' },
    { name: 'on the next by name', strategy: 'round-robin', nodes: [small, large, busy], last: 'busy', on: 'large' },
    { name: 'on the first again', strategy: 'round-robin', nodes: [small, large, busy], last: 'small', on: 'busy' },
    { name: 'after a node that is gone', strategy: 'round-robin', nodes: [small, busy], last: 'large', on: 'small' },
  ])('$name ($strategy)', ({ strategy, nodes, pod = asks, last, on }) => {
    const cluster = snapshotOf(nodes, last === undefined ? {} : { [strategy]: last });
    expect(schedule(pod, cluster, profile(strategy), 1)).toMatchObject({ type: 'place', nodeName: on });
  });

  test('its score is the sum of what is available over what is requested, times the weight', () => {
    const weighted = nodeInfo('n', { cpu: '4', memory: '8Gi', disk: '100Gi', weight: '1.5' }, [
      podInfo('x', { cpu: '1', memory: '2Gi' }),
    ]);
    const pod = podInfo('web', { cpu: '500m', memory: '1Gi', disk: '10Gi' });
    const decide = (wanted: PodInfo) => schedule(wanted, snapshotOf([weighted]), profile('argmax'), 1);
    expect(decide(pod)).toMatchObject({ score: 1.5 * (3000 / 500 + 6 / 1 + 100 / 10) });
    expect(decide(podInfo('nothing'))).toMatchObject({ score: 0 });
  });
});

describe('a Pod that requires something of its node', () => {
  const nodes = ['a', 'b', 'c'].map((name) => nodeInfo(name, { labels: { zone: name } }));
  const needs = (...nodeSelectorTerms: object[]) =>
    podInfo('web', {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    });
  const named = (name: string) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] });

  test.each([
    { name: 'gets the node that it names', pod: needs(named('b')), on: 'b' },
    {
      name: 'gets one of a label',
      pod: needs({ matchExpressions: [{ key: 'zone', operator: 'In', values: ['c'] }] }),
      on: 'c',
    },
    { name: 'gets the other one when the first is not there', pod: needs(named('x'), named('c')), on: 'c' },
  ])('$name', ({ pod, on }) => {
    expect(schedule(pod, snapshotOf(nodes), profile('argmax'), 1)).toMatchObject({ type: 'place', nodeName: on });
  });

  test('waits for that node alone, and is told about every node', () => {
    const full = nodes.map((node) =>
      node.facts.name === 'b' ? { ...node, facts: { ...node.facts, unschedulable: true } } : node,
    );
    const decision = schedule(needs(named('b')), snapshotOf(full), profile('argmax'), 1);
    expect(decision).toMatchObject({
      message: "0/3 nodes are available: 2 node(s) didn't match Pod's node affinity, 1 node(s) were unschedulable.",
      filters: new Set(['NodeUnschedulable', 'NodeAffinity']),
    });
  });
});

describe('a node is refused', () => {
  test.each<{ name: string; pod: PodShape; node: NodeShape; has?: PodShape[]; reasons: string[] }>([
    { name: 'cordoned', pod: {}, node: { unschedulable: true }, reasons: ['node(s) were unschedulable'] },
    { name: 'not ready', pod: {}, node: { ready: false }, reasons: ['node(s) were not ready'] },
    {
      name: 'without the label',
      pod: { selector: { disk: 'ssd' } },
      node: { labels: { disk: 'hdd' } },
      reasons: ["node(s) didn't match node selector"],
    },
    {
      name: 'with its port taken',
      pod: { hostPort: 80 },
      node: {},
      has: [{ hostPort: 80 }],
      reasons: ["node(s) didn't have free ports for the requested pod ports"],
    },
    {
      name: 'with a taint that it does not tolerate',
      pod: { tolerations: [{ key: 'dedicated', value: 'web', effect: 'NoSchedule' }] },
      node: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] },
      reasons: ['node(s) had untolerated taint {dedicated: db}'],
    },
    {
      name: 'without room for what it takes beside its containers',
      pod: { cpu: '1', overhead: { cpu: '250m' } },
      node: { cpu: '1' },
      reasons: ['Insufficient cpu'],
    },
    { name: 'full of Pods', pod: {}, node: { pods: '1' }, has: [{}], reasons: ['Too many pods'] },
    {
      name: 'too small in several ways',
      pod: { cpu: '2', memory: '4Gi', disk: '1Gi' },
      node: { cpu: '2', memory: '4Gi' },
      has: [{ cpu: '1m', memory: '1' }],
      reasons: ['Insufficient cpu', 'Insufficient memory'],
    },
  ])('$name', ({ pod, node, has = [], reasons }) => {
    const there = has.map((shape, at) => podInfo(`x${at}`, shape));
    const snapshot = snapshotOf([nodeInfo('n', node, there)]);
    expect(schedule(podInfo('web', pod), snapshot, profile('argmax'), 1).type).toBe('reject');
    expect(rejections(podInfo('web', pod), snapshot).get('n')?.reasons).toEqual(reasons);
  });

  test.each<{ name: string; pod: PodShape; node: NodeShape }>([
    {
      name: 'whose taint it tolerates',
      pod: { tolerations: [{ key: 'dedicated', operator: 'Exists' }] },
      node: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoExecute' }] },
    },
    {
      name: 'with a taint that only asks',
      pod: {},
      node: { taints: [{ key: 'dedicated', effect: 'PreferNoSchedule' }] },
    },
    {
      name: 'that is cordoned, where it tolerates that',
      pod: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] },
      node: { unschedulable: true },
    },
    {
      name: 'that is not ready, where it tolerates that',
      pod: { tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists' }] },
      node: { ready: false },
    },
  ])('but not one $name', ({ pod, node }) => {
    expect(schedule(podInfo('web', pod), snapshotOf([nodeInfo('n', node)]), profile('argmax'), 1).type).toBe('place');
  });

  test('exactly full is not too full', () => {
    const node = nodeInfo('n', { cpu: '2', pods: '2' }, [podInfo('x', { cpu: '1500m' })]);
    expect(schedule(podInfo('web', { cpu: '500m' }), snapshotOf([node]), profile('argmax'), 1).type).toBe('place');
  });

  test('and the sentence counts the reasons', () => {
    const nodes = [
      nodeInfo('a', { cpu: '1', labels: { zone: 'y' } }),
      nodeInfo('b', { cpu: '1', labels: { zone: 'y' } }),
      nodeInfo('c', { labels: { zone: 'x' }, cpu: '8' }),
    ];
    const decision = schedule(
      podInfo('web', { cpu: '4', selector: { zone: 'y' } }),
      snapshotOf(nodes),
      profile('argmax'),
      1,
    );
    expect(decision).toMatchObject({
      message: "0/3 nodes are available: 2 Insufficient cpu, 1 node(s) didn't match node selector.",
      filters: new Set(['NodeResourcesFit', 'NodeSelector']),
    });
    expect(schedule(podInfo('web'), snapshotOf([]), profile('argmax'), 1)).toMatchObject({
      message: 'no nodes available to schedule pods',
    });
  });
});

const amount = (max: number, unit: string) => fc.integer({ min: 1, max }).map((count) => `${count}${unit}`);
const podShape = fc.record<PodShape>(
  {
    cpu: amount(4000, 'm'),
    memory: amount(4096, 'Mi'),
    disk: amount(50, 'Gi'),
    selector: fc.constantFrom({}, { zone: 'a' }, { zone: 'b' }),
    hostPort: fc.constantFrom(80, 443),
  },
  { requiredKeys: [] },
);
const nodeShape = fc.record<NodeShape>(
  {
    cpu: amount(16, ''),
    memory: amount(32, 'Gi'),
    pods: amount(10, ''),
    labels: fc.constantFrom({}, { zone: 'a' }, { zone: 'b' }),
    weight: fc.constantFrom('0', '0.5', '2'),
    ready: fc.boolean(),
    unschedulable: fc.boolean(),
  },
  { requiredKeys: [] },
);
const cluster = fc
  .array(nodeShape, { maxLength: 8 })
  .map((shapes) => shapes.map((shape, at) => nodeInfo(`n${at}`, shape)));

/** Places Pods one after another, each decision counting for the next. */
function placeAll(nodes: readonly NodeWith[], shapes: readonly PodShape[], strategy: Strategy, seed: number): Snapshot {
  const snapshot = snapshotOf(nodes);
  for (const [at, shape] of shapes.entries()) {
    const pod = podInfo(`p${at}`, shape);
    const decision = schedule(pod, snapshot, profile(strategy), seed + at);
    if (decision.type === 'reject') continue;
    snapshot.lastChosen.set(strategy, decision.nodeName);
    snapshot.place(pod.key, decision.nodeName, pod);
  }
  return snapshot;
}

describe('whatever the cluster and the Pods', () => {
  test('no node gets more than it has, nor a port twice', () => {
    const shapes = fc.array(podShape, { maxLength: 25 });
    fc.assert(
      fc.property(cluster, shapes, fc.constantFrom(...strategies), fc.nat(), (nodes, pods, strategy, seed) => {
        for (const node of placeAll(nodes, pods, strategy, seed).nodes) {
          for (const resource of Object.keys(node.requested)) {
            expect(available(node, resource)).toBeGreaterThanOrEqual(0);
          }
          expect([...node.hostPorts.values()].every((count) => count === 1)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test('round robin gives each of n nodes the same number of Pods, give or take one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 60 }), fc.nat(), (count, pods, seed) => {
        const nodes = Array.from({ length: count }, (_, at) => nodeInfo(`n${at}`));
        const shapes = Array.from({ length: pods }, () => ({}));
        const counts = placeAll(nodes, shapes, 'round-robin', seed).nodes.map((node) => node.pods.size);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('random reaches every node, none much more often than another', () => {
    const nodes = Array.from({ length: 5 }, (_, at) => nodeInfo(`n${at}`));
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 5_000; seed++) {
      const decision = schedule(podInfo('web'), snapshotOf(nodes), profile('random'), seed);
      const name = decision.type === 'place' ? decision.nodeName : '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const { facts } of nodes) {
      expect(counts.get(facts.name)).toBeGreaterThan(850);
      expect(counts.get(facts.name)).toBeLessThan(1_150);
    }
  });
});

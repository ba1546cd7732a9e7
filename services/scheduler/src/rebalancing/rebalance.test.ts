import type { RecordedMove } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node, type NodeShape, pod, type PodShape } from '../objects.fixture.ts';
import { nodeFacts } from '../node-info.ts';
import { footprint, toPodInfo } from '../pod-info.ts';
import type { Budget } from '../preemption.ts';
import type { Profile } from '../profiles.ts';
import { Snapshot } from '../snapshot.ts';
import { barredMs, inState, withPlanned } from './moves.ts';
import { type RebalancingPolicy, usualPolicy } from './policy.ts';
import { type Move, rebalance, rebalanceAnnotation } from './rebalance.ts';

const now = Date.parse('2026-01-02T00:00:00Z');

/** A Pod that serves on its node, made by an owner long ago. */
function serving(
  name: string,
  shape: PodShape & { on: string; owner?: string; kind?: string; annotations?: Record<string, string> },
) {
  const made = pod(name, { phase: 'Running', ...shape });
  const { owner = name } = shape;
  const reference = {
    apiVersion: 'apps/v1',
    kind: shape.kind ?? 'ReplicaSet',
    name: owner,
    uid: owner,
    controller: true,
    blockOwnerDeletion: true,
  };
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: '',
    lastTransitionTime: '',
    lastUpdateTime: '',
    lastProbeTime: '',
    observedGeneration: 0,
  };
  return {
    ...made,
    metadata: {
      ...made.metadata,
      ownerReferences: owner === '' ? [] : [reference],
      annotations: shape.annotations ?? {},
    },
    status: { ...made.status, conditions: [ready] },
  } as Live<Pod>;
}

interface World {
  readonly nodes: Readonly<Record<string, NodeShape>>;
  readonly pods: readonly Live<Pod>[];
  readonly budgets?: readonly Budget[];
  readonly strategy?: NonNullable<Profile['strategy']>;
}

function round(
  { nodes, pods, budgets = [], strategy = 'argmax' }: World,
  policy: Partial<RebalancingPolicy>,
  earlier: readonly RecordedMove[] = [],
): readonly Move[] {
  const snapshot = new Snapshot();
  for (const [name, shape] of Object.entries(nodes)) snapshot.putNode(nodeFacts(node(name, shape)));
  for (const each of pods)
    if (each.spec.nodeName !== '') snapshot.place(keyOf(each), each.spec.nodeName, footprint(each));
  const picture = {
    snapshot,
    budgets,
    profiles: new Map([['default-scheduler', { schedulerName: 'default-scheduler', strategy }]]),
    withClaims: <T>(info: T) => info,
    waits: () => undefined,
    nominationOf: () => undefined,
    isLeaving: () => false,
  };
  const byKey = new Map(pods.map((each) => [keyOf(each), each]));
  const steps = rebalance(byKey, picture, { ...usualPolicy, goals: ['spread'], ...policy }, now, earlier);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const told = (moves: readonly Move[]) =>
  moves.map(({ pod: { metadata }, from, to }) => `${metadata.name}: ${from} → ${to}`);
const two = { a: { cpu: '4' }, b: { cpu: '4' } };
const three = ['x', 'y', 'z'].map((name) => serving(name, { cpu: '1', on: 'a' }));

describe('what is moved', () => {
  test.each<{ name: string; world: World; policy?: Partial<RebalancingPolicy>; moves: readonly string[] }>([
    {
      name: 'a full node gives to an empty one, until that gains too little',
      world: { nodes: two, pods: three },
      moves: ['x: a → b'],
    },
    { name: 'nodes that are about as full are left', world: { nodes: two, pods: three.slice(0, 1) }, moves: [] },
    {
      name: 'what nobody makes again stays',
      world: {
        nodes: two,
        pods: three.map(({ metadata: { name } }) => serving(name, { cpu: '1', on: 'a', owner: '' })),
      },
      moves: [],
    },
    {
      name: 'what works on a Job stays',
      world: { nodes: two, pods: ['x', 'y', 'z'].map((name) => serving(name, { cpu: '1', on: 'a', kind: 'Job' })) },
      moves: [],
    },
    {
      name: 'what belongs to a group stays with it',
      world: {
        nodes: two,
        pods: ['x', 'y', 'z'].map((name) => {
          return serving(name, { cpu: '1', on: 'a', labels: { 'scheduling.x-k8s.io/pod-group': 'g' } });
        }),
      },
      moves: [],
    },
    {
      name: 'what is young stays, and so does what was moved lately',
      world: {
        nodes: two,
        pods: ['x', 'y', 'z'].map((name) => serving(name, { cpu: '1', on: 'a', since: '2026-01-01T23:55:00Z' })),
      },
      moves: [],
    },
    {
      name: 'what says that it wants to stay stays',
      world: {
        nodes: two,
        pods: ['x', 'y', 'z'].map((name) =>
          serving(name, { cpu: '1', on: 'a', annotations: { [rebalanceAnnotation]: 'never' } }),
        ),
      },
      moves: [],
    },
    {
      name: 'what a budget keeps stays',
      world: { nodes: two, pods: three, budgets: [{ key: 'default/all', chooses: () => true, allowed: 0 }] },
      moves: [],
    },
    {
      name: 'nothing while a Pod waits for a node',
      world: { nodes: two, pods: [...three, pod('waiting', { cpu: '9' })] },
      moves: [],
    },
    {
      name: 'a Pod whose node got a taint since that it does not tolerate',
      world: {
        nodes: { a: { taints: [{ key: 'old', value: '', effect: 'NoSchedule' }] }, b: {} },
        pods: [serving('x', { cpu: '100m', on: 'a' })],
      },
      policy: { goals: ['violations'] },
      moves: ['x: a → b'],
    },
    {
      name: 'a Pod whose node lost the label that it wants',
      world: {
        nodes: { a: {}, b: { labels: { disk: 'ssd' } } },
        pods: [serving('x', { on: 'a', selector: { disk: 'ssd' } })],
      },
      policy: { goals: ['violations'] },
      moves: ['x: a → b'],
    },
    {
      name: 'one of several of an owner on one node',
      world: { nodes: two, pods: ['x', 'y', 'z'].map((name) => serving(name, { cpu: '100m', on: 'a', owner: 'web' })) },
      policy: { goals: ['duplicates'] },
      moves: ['x: a → b'],
    },
    {
      name: 'all of the emptiest node, where the scheduler packs',
      world: {
        nodes: two,
        pods: [
          serving('x', { cpu: '2', on: 'a' }),
          serving('y', { cpu: '1', on: 'b' }),
          serving('z', { cpu: '500m', on: 'b' }),
        ],
        strategy: 'least-remaining',
      },
      policy: { goals: ['pack'] },
      moves: ['y: b → a', 'z: b → a'],
    },
    {
      name: 'none of it where not all of them find room',
      world: {
        nodes: two,
        pods: [
          serving('x', { cpu: '3', on: 'a' }),
          serving('y', { cpu: '1', on: 'b' }),
          serving('z', { cpu: '1', on: 'b' }),
        ],
        strategy: 'least-remaining',
      },
      policy: { goals: ['pack'] },
      moves: [],
    },
    {
      name: 'no more than the round may move',
      world: {
        nodes: { a: { cpu: '16' }, b: { cpu: '16' } },
        pods: Array.from({ length: 12 }, (_, at) => serving(`p${at}`, { cpu: '1', on: 'a' })),
      },
      policy: { maxMoves: 2, minimumGain: 0.01 },
      moves: ['p0: a → b', 'p1: a → b'],
    },
  ])('$name', ({ world, policy = {}, moves }) => {
    expect(told(round(world, policy))).toEqual(moves);
  });
});

test('what was undone is not moved again, and nothing is while a move is being undone', () => {
  const world = { nodes: two, pods: three };
  const [move] = round(world, {});
  const [recorded] = withPlanned([], move === undefined ? [] : [move], now);
  if (recorded === undefined) throw new Error('nothing was moved');
  // Others of the node may still go.
  expect(told(round(world, {}, [inState(recorded, 'undone', now)]))).toEqual(['y: a → b']);
  expect(told(round(world, {}, [inState(recorded, 'undone', now - barredMs)]))).toEqual(['x: a → b']);
  expect(told(round(world, {}, [inState(recorded, 'asked', now)]))).toEqual([]);
});

test('whatever the cluster, moving comes to an end, and no node gets more than it has', () => {
  const shapes = fc.record({
    sizes: fc.array(fc.integer({ min: 2, max: 8 }), { minLength: 2, maxLength: 5 }),
    pods: fc.array(fc.record({ cpu: fc.integer({ min: 1, max: 4 }), at: fc.nat(), owner: fc.nat({ max: 3 }) }), {
      maxLength: 15,
    }),
    goals: fc.subarray(['violations', 'duplicates', 'spread'] as const, { minLength: 1 }),
  });
  fc.assert(
    fc.property(shapes, ({ sizes, pods, goals }) => {
      const nodes = Object.fromEntries(sizes.map((cpu, at) => [`n${at}`, { cpu: `${2 * cpu}` }]));
      const free = sizes.map((cpu) => 2 * cpu);
      let all = pods.flatMap(({ cpu, at, owner }, number) => {
        const place = at % sizes.length;
        if ((free[place] ?? 0) < cpu) return [];
        free[place] = (free[place] ?? 0) - cpu;
        return [serving(`p${number}`, { cpu: `${cpu}`, on: `n${place}`, owner: `o${owner}` })];
      });
      // Without the time for which what was moved stays: even then it must not go back and forth for ever.
      for (let rounds = 0; ; rounds++) {
        expect(rounds).toBeLessThan(60);
        const moves = round({ nodes, pods: all }, { goals });
        if (moves.length === 0) break;
        const to = new Map(moves.map((move) => [keyOf(move.pod), move.to]));
        all = all.map((each) => ({
          ...each,
          spec: { ...each.spec, nodeName: to.get(keyOf(each)) ?? each.spec.nodeName },
        }));
        for (const [name, { cpu }] of Object.entries(nodes)) {
          const used = all
            .filter(({ spec }) => spec.nodeName === name)
            .map((each) => toPodInfo(each).requests['cpu'] ?? 0);
          expect(used.reduce((sum, amount) => sum + amount, 0)).toBeLessThanOrEqual(1000 * Number(cpu));
        }
      }
    }),
    { numRuns: 200 },
  );
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NodeWith, nodeInfo, type PodShape, podInfo, snapshotOf } from './objects.fixture.ts';
import { type Budget, preemption } from './preemption.ts';
import { schedule } from './schedule.ts';

const profile = { schedulerName: 'argmax', strategy: 'argmax' } as const;
const important = (shape: PodShape = {}) => podInfo('new', { cpu: '1', priority: 100, ...shape });
/** A node of so many cores with Pods of a core each, given as name: shape. */
const node = (name: string, cpu: number, pods: Record<string, PodShape>, labels = {}): NodeWith =>
  nodeInfo(
    name,
    { cpu: String(cpu), labels },
    Object.entries(pods).map(([pod, shape]) => podInfo(pod, { cpu: '1', ...shape })),
  );
/** Names of victims, as `n1: a b`. */
const found = (pod = important(), nodes: readonly NodeWith[] = [], budgets: readonly Budget[] = []) => {
  const chosen = preemption(pod, snapshotOf(nodes), budgets, 0);
  return chosen && `${chosen.nodeName}: ${chosen.victims.map((key) => key.split('/').at(-1)).join(' ')}`;
};
const web: Budget = { key: 'default/web', chooses: ({ labels }) => labels['app'] === 'web', allowed: 0 };

describe('a more important Pod', () => {
  test.each<{ name: string; nodes: NodeWith[]; pod?: PodShape; budgets?: Budget[]; is: string | undefined }>([
    { name: 'takes the room of a lesser one', nodes: [node('n1', 1, { a: {} })], is: 'n1: a' },
    { name: 'not of its equal', nodes: [node('n1', 1, { a: { priority: 100 } })], is: undefined },
    {
      name: 'asks as few to leave as it needs',
      nodes: [node('n1', 3, { a: {}, b: {}, c: {} })],
      pod: { cpu: '2' },
      is: 'n1: b c',
    },
    { name: 'not where that would not help', nodes: [node('n1', 1, { a: {} })], pod: { cpu: '2' }, is: undefined },
    {
      name: 'not where it may not be at all',
      nodes: [node('n1', 1, { a: {} })],
      pod: { selector: { disk: 'ssd' } },
      is: undefined,
    },
    {
      name: 'asks the least important',
      nodes: [node('n1', 2, { a: { priority: 50 }, b: { priority: 10 } })],
      is: 'n1: b',
    },
    {
      name: 'goes where the most important victim is least important',
      nodes: [node('n1', 1, { a: { priority: 50 } }), node('n2', 2, { b: { priority: 10 }, c: { priority: 10 } })],
      pod: { cpu: '2' },
      is: 'n2: b c',
    },
    {
      name: 'then where their sum is smallest',
      nodes: [
        node('n1', 2, { a: { priority: 50 }, b: { priority: 40 } }),
        node('n2', 2, { c: { priority: 50 }, d: { priority: 10 } }),
      ],
      pod: { cpu: '2' },
      is: 'n2: c d',
    },
    {
      name: 'then where they are fewest',
      nodes: [node('n1', 2, { a: {}, b: {} }), node('n2', 2, { c: { cpu: '2' } })],
      pod: { cpu: '2' },
      is: 'n2: c',
    },
    {
      name: 'then where they are youngest',
      nodes: [
        node('n1', 1, { a: { since: '2026-01-01T00:00:00Z' } }),
        node('n2', 1, { b: { since: '2026-02-01T00:00:00Z' } }),
      ],
      is: 'n2: b',
    },
    {
      name: 'goes where budgets are kept, whatever the rest',
      nodes: [node('n1', 1, { a: { labels: { app: 'web' } } }), node('n2', 1, { b: { priority: 90 } })],
      budgets: [web],
      is: 'n2: b',
    },
    {
      name: 'spares on its node those whose budget is used up',
      nodes: [node('n1', 2, { a: { labels: { app: 'web' } }, b: { priority: 50 } })],
      budgets: [web],
      is: 'n1: b',
    },
    {
      name: 'breaks a budget where there is no other way',
      nodes: [node('n1', 1, { a: { labels: { app: 'web' } } })],
      budgets: [web],
      is: 'n1: a',
    },
    {
      name: 'takes a port',
      nodes: [nodeInfo('n1', {}, [podInfo('a', { hostPort: 80 }), podInfo('b')])],
      pod: { hostPort: 80 },
      is: 'n1: a',
    },
  ])('$name', ({ nodes, pod, budgets, is }) => expect(found(important(pod), nodes, budgets)).toBe(is));

  test('goes where its data is', () => {
    const nodes = [node('n1', 1, { a: {} }), node('n2', 1, { b: { priority: 50 } })];
    const pod = important();
    expect(found(pod, nodes)).toBe('n1: a');
    expect(found({ ...pod, claims: [{ key: 'default/data', name: 'data', nodeName: 'n2' }] }, nodes)).toBe('n2: b');
  });

  test('is told anew once others came or went', () => {
    const snapshot = snapshotOf([node('n1', 2, { a: { priority: 10 }, b: { priority: 20 } })]);
    const victims = () => preemption(important(), snapshot, [], 0)?.victims;
    expect(victims()).toEqual(['n1 default/a']);
    snapshot.take('n1 default/a');
    snapshot.place('default/c', 'n1', podInfo('c', { cpu: '1', priority: 5 }));
    expect(victims()).toEqual(['default/c']);
  });

  test('makes those leave that it can not be near', () => {
    const away = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } },
          ],
        },
      },
    };
    const there = node('n1', 8, { a: { labels: { app: 'web' } }, b: {} }, { zone: 'z' });
    expect(found(important(away), [there])).toBe('n1: a');
  });
});

test('whatever the cluster: victims are lesser, their leaving is enough, and without any one of them it is not', () => {
  const shape = fc.record<PodShape>({
    cpu: fc.constantFrom('500m', '1', '2'),
    memory: fc.constantFrom('1Gi', '2Gi'),
    priority: fc.constantFrom(0, 10, 100, 200),
  });
  const nodes = fc.array(fc.array(shape, { maxLength: 6 }), { minLength: 1, maxLength: 5 });
  let helped = 0;
  fc.assert(
    fc.property(nodes, shape, fc.nat(), (clusters, wanted, seed) => {
      const snapshot = snapshotOf([]);
      const priorities = new Map<string, number>();
      for (const [n, pods] of clusters.entries()) {
        snapshot.putNode(nodeInfo(`n${n}`, { cpu: '4', memory: '6Gi' }).facts);
        for (const [at, each] of pods.entries()) {
          const pod = podInfo(`p${n}-${at}`, each);
          if (schedule(pod, snapshot, profile, 1).type === 'reject') continue;
          priorities.set(pod.key, pod.priority);
          snapshot.place(pod.key, `n${n}`, pod);
        }
      }
      const pod = podInfo('new', wanted);
      const fits = () => schedule(pod, snapshot, profile, seed).type === 'place';
      const before = JSON.stringify(snapshot.nodes.map(({ requested, pods }) => [requested, [...pods.keys()].sort()]));
      if (fits()) return;
      const chosen = preemption(pod, snapshot, [], seed);
      const after = JSON.stringify(snapshot.nodes.map(({ requested, pods }) => [requested, [...pods.keys()].sort()]));
      expect(after).toBe(before);
      if (chosen === undefined) return;
      helped++;
      const guests = snapshot.nodes[snapshot.find(chosen.nodeName)]?.pods ?? new Map();
      const prints = chosen.victims.map((key) => [key, guests.get(key)] as const);
      expect(chosen.victims.every((key) => (priorities.get(key) ?? 0) < pod.priority)).toBe(true);
      for (const key of chosen.victims) snapshot.take(key);
      expect(fits()).toBe(true);
      for (const [key, print] of prints) {
        if (print === undefined) throw new Error(`${key} is not on the node`);
        snapshot.place(key, chosen.nodeName, print);
        expect(fits()).toBe(false);
        snapshot.take(key);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(helped).toBeGreaterThan(50);
}, 60_000);

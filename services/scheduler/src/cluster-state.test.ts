import type { Change } from '@navarch/client';
import { type KubeObject, keyOf } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClusterState } from './cluster-state.ts';
import { type NodeShape, node, nodeInfo, pod, podInfo, snapshotOf } from './objects.fixture.ts';

const added = <T extends KubeObject>(object: Change<T>['object']): Change<T> => ({ type: 'added', object });
const changed = <T extends KubeObject>(object: Change<T>['object'], previous: Change<T>['object']): Change<T> => ({
  type: 'modified',
  object,
  previous,
});
const deleted = <T extends KubeObject>(object: Change<T>['object']): Change<T> => ({ type: 'deleted', object });

function withNode(name = 'n1', shape: NodeShape = {}) {
  const state = new ClusterState();
  state.onNode(added<Node>(node(name, shape)));
  return state;
}
const cpuOn = (state: ClusterState, name = 'n1') =>
  state.snapshot.nodes.find((node) => node.name === name)?.requested['cpu'] ?? 0;

describe('the state of the cluster', () => {
  test('counts a decision at once, and the binding in its place', () => {
    const state = withNode();
    state.assume(podInfo('a', { cpu: '1' }), 'n1');
    expect([cpuOn(state), state.assumes(podInfo('a'))]).toEqual([1000, true]);
    state.onPod(added<Pod>(pod('a', { cpu: '1' }))); // an old state of it, without the binding
    expect(cpuOn(state)).toBe(1000);
    state.onPod(changed<Pod>(pod('a', { cpu: '1', on: 'n1' }), pod('a', { cpu: '1' })));
    expect([cpuOn(state), state.assumes(podInfo('a'))]).toEqual([1000, false]);
    state.forget(podInfo('a'));
    expect(cpuOn(state)).toBe(1000);
  });

  test('keeps of a decision no more than of a binding', () => {
    const state = withNode();
    state.assume(podInfo('a', { cpu: '1' }), 'n1');
    state.onPod(added<Pod>(pod('b', { cpu: '1', on: 'n1' })));
    const [decided, bound] = [...(state.snapshot.nodes[0]?.pods.values() ?? [])];
    expect(Object.keys(decided ?? {}).sort()).toEqual(Object.keys(bound ?? {}).sort());
  });

  test('takes a decision back', () => {
    const state = withNode();
    state.assume(podInfo('a', { cpu: '1', hostPort: 80 }), 'n1');
    expect(state.forget(podInfo('a'))).toEqual(['pod-left']);
    expect(state.snapshot.nodes[0]).toMatchObject({ pods: new Map(), hostPorts: new Map() });
    expect(cpuOn(state)).toBe(0);
  });

  test('frees the room of a Pod that is gone, or has ended for good', () => {
    const state = withNode();
    const running = pod('a', { cpu: '1', on: 'n1', phase: 'Running' });
    state.onPod(added<Pod>(running));
    expect(state.onPod(changed<Pod>(pod('a', { cpu: '1', on: 'n1', phase: 'Succeeded' }), running))).toEqual([
      'pod-left',
    ]);
    expect(cpuOn(state)).toBe(0);
    expect(state.onPod(deleted<Pod>(running))).toEqual([]);
  });

  test('does not take a new Pod of the same name for the old one', () => {
    const state = withNode();
    state.assume(podInfo('a', { cpu: '1' }), 'n1');
    expect(state.onPod(added<Pod>(pod('a', { uid: 'another', cpu: '2' })))).toEqual(['pod-left']);
    expect(cpuOn(state)).toBe(0);
  });

  test('knows the Pods of a node that comes after them, or comes back', () => {
    const state = new ClusterState();
    state.onPod(added<Pod>(pod('a', { cpu: '1', on: 'n1' })));
    expect(state.onNode(added<Node>(node('n1')))).toEqual(['node-added']);
    expect(cpuOn(state)).toBe(1000);
    state.onNode(deleted<Node>(node('n1')));
    expect(state.snapshot.nodes).toEqual([]);
    state.onNode(added<Node>(node('n1')));
    expect(cpuOn(state)).toBe(1000);
  });

  test('can be copied, and no later change touches the copy', () => {
    const state = withNode();
    const before = state.snapshot.copy();
    state.assume(podInfo('a', { cpu: '1' }), 'n1');
    state.onNode(added<Node>(node('n2')));
    expect(before.nodes.map(({ name, pods }) => [name, pods.size])).toEqual([['n1', 0]]);
    expect(before.lastChosen.size).toBe(0);
  });

  test.each<{ name: string; before: NodeShape; after: NodeShape; events: string[] }>([
    { name: 'nothing', before: {}, after: {}, events: [] },
    { name: 'more room', before: { cpu: '1' }, after: { cpu: '2' }, events: ['node-grew'] },
    { name: 'less room', before: { cpu: '2' }, after: { cpu: '1' }, events: [] },
    { name: 'a label', before: {}, after: { labels: { a: 'b' } }, events: ['node-labelled'] },
    { name: 'readiness', before: { ready: false }, after: {}, events: ['node-became-ready'] },
    { name: 'uncordoned', before: { unschedulable: true }, after: {}, events: ['node-became-schedulable'] },
    {
      name: 'freed of a taint',
      before: { taints: [{ key: 'a', effect: 'NoSchedule' }] },
      after: {},
      events: ['node-untainted'],
    },
    { name: 'tainted', before: {}, after: { taints: [{ key: 'a', effect: 'NoSchedule' }] }, events: [] },
    { name: 'cordoned', before: {}, after: { unschedulable: true }, events: [] },
  ])("tells what a node's change may have made possible: $name", ({ before, after, events }) => {
    const state = withNode('n1', before);
    expect(state.onNode(changed<Node>(node('n1', after), node('n1', before)))).toEqual(events);
  });
});

const names = ['a', 'b', 'c', 'd', 'e'];
const nodes = ['n1', 'n2', 'n3'];
const step = fc.oneof(
  fc.record({
    do: fc.constantFrom('bind' as const, 'assume' as const),
    name: fc.constantFrom(...names),
    on: fc.constantFrom(...nodes),
  }),
  fc.record({ do: fc.constantFrom('delete' as const, 'forget' as const), name: fc.constantFrom(...names) }),
  fc.record({ do: fc.constantFrom('node comes' as const, 'node goes' as const), on: fc.constantFrom(...nodes) }),
);

test('whatever the order of changes, the sums are those of the Pods that are there', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const state = new ClusterState();
      const there = new Set<string>();
      const placed = new Map<string, { on: string; assumed: boolean }>();
      const shape = (name: string) => ({
        cpu: `${100 * (1 + names.indexOf(name))}m`,
        hostPort: 80 + names.indexOf(name),
      });
      for (const change of steps) {
        if (!('name' in change)) {
          if (change.do === 'node comes') there.add(change.on);
          else there.delete(change.on);
          const object = node(change.on);
          state.onNode(change.do === 'node comes' ? added<Node>(object) : deleted<Node>(object));
          continue;
        }
        const { name } = change;
        const info = podInfo(name, shape(name));
        if (change.do === 'bind') {
          if (placed.get(name)?.assumed === false) continue; // a Pod never moves
          state.onPod(added<Pod>(pod(name, { ...shape(name), on: change.on })));
          placed.set(name, { on: change.on, assumed: false });
        } else if (change.do === 'assume') {
          if (placed.has(name)) continue;
          state.assume(info, change.on);
          placed.set(name, { on: change.on, assumed: true });
        } else if (change.do === 'delete') {
          state.onPod(deleted<Pod>(pod(name, shape(name))));
          placed.delete(name);
        } else {
          state.forget(info);
          if (placed.get(name)?.assumed) placed.delete(name);
        }
      }
      const expected = [...there].sort().map((on) => {
        const pods = names.filter((name) => placed.get(name)?.on === on).map((name) => podInfo(name, shape(name)));
        const [expected] = snapshotOf([nodeInfo(on, {}, pods)]).nodes;
        return { name: on, cpu: expected?.requested['cpu'] ?? 0, hostPorts: expected?.hostPorts, count: pods.length };
      });
      const actual = state.snapshot.nodes.map(({ name, requested, hostPorts, pods }) => {
        return { name, cpu: requested['cpu'] ?? 0, hostPorts, count: pods.size };
      });
      expect(actual).toEqual(expected);
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('keys of Pods and of the state are the same', () => expect(podInfo('a').key).toBe(keyOf(pod('a'))));

import type { RecordedMove } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { nodeFacts } from '../node-info.ts';
import { node, type NodeShape, pod } from '../objects.fixture.ts';
import { footprint } from '../pod-info.ts';
import type { Budget } from '../preemption.ts';
import { Snapshot } from '../snapshot.ts';
import { barredMs, inState, isBarred, withOutcomes, withPlanned } from './moves.ts';
import type { Move } from './rebalance.ts';
import { type UndoStep, undoMs, undoStep } from './undo.ts';

const now = Date.parse('2026-01-02T00:00:00Z');
const minutesAgo = (minutes: number) => new Date(now - 60_000 * minutes).toISOString();

/** A Pod of the ReplicaSet `web`. */
function web(name: string, on: string, shape: { readonly cpu?: string; readonly going?: boolean } = {}): Live<Pod> {
  const made = pod(name, { cpu: shape.cpu ?? '1', on, phase: 'Running', since: minutesAgo(1) });
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true };
  return {
    ...made,
    metadata: {
      ...made.metadata,
      ownerReferences: [{ ...owner, blockOwnerDeletion: true }],
      deletionTimestamp: shape.going === true ? minutesAgo(0) : '',
    },
  };
}

const move: RecordedMove = {
  id: 7,
  namespace: 'default',
  pod: 'old',
  uid: 'old',
  owner: 'replicaset/web',
  ownerUid: 'web',
  from: 'a',
  to: 'b',
  goal: 'spread',
  reason: 'it was full',
  at: minutesAgo(5),
  state: 'asked',
  since: minutesAgo(1),
};
const one = web('new', 'b');
const undoing = (minutes: number): RecordedMove => ({
  ...move,
  state: 'undoing',
  since: minutesAgo(minutes),
  undoing: { pod: 'new', uid: one.metadata.uid, there: [web('there', 'a').metadata.uid] },
});

function step(
  moves: readonly RecordedMove[],
  pods: readonly Live<Pod>[],
  nodes: Readonly<Record<string, NodeShape>> = { a: {}, b: {} },
  budgets: readonly Budget[] = [],
): UndoStep {
  const snapshot = new Snapshot();
  for (const [name, shape] of Object.entries(nodes)) snapshot.putNode(nodeFacts(node(name, shape)));
  for (const each of pods)
    if (each.spec.nodeName !== '') snapshot.place(keyOf(each), each.spec.nodeName, footprint(each));
  const picture = {
    snapshot,
    budgets,
    profiles: new Map(),
    withClaims: <T>(info: T) => info,
    waits: () => undefined,
    nominationOf: () => undefined,
    isLeaving: () => false,
  };
  return undoStep(moves, new Map(pods.map((each) => [keyOf(each), each])), () => picture, now);
}

function told(found: UndoStep): string {
  if (found.type === 'nothing') return 'nothing';
  if (found.type === 'evict') return `evict ${found.pod.metadata.name}`;
  const { id, state, undoing, why } = found.move;
  return [`${id}`, state, undoing?.pod, why].filter((each) => each !== undefined).join(' ');
}

describe('undoing a move', () => {
  const none: readonly Budget[] = [{ key: 'default/web', chooses: () => true, allowed: 0 }];
  test.each<{
    name: string;
    moves: readonly RecordedMove[];
    pods: readonly Live<Pod>[];
    nodes?: Readonly<Record<string, NodeShape>>;
    budgets?: readonly Budget[];
    told: string;
  }>([
    { name: 'nobody asked', moves: [{ ...move, state: 'moved' }], pods: [one], told: 'nothing' },
    { name: 'it is recorded first who is to leave', moves: [move], pods: [one], told: '7 undoing new' },
    { name: 'then that one is to leave', moves: [undoing(1)], pods: [one], told: 'evict new' },
    {
      name: 'who leaves is not asked again',
      moves: [undoing(1)],
      pods: [web('new', 'b', { going: true })],
      told: 'nothing',
    },
    { name: 'another is waited for', moves: [undoing(1)], pods: [], told: 'nothing' },
    { name: 'until it is on the old node', moves: [undoing(1)], pods: [web('newer', 'a')], told: '7 undone' },
    { name: 'who was there before is no other', moves: [undoing(1)], pods: [web('there', 'a')], told: 'nothing' },
    {
      name: 'it is not waited for ever',
      moves: [undoing(undoMs / 60_000)],
      pods: [],
      told: '7 kept no Pod of replicaset/web came to a within 5 minutes',
    },
    {
      name: 'one after another',
      moves: [{ ...move, id: 6 }, undoing(1)],
      pods: [web('newer', 'a')],
      told: '7 undone',
    },
    {
      name: 'the node is gone',
      moves: [move],
      pods: [one],
      nodes: { b: {} },
      told: '7 kept there is no node a any more',
    },
    {
      name: 'the node is full',
      moves: [move],
      pods: [one],
      nodes: { a: { cpu: '500m' }, b: {} },
      told: '7 kept it does not fit on a: cpu: needs 1, 500m free of 500m: 500m short',
    },
    {
      name: 'a budget keeps it',
      moves: [move],
      pods: [one],
      budgets: none,
      told: '7 kept the budget default/web lets none of its Pods go now',
    },
    {
      name: 'its owner is gone',
      moves: [move],
      pods: [],
      told: '7 kept the Pod that came in its place is gone',
    },
    {
      name: 'a Pod of its owner waits',
      moves: [move],
      pods: [one, web('waiting', '')],
      told: '7 kept a Pod of replicaset/web waits for a node: its room is looked for first',
    },
  ])('$name', ({ moves, pods, nodes, budgets, told: expected }) => {
    expect(told(step(moves, pods, nodes, budgets))).toBe(expected);
  });

  test('the Pod of the same name is preferred, as a StatefulSet makes it, then one where it was to be', () => {
    expect(told(step([move], [web('x', 'b'), web('old', 'c')]))).toBe('7 undoing old');
    expect(told(step([move], [web('x', 'c'), web('y', 'b')]))).toBe('7 undoing y');
  });
});

describe('the record', () => {
  const planned: Move = { pod: web('p', 'a'), from: 'a', to: 'b', goal: 'spread', reason: 'full' };

  test('a move is in it before it is made, under a number of its own', () => {
    const [, added] = withPlanned([{ ...move, state: 'moved' }], [planned], now);
    expect(added).toMatchObject({ id: 8, pod: 'p', owner: 'replicaset/web', ownerUid: 'web', state: 'moving' });
  });

  test('whether a move was made is seen from its Pod', () => {
    const moving = withPlanned([], [planned], now);
    const after = (pods: readonly Live<Pod>[]) =>
      withOutcomes(moving, new Map(pods.map((each) => [keyOf(each), each])), now).map(({ state }) => state);
    expect(after([planned.pod])).toEqual([]);
    expect(after([web('p', 'a', { going: true })])).toEqual(['moved']);
    expect(after([])).toEqual(['moved']);
  });

  test('what was undone is not moved again for a day, in that direction', () => {
    const undone = [inState(move, 'undone', now)];
    expect(isBarred(undone, planned, now + barredMs - 1)).toBe(true);
    expect(isBarred(undone, planned, now + barredMs)).toBe(false);
    expect(isBarred(undone, { ...planned, from: 'b', to: 'a' }, now)).toBe(false);
    expect(isBarred([inState(move, 'moved', now)], planned, now)).toBe(false);
  });

  test('it grows no longer than it may, and forgets last what bars others or is under way', () => {
    const moved = Array.from({ length: 210 }, (_, at) => inState({ ...move, id: at + 10 }, 'moved', now));
    const undone = inState({ ...move, id: 1 }, 'undone', now);
    const asked: RecordedMove = { ...move, id: 2 };
    const kept = withPlanned([undone, asked, ...moved], [planned], now).map(({ id }) => id);
    expect(kept).toHaveLength(200);
    expect(kept.slice(0, 2)).toEqual([1, 2]);
    expect(kept.at(-1)).toBe(220);
    const long = Array.from({ length: 150 }, (_, at) => ({
      ...inState(move, 'moved', now),
      id: at,
      owner: 'x'.repeat(2_000),
    }));
    expect(JSON.stringify(withPlanned(long, [planned], now)).length).toBeLessThanOrEqual(200 * 1024);
  });
});

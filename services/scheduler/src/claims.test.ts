import type { Change } from '@navarch/client';
import type { PersistentVolumeClaim } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { ClusterState } from './cluster-state.ts';
import { type ClaimShape, claim, node, pod, podInfo } from './objects.fixture.ts';
import { schedule } from './schedule.ts';

const profile = { schedulerName: 'argmax', strategy: 'argmax' } as const;

/** A cluster of two nodes, of which n2 has more room. */
function clusterWith(...claims: readonly (readonly [name: string, shape?: ClaimShape])[]) {
  const state = new ClusterState();
  state.onNode({ type: 'added', object: node('n1', { cpu: '2' }) });
  state.onNode({ type: 'added', object: node('n2', { cpu: '8' }) });
  for (const [name, shape] of claims) show(state, claim(name, shape));
  return state;
}
const show = (state: ClusterState, object: Change<PersistentVolumeClaim>['object']) =>
  state.onClaim({ type: 'modified', object, previous: object });
const decide = (state: ClusterState, name: string, ...claims: readonly string[]) =>
  schedule(state.withClaims(podInfo(name, { cpu: '1', claims })), state.snapshot, profile, 1);

describe('a Pod with claims', () => {
  test.each<{ name: string; claims: [name: string, shape?: ClaimShape][]; on: string }>([
    { name: 'goes anywhere when they are new', claims: [['data']], on: 'n2' },
    { name: 'goes where its data is', claims: [['data', { node: 'n1' }]], on: 'n1' },
    { name: 'takes a new claim to where the other one is', claims: [['data', { node: 'n1' }], ['logs']], on: 'n1' },
  ])('$name', ({ claims, on }) => {
    const decision = decide(clusterWith(...claims), 'db', ...claims.map(([name]) => name));
    expect(decision).toMatchObject({ type: 'place', nodeName: on });
  });

  test.each<{ name: string; claims: [name: string, shape?: ClaimShape][]; message: string }>([
    { name: 'there is none', claims: [], message: '2 claim data is not there' },
    {
      name: 'one is on a node that is gone',
      claims: [['data', { node: 'n9' }]],
      message: '2 claim data lives on node n9',
    },
    { name: 'one goes', claims: [['data', { going: true }]], message: '2 claim data is being deleted' },
    { name: 'one has no class', claims: [['data', { storageClassName: 'gp2' }]], message: 'storage class "gp2"' },
    {
      name: 'two are apart',
      claims: [
        ['data', { node: 'n1' }],
        ['logs', { node: 'n2' }],
      ],
      message: '1 claim data lives on node n1, 1 claim logs lives on node n2',
    },
  ])('waits when $name', ({ claims, message }) => {
    const decision = decide(clusterWith(...claims), 'db', 'data', ...claims.slice(1).map(([name]) => name));
    expect(decision).toMatchObject({ type: 'reject', message: expect.stringContaining(message) as string });
    expect(decision.type === 'reject' && decision.filters).toEqual(new Set(['VolumeBinding']));
  });

  test('a decision counts at once for others of its claim, until it is known to have failed', () => {
    const state = clusterWith(['data']);
    const first = podInfo('a', { claims: ['data'] });
    state.assume(first, 'n1');
    expect(decide(state, 'b', 'data')).toMatchObject({ nodeName: 'n1' });
    expect(state.unsettledClaims(first)).toEqual(['default/data']);
    state.forget(first);
    expect(decide(state, 'b', 'data')).toMatchObject({ nodeName: 'n2' });
  });

  test('what the cache shows of a claim goes before what was decided for it', () => {
    const state = clusterWith(['data']);
    state.assume(podInfo('a', { claims: ['data'] }), 'n1');
    show(state, claim('data', { node: 'n2' }));
    expect(decide(state, 'b', 'data')).toMatchObject({ nodeName: 'n2' });
    show(state, claim('data', { uid: 'another' }));
    state.assume(podInfo('a', { claims: ['data'] }), 'n1');
    show(state, claim('data', { uid: 'a third' }));
    expect(decide(state, 'b', 'data')).toMatchObject({ nodeName: 'n2' });
  });

  test('waits while another has what is for one Pod at a time', () => {
    const state = clusterWith(['data', { node: 'n2', mode: 'ReadWriteOncePod' }]);
    state.onPod({ type: 'added', object: pod('a', { claims: ['data'], on: 'n2' }) });
    expect(decide(state, 'b', 'data')).toMatchObject({ message: expect.stringContaining('another has it') as string });
    const gone = pod('a', { claims: ['data'], on: 'n2' });
    expect(state.onPod({ type: 'deleted', object: gone })).toEqual(['pod-left']);
    expect(decide(state, 'b', 'data')).toMatchObject({ nodeName: 'n2' });
  });

  test('only news of a claim wakes those that wait for it', () => {
    const state = clusterWith(['data']);
    expect(show(state, claim('data'))).toEqual([]);
    expect(show(state, claim('data', { node: 'n1' }))).toEqual(['claim-changed']);
    expect(show(state, claim('data', { node: 'n1', uid: 'another' }))).toEqual(['claim-changed']);
  });
});

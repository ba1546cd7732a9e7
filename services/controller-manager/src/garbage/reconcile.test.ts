import { pod as podKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { DeleteRequest_Propagation, type OwnerReference } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, lines, pod, replicaSet } from '../objects.fixture.ts';
import { collectGarbage, type OwnerState } from './reconcile.ts';

const reference = (uid: string, blockOwnerDeletion = true): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: uid,
  uid,
  controller: undefined,
  blockOwnerDeletion,
});
const owned = (...states: OwnerState['state'][]) => {
  const owners = states.map((state, index) => ({ reference: reference(`o${index}`), state }));
  const object = pod('p', { metadata: { ownerReferences: owners.map((owner) => owner.reference) } });
  return collectGarbage({ kind: podKind, object, owners, dependents: [] }).writes;
};

describe('an object', () => {
  test.each([
    { name: 'with its owner there stays', states: ['present'], writes: [] },
    { name: 'with its owner gone goes', states: ['absent'], writes: ['delete pod p'] },
    { name: 'with all owners gone goes', states: ['absent', 'absent'], writes: ['delete pod p'] },
    { name: 'with one of two gone loses the reference', states: ['absent', 'present'], writes: ['update pod p'] },
    { name: 'whose owner waits for it goes', states: ['waiting'], writes: ['delete pod p'] },
    {
      name: 'whose one owner waits while another stays lets go of the first',
      states: ['waiting', 'present'],
      writes: ['update pod p'],
    },
    { name: 'with an owner of a kind nobody knows stays', states: ['unknown'], writes: [] },
    { name: 'with its owner in another namespace goes', states: ['misplaced'], writes: ['delete pod p'] },
    { name: 'with an owner that nobody can look for stays', states: ['unresolvable'], writes: [] },
    { name: 'without owners stays', states: [], writes: [] },
  ] satisfies { name: string; states: OwnerState['state'][]; writes: string[] }[])('$name', ({ states, writes }) => {
    expect(lines(owned(...states))).toEqual(writes);
  });

  test.each(['misplaced', 'unresolvable'] as const)('with a %s owner says so', (state) => {
    const owners = [{ reference: reference('o0'), state }];
    const object = pod('p', { metadata: { ownerReferences: [reference('o0')] } });
    const { events } = collectGarbage({ kind: podKind, object, owners, dependents: [] });
    expect(events).toMatchObject([{ type: 'Warning', reason: 'OwnerRefInvalidNamespace', object }]);
  });

  test('is deleted only as it was seen', () => {
    expect(owned('absent')).toMatchObject([{ options: { uid: 'uid-p', resourceVersion: '5' } }]);
  });
});

describe('an owner that is being deleted', () => {
  const owner = (finalizer: string) =>
    replicaSet('rs', { metadata: { deletionTimestamp: agoMs(1), finalizers: [finalizer] } });
  const dependent = (name: string, more = {}, isOwner = false, ownsWaiting = false) => ({
    kind: podKind,
    isOwner,
    ownsWaiting,
    object: pod(name, { metadata: { ownerReferences: [reference('uid-rs')], ...more } }),
  });
  const look = (finalizer: string, dependents: ReturnType<typeof dependent>[]) =>
    collectGarbage({ kind: replicaSetKind, object: owner(finalizer), owners: [], dependents }).writes;

  test('in the foreground deletes its dependents, waits, and goes last', () => {
    expect(lines(look('foregroundDeletion', [dependent('a')]))).toEqual(['delete pod a']);
    expect(look('foregroundDeletion', [dependent('a', { deletionTimestamp: agoMs(1) })])).toEqual([]);
    expect(look('foregroundDeletion', [])).toMatchObject([
      { type: 'update', object: { metadata: { name: 'rs', finalizers: [] } } },
    ]);
  });

  test('lets a dependent that is itself an owner wait for its own', () => {
    const propagation = (isOwner: boolean) => look('foregroundDeletion', [dependent('a', {}, isOwner)]);
    expect(propagation(true)).toMatchObject([{ options: { propagation: DeleteRequest_Propagation.FOREGROUND } }]);
    expect(propagation(false)).toMatchObject([{ options: { propagation: DeleteRequest_Propagation.UNSPECIFIED } }]);
  });

  test('does not wait in a circle: who waits for the waiting stops blocking first', () => {
    const inCircle = dependent('a', {}, true, true);
    expect(look('foregroundDeletion', [inCircle])).toMatchObject([
      { type: 'update', object: { metadata: { name: 'a', ownerReferences: [{ blockOwnerDeletion: false }] } } },
    ]);
    const free = dependent('a', { ownerReferences: [reference('uid-rs', false)] }, true, true);
    expect(look('foregroundDeletion', [free])).toMatchObject([
      { type: 'delete', options: { propagation: DeleteRequest_Propagation.FOREGROUND } },
    ]);
  });

  test('does not wait for a dependent that does not block it', () => {
    const free = dependent('a', { deletionTimestamp: agoMs(1), ownerReferences: [reference('uid-rs', false)] });
    expect(lines(look('foregroundDeletion', [free]))).toEqual(['update replicaset rs']);
  });

  test('leaving orphans cuts them loose, then goes', () => {
    expect(look('orphan', [dependent('a')])).toMatchObject([
      { type: 'update', object: { metadata: { name: 'a', ownerReferences: [] } } },
    ]);
    expect(look('orphan', [])).toMatchObject([
      { type: 'update', object: { metadata: { name: 'rs', finalizers: [] } } },
    ]);
  });
});

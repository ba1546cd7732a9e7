import { claimNodeAnnotation, inUseFinalizer } from '@navarch/kinds';
import { PersistentVolumeClaim } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { lines, live, pod } from '../objects.fixture.ts';
import { reconcileClaim } from './reconcile.ts';

interface Shape {
  readonly node?: string;
  readonly phase?: string;
  readonly going?: boolean;
  readonly finalizers?: string[];
  readonly storageClassName?: string;
}

function claim(shape: Shape = {}) {
  const { node, phase = '', going = false, finalizers = [inUseFinalizer], storageClassName = 'local' } = shape;
  return live(
    PersistentVolumeClaim.fromPartial({
      metadata: {
        name: 'data',
        namespace: 'default',
        uid: 'uid-data',
        resourceVersion: '5',
        finalizers,
        deletionTimestamp: going ? '2026-01-01T00:00:00Z' : '',
        annotations: node === undefined ? {} : { [claimNodeAnnotation]: node },
      },
      spec: { storageClassName },
      status: { phase },
    }),
  );
}
const user = (nodeName: string, claimName = 'data', phase = 'Running') =>
  pod('db', { spec: { nodeName, volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] }, status: { phase } });
const look = (object: ReturnType<typeof claim>, ...pods: ReturnType<typeof user>[]) =>
  reconcileClaim({ claim: object, nodeExists: (name) => name === 'n1', pods });

describe('what a claim says of itself', () => {
  test.each<{ name: string; shape: Shape; phase: string; event?: string }>([
    { name: 'a new one waits for its first Pod', shape: {}, phase: 'Pending', event: 'WaitForFirstConsumer' },
    {
      name: 'one of an unknown class says so',
      shape: { storageClassName: 'gp2' },
      phase: 'Pending',
      event: 'ProvisioningFailed',
    },
    { name: 'one with a node waits for its agent', shape: { node: 'n1' }, phase: 'Pending' },
    {
      name: 'one whose node is gone is lost',
      shape: { node: 'n9', phase: 'Bound' },
      phase: 'Lost',
      event: 'ClaimLost',
    },
    { name: 'one whose node is back is bound again', shape: { node: 'n1', phase: 'Lost' }, phase: 'Bound' },
  ])('$name', ({ shape, phase, event }) => {
    const { writes, events } = look(claim(shape));
    expect(writes).toMatchObject([{ type: 'updateStatus', object: { status: { phase } } }]);
    expect(events.map(({ reason }) => reason)).toEqual(event === undefined ? [] : [event]);
  });

  test.each<{ name: string; shape: Shape }>([
    { name: 'waits', shape: { phase: 'Pending' } },
    { name: 'waits for its agent', shape: { phase: 'Pending', node: 'n1' } },
    { name: 'is bound', shape: { phase: 'Bound', node: 'n1' } },
    { name: 'is lost', shape: { phase: 'Lost', node: 'n9' } },
  ])('nothing is written while it $name', ({ shape }) => expect(lines(look(claim(shape)).writes)).toEqual([]));
});

describe('a claim is protected', () => {
  test('from its beginning', () => {
    const { writes } = look(claim({ finalizers: ['example.com/mine'] }));
    expect(writes).toMatchObject([
      { type: 'update', object: { metadata: { finalizers: ['example.com/mine', inUseFinalizer] } } },
    ]);
  });

  test.each<{ name: string; pods: ReturnType<typeof user>[]; goes: boolean }>([
    { name: 'stays while a Pod runs with it', pods: [user('n1')], goes: false },
    { name: 'stays while a Pod is there that ran with it', pods: [user('n1', 'data', 'Succeeded')], goes: false },
    { name: 'goes when none is there', pods: [], goes: true },
    { name: 'goes when a Pod without a node names it', pods: [user('')], goes: true },
    { name: 'goes when Pods use others', pods: [user('n1', 'other')], goes: true },
  ])('one that is to go $name', ({ pods, goes }) => {
    const { writes } = look(claim({ going: true, finalizers: ['example.com/mine', inUseFinalizer] }), ...pods);
    const released = [{ type: 'update', object: { metadata: { finalizers: ['example.com/mine'] } } }];
    expect(writes).toMatchObject(goes ? released : []);
  });

  test('and once released nothing more is done to it', () => {
    expect(lines(look(claim({ going: true, finalizers: [] })).writes)).toEqual([]);
  });
});

import { type Blocker, type ConfigMap, Lease, Namespace, type WhyResponse } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { configMap, pod } from '../pipeline/manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
  for (const name of ['ready', 'silent']) {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
    await client.create(node);
    const status = name === 'ready' ? 'True' : 'Unknown';
    const lastTransitionTime = new Date(Date.now() - 120_000).toISOString();
    const condition = {
      type: 'Ready',
      status,
      reason: 'NodeStatusUnknown',
      message: 'no heartbeat',
      lastTransitionTime,
    };
    await client.updateStatus(resource({ ...node, status: { conditions: [condition] } }));
  }
});
afterAll(() => running[Symbol.asyncDispose]());

const uidOf = (object: Parameters<typeof valueOf>[0]) => valueOf<ConfigMap>(object).metadata!.uid;
const make = async (name: string, more: object = {}) =>
  uidOf(await client.create({ ...configMap(name), metadata: { name, ...more } }));
const ownedBy = (name: string, uid: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  uid,
  ...more,
});
const why = (name: string) => client.why({ resource: 'configmaps', namespace: 'default', name });
const remove = (name: string, propagation = 'PROPAGATION_BACKGROUND') =>
  client.delete({ resource: 'configmaps', namespace: 'default', name, propagation });
const tree = ({ dependents }: WhyResponse) => dependents.map(({ depth, name, keptBy }) => `${depth} ${name} ${keptBy}`);
const blocker = ({ blockers: [first] }: { blockers: Blocker[] }): Blocker => {
  if (first === undefined) throw new Error('nothing blocks it');
  return first;
};

describe('an object that nobody has asked to go', () => {
  test('alone, waits for nothing and takes nothing along', async () => {
    await make('alone');
    expect(await why('alone')).toMatchObject({ deletionTimestamp: '', blockers: [], dependents: [], contents: [] });
    expect((await refusal(why('nobody'))).reason).toBe('NotFound');
  });

  test('would take along what belongs to it, and what belongs to that, but not what another keeps', async () => {
    const root = await make('root');
    const other = await make('other-root');
    const child = await make('child', { ownerReferences: [ownedBy('root', root, { blockOwnerDeletion: true })] });
    await make('grandchild', { ownerReferences: [ownedBy('child', child)] });
    await make('kept', { ownerReferences: [ownedBy('root', root), ownedBy('other-root', other)] });
    await make('stale', { ownerReferences: [ownedBy('root', root), ownedBy('gone', 'uid-of-nobody')] });
    const answer = await why('root');
    expect(tree(answer)).toEqual(['1 child ', '2 grandchild ', '1 kept configmaps/other-root', '1 stale ']);
    expect(answer.dependents.map(({ blocksOwner }) => blocksOwner)).toEqual([true, false, false, false]);
  });

  test('that owns itself in a circle is told once', async () => {
    const uid = await make('circle-a');
    const other = await make('circle-b', { ownerReferences: [ownedBy('circle-a', uid)] });
    await client.update(
      resource({
        ...configMap('circle-a'),
        metadata: { name: 'circle-a', ownerReferences: [ownedBy('circle-b', other)] },
      }),
    );
    expect(tree(await why('circle-a'))).toEqual(['1 circle-b ']);
  });

  test('in another namespace does not belong to it', async () => {
    const uid = await make('here');
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } });
    await client.create({
      ...configMap('there'),
      metadata: { name: 'there', namespace: 'elsewhere', ownerReferences: [ownedBy('here', uid)] },
    });
    expect(tree(await why('here'))).toEqual([]);
  });
});

describe('an object that was asked to go', () => {
  test('says of a finalizer that nobody knows how to take it off, and that is what works', async () => {
    await make('held', { finalizers: ['x.io/first', 'x.io/hold'] });
    await remove('held');
    const { deletionTimestamp, blockers } = await why('held');
    expect(deletionTimestamp).not.toBe('');
    expect(blockers).toMatchObject(
      ['x.io/first', 'x.io/hold'].map((finalizer) => ({
        finalizer,
        worker: '',
        workerIsWell: false,
        since: deletionTimestamp,
      })),
    );
    const patch = /-p '(.*)'/.exec(blockers[1]?.remedy ?? '')?.[1];
    await client.patch({ resource: 'configmaps', namespace: 'default', name: 'held', type: 'TYPE_JSON', patch });
    expect((await why('held')).blockers.map(({ finalizer }) => finalizer)).toEqual(['x.io/first']);
  });

  test('says which program put a finalizer there', async () => {
    const manifest = { ...configMap('set'), metadata: { name: 'set', finalizers: ['x.io/hold'] } };
    await client.apply(manifest, { fieldManager: 'operator' });
    expect(blocker(await why('set'))).toMatchObject({ finalizer: 'x.io/hold', setBy: 'operator' });
    expect(Date.parse(blocker(await why('set')).setAt)).toBeGreaterThan(0);
  });

  test('in the foreground waits for the garbage collector, which waits for what blocks', async () => {
    const uid = await make('front');
    await make('front-child', {
      finalizers: ['x.io/hold'],
      ownerReferences: [ownedBy('front', uid, { blockOwnerDeletion: true })],
    });
    await make('front-free', { ownerReferences: [ownedBy('front', uid)] });
    await remove('front', 'PROPAGATION_FOREGROUND');
    await remove('front-child');
    const answer = await why('front');
    expect(blocker(answer)).toMatchObject({
      finalizer: 'foregroundDeletion',
      worker: 'the garbage collector',
      workerState: expect.stringContaining('no controller-manager leads') as string,
      waitsFor: '1 dependent that blocks it',
      remedy: '',
    });
    expect(answer.dependents).toMatchObject([
      { name: 'front-child', blockers: [{ finalizer: 'x.io/hold' }] },
      { name: 'front-free' },
    ]);
  });

  test('has a worker that is well while its lease is renewed', async () => {
    await make('orphaning', { finalizers: ['orphan'] });
    const renewed = (agoMs: number) =>
      Lease.fromPartial({
        metadata: { name: 'controller-manager', namespace: 'navarch-system' },
        spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: new Date(Date.now() - agoMs).toISOString() },
      });
    const { spec, metadata } = renewed(0);
    const manifest = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    await client.create({ ...manifest });
    expect(blocker(await why('orphaning'))).toMatchObject({ workerIsWell: true, worker: 'the garbage collector' });
    await client.update(resource({ ...manifest, spec: renewed(60_000).spec }));
    expect(blocker(await why('orphaning'))).toMatchObject({
      workerIsWell: false,
      workerState: expect.stringContaining('too long') as string,
    });
  });

  test.each([
    { node: 'ready', well: true, says: 'has been Ready for 2m', remedy: '' },
    {
      node: 'silent',
      well: false,
      says: 'has not been Ready for 2m (NodeStatusUnknown: no heartbeat)',
      remedy: 'navctl delete pod/on-silent -n default --force',
    },
    { node: 'lost', well: false, says: 'no such node', remedy: 'navctl delete pod/on-lost -n default --force' },
  ])('on a node that is $node waits for its agent', async ({ node, well, says, remedy }) => {
    const name = `on-${node}`;
    const key = { resource: 'pods', namespace: 'default', name };
    await client.create(pod(name, { nodeName: node }));
    expect(blocker(await client.why(key))).toMatchObject({ since: '', until: '', remedy: '' });
    await client.delete(key);
    const { since, until, ...said } = blocker(await client.why(key));
    expect(said).toMatchObject({
      worker: `the agent of node ${node}`,
      workerIsWell: well,
      workerState: expect.stringContaining(says) as string,
      remedy: expect.stringContaining(remedy) as string,
    });
    expect(Date.parse(until) - Date.parse(since)).toBe(30_000);
  });
});

test('a namespace says what is in it, first what waits', async () => {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const inside = (name: string, more: object = {}) =>
    client.create({ ...configMap(name), metadata: { name, namespace: 'shop', ...more } });
  await Promise.all(Array.from({ length: 15 }, (_, i) => inside(`a-${i}`)));
  await inside('z-held', { finalizers: ['x.io/hold'] });
  const asked = await client.delete({ resource: 'namespaces', name: 'shop' });
  expect(valueOf<Namespace>(asked.resource).status?.phase).toBe('Terminating');
  const answer = await client.why({ resource: 'namespaces', name: 'shop' });
  expect(blocker(answer)).toMatchObject({
    finalizer: 'kubernetes',
    worker: 'the namespace controller',
    waitsFor: '16 objects in it to go',
  });
  expect(answer.contents).toMatchObject([
    { resource: 'configmaps', count: 16, objects: { length: 10, 0: { name: 'z-held' } } },
  ]);
});

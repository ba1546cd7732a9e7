import {
  configMap,
  deployment as deploymentKind,
  endpointSlice,
  event,
  type KindDefinition,
  kinds,
  namespace,
  pod as podKind,
  replicaSet,
  service,
} from '@navarch/kinds';
import { ConfigMap } from '@navarch/proto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, untilExactly, writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

test('with a Deployment go its ReplicaSets and Pods, with a Service its EndpointSlices', async () => {
  await cluster.apply(deployment({ name: 'web', replicas: 6, image: 'web:1' }), serviceOf('web', 'default'));
  await untilExactly(cluster, [{ name: 'web', replicas: 6, image: 'web:1' }]);
  await cluster.time.until('endpoints', async () => {
    const [slice] = (await cluster.client.list(endpointSlice, { namespace: 'default' })).items;
    return slice?.endpoints.length === 6;
  });
  expect(await cluster.navctl('delete', 'deployment/web', 'service/web')).toMatchObject({ code: 0 });
  await untilExactly(cluster, []);
  const belonging: readonly KindDefinition[] = [replicaSet, endpointSlice, service];
  for (const kind of belonging) {
    await cluster.time.until(`no ${kind.plural}`, async () => {
      const { items } = await cluster.client.list(kind, { namespace: 'default' });
      return items.length === 0;
    });
  }
  expect(await writesWithin(cluster, 20_000)).toEqual([]);
});

test('an orphaned ReplicaSet keeps its Pods, and is taken back by a Deployment that wants it', async () => {
  const kept = { name: 'kept', replicas: 4, image: 'kept:1' };
  await cluster.apply(deployment(kept));
  await untilExactly(cluster, [kept]);
  const uids = async () => (await cluster.client.list(podKind)).items.map(({ metadata }) => metadata.uid).sort();
  const before = await uids();
  await cluster.navctl('delete', 'deployment/kept', '--cascade=orphan');
  await cluster.time.until('it to go', async () => (await cluster.client.list(deploymentKind)).items.length === 0);
  expect(await uids()).toEqual(before);
  await cluster.apply(deployment(kept));
  await untilExactly(cluster, [kept]);
  expect(await uids()).toEqual(before);
  await cluster.navctl('delete', 'deployment/kept');
  await untilExactly(cluster, []);
});

test('with a namespace goes all that is in it, and nothing else', async () => {
  const stays = { name: 'stays', replicas: 2, image: 'stays:1' };
  await cluster.navctl('create', 'namespace', 'shop');
  await cluster.apply(
    deployment(stays),
    deployment({ name: 'web', replicas: 5, image: 'web:1', namespace: 'shop' }),
    serviceOf('web', 'shop'),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' }, data: { a: '1' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key', namespace: 'shop' }, stringData: { a: '1' } },
  );
  await untilExactly(cluster, [stays, { name: 'web', replicas: 5, image: 'web:1', namespace: 'shop' }]);
  expect(await cluster.navctl('delete', 'namespace', 'shop')).toMatchObject({ code: 0 });
  await untilExactly(cluster, [stays]);
  for (const kind of kinds.filter(({ scope, storage }) => scope === 'Namespaced' && storage === 'store')) {
    expect((await cluster.client.list(kind, { namespace: 'shop' })).items, kind.plural).toEqual([]);
  }
  expect(await cluster.navctl('get', 'namespace', 'shop')).toMatchObject({ code: 1 });
});

test('an owner owns nothing in another namespace, and whoever says so anyway is told', async () => {
  await cluster.navctl('create', 'namespace', 'other');
  const { metadata: owner } = await cluster.client.create(configMap, settings('owner', 'default'));
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.uid };
  const owned = (name: string, namespace: string) => settings(name, namespace, { ownerReferences: [reference] });
  // The one that is wrong comes first: it must not teach anybody that the owner is gone.
  await cluster.client.create(configMap, owned('astray', 'other'));
  const exists = async (name: string, namespace: string) =>
    (await cluster.client.list(configMap, { namespace })).items.some(({ metadata }) => metadata.name === name);
  await cluster.time.until('it to go', async () => !(await exists('astray', 'other')));
  await cluster.client.create(configMap, owned('at-home', 'default'));
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'owned', ownerReferences: [reference] },
  });
  const told = async () =>
    (await cluster.client.list(event)).items.filter(({ reason }) => reason === 'OwnerRefInvalidNamespace');
  await cluster.time.until('both to be told', async () => (await told()).length === 2);
  expect((await told()).map(({ involvedObject }) => involvedObject?.name ?? '').sort(byText)).toEqual([
    'astray',
    'owned',
  ]);
  await cluster.time.pass(20_000);
  expect(await exists('at-home', 'default')).toBe(true);
  expect(await cluster.navctl('get', 'namespace', 'owned')).toMatchObject({ code: 0 });
  await cluster.navctl('delete', 'configmap', 'owner');
  await cluster.time.until('the other to go with its owner', async () => !(await exists('at-home', 'default')));
  await cluster.navctl('delete', 'namespace', 'owned', 'other');
});

test('in the foreground an owner waits for those that block it, and a circle does not wait for ever', async () => {
  const names = async () =>
    (await cluster.client.list(configMap, { labelSelector: 'story=circle' })).items.map(
      ({ metadata }) => metadata.name,
    );
  const make = async (name: string, owner?: { name: string; uid: string }, block = true, finalizers: string[] = []) => {
    const reference = owner && { apiVersion: 'v1', kind: 'ConfigMap', ...owner, blockOwnerDeletion: block };
    const ownerReferences = reference === undefined ? [] : [reference];
    const labels = { story: 'circle' };
    const object = settings(name, 'default', { labels, finalizers, ownerReferences });
    const { metadata } = await cluster.client.create(configMap, object);
    return { name, uid: metadata.uid };
  };
  const owner = await make('owner');
  await make('free', owner, false, ['x.io/hold']);
  await make('blocks', owner, true, ['x.io/hold']);
  await cluster.navctl('delete', 'configmap', 'owner', '--cascade=foreground', '--wait=false');
  await cluster.time.pass(10_000);
  expect(await names()).toEqual(['blocks', 'free', 'owner']);
  await cluster.navctl('patch', 'configmap', 'blocks', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  await cluster.time.until('the owner to go', async () => (await names()).join() === 'free');
  await cluster.navctl('patch', 'configmap', 'free', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');

  const a = await make('a');
  const b = await make('b', a);
  const back = [{ apiVersion: 'v1', kind: 'ConfigMap', ...b, blockOwnerDeletion: true }];
  await cluster.navctl('patch', 'configmap', 'a', '-p', JSON.stringify({ metadata: { ownerReferences: back } }));
  expect(await cluster.navctl('delete', 'configmap', 'a', '--cascade=foreground')).toMatchObject({ code: 0 });
  await cluster.time.until('both to go', async () => (await names()).length === 0);
});

test('a namespace says in its status what remains, and goes when that is done', async () => {
  await cluster.navctl('create', 'namespace', 'slow');
  for (const [i, finalizers] of [['x.io/hold'], ['x.io/hold', 'y.io/hold'], []].entries()) {
    await cluster.client.create(configMap, settings(`c${i}`, 'slow', { finalizers }));
  }
  await cluster.navctl('delete', 'namespace', 'slow', '--wait=false');
  const conditions = async () => {
    const { items } = await cluster.client.list(namespace);
    const slow = items.find(({ metadata }) => metadata.name === 'slow');
    return (slow?.status.conditions ?? []).map(({ type, status, message }) => `${type} ${status} ${message}`);
  };
  await cluster.time.until('two to remain', async () =>
    (await conditions()).some((text) => text.includes('2 configmaps')),
  );
  expect(await conditions()).toEqual([
    expect.stringMatching(/^NamespaceDeletionDiscoveryFailure False /) as string,
    expect.stringMatching(/^NamespaceDeletionGroupVersionParsingFailure False /) as string,
    expect.stringMatching(/^NamespaceDeletionContentFailure False /) as string,
    'NamespaceContentRemaining True Still in the namespace: 2 configmaps',
    'NamespaceFinalizersRemaining True Held by finalizers: 2 objects by x.io/hold, 1 object by y.io/hold',
  ]);
  for (const name of ['c0', 'c1']) {
    await cluster.navctl('patch', 'cm', name, '-n', 'slow', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
  }
  await cluster.time.until('it to go', async () => (await cluster.navctl('get', 'namespace', 'slow')).code === 1);
});

const byText = (a: string, b: string) => a.localeCompare(b);

function settings(name: string, namespace: string, metadata: object = {}): ConfigMap {
  return ConfigMap.fromPartial({ metadata: { name, namespace, ...metadata } });
}

function serviceOf(name: string, namespace: string): object {
  const spec = { selector: { app: name }, ports: [{ port: 80 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
}

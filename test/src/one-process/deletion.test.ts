import {
  deployment as deploymentKind,
  endpointSlice,
  type KindDefinition,
  kinds,
  pod as podKind,
  replicaSet,
  service,
} from '@navarch/kinds';
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

function serviceOf(name: string, namespace: string): object {
  const spec = { selector: { app: name }, ports: [{ port: 80 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
}

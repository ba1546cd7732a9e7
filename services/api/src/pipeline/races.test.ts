import type { ConfigMap, Resource, Service } from '@navarch/proto';
import { expect, test } from 'vitest';
import { refusal, resource, startApi, valueOf } from '../api.fixture.ts';
import { LateStore } from '../late-store.fixture.ts';
import { configMap, service } from './manifests.fixture.ts';

test('what the cache has not seen yet is never held against a caller', async () => {
  await using running = await startApi({ store: new LateStore() });
  const { client } = running;
  const get = { resource: 'configmaps', namespace: 'default', name: 'a' };
  const made = await client.create(configMap('a'));
  const changed = await client.update({ ...resource(configMap('a', { data: { x: '1' } })), revision: made.revision });
  expect(valueOf<ConfigMap>(await client.get(get)).data).toEqual({ x: '1' });
  // Equal to what the cache may still show, but not to what is.
  await client.update({ ...resource(configMap('a')), revision: changed.revision });
  expect(valueOf<ConfigMap>(await client.get(get)).data).toEqual({});
  await client.delete(get);
  expect((await refusal(client.get(get))).reason).toBe('NotFound');
  await client.create(configMap('a'));
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } });
  await client.create({ ...configMap('b'), metadata: { name: 'b', namespace: 'new' } });
});

test('nothing is made in a namespace after it was asked to go', async () => {
  await using running = await startApi({ store: new LateStore() });
  const { client } = running;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'closing' } });
  const creates = Array.from({ length: 60 }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, i % 15));
    return client.create({ ...configMap(`c${i}`), metadata: { name: `c${i}`, namespace: 'closing' } });
  });
  const [asked, ...made] = await Promise.allSettled([
    client.delete({ resource: 'namespaces', name: 'closing' }).then(({ resource }) => resource!),
    ...creates,
  ]);
  const closed = asked.status === 'fulfilled' ? asked.value.revision : 0n;
  const late = made.filter((each) => each.status === 'fulfilled' && each.value.revision > closed);
  expect(closed).toBeGreaterThan(0n);
  expect(late).toEqual([]);
});

test('of writes that race with a takeover, none is committed after it', async () => {
  await using running = await startApi({ store: new LateStore() });
  const { client } = running;
  const lease = (holder: string, transitions: number) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'raced', namespace: 'navarch-system' },
    spec: { holderIdentity: holder, leaseTransitions: transitions, leaseDurationSeconds: 15 },
  });
  await client.create(lease('a', 1));
  const fence = { leaseNamespace: 'navarch-system', leaseName: 'raced', holderIdentity: 'a', transitions: 1 };
  const writes = Array.from({ length: 60 }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, i % 15));
    return client.create(configMap(`raced-${i}`), { fence });
  });
  const [taken, ...written] = await Promise.all([
    client.update(resource(lease('b', 2))),
    ...writes.map((write) => write.catch(() => undefined)),
  ]);
  expect(written.filter((each) => each !== undefined && each.revision > taken.revision)).toEqual([]);
  expect(written).toContain(undefined);
});

test('of many who ask for one address or one node port, at two apis, one gets it', async () => {
  const store = new LateStore();
  await using one = await startApi({ store });
  await using two = await startApi({ store, hub: one.hub });
  const ask = (i: number, spec: object) => (i % 2 ? one : two).client.create(service(`s${i}`, spec));
  const given = async (asked: Promise<Resource>[]) =>
    (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled');
  const same = { type: 'NodePort', clusterIP: '10.96.1.1', ports: [{ port: 80, nodePort: 30_080 }] };
  expect(await given(Array.from({ length: 20 }, (_, i) => ask(i, same)))).toHaveLength(1);
  const port = { type: 'NodePort', ports: [{ port: 80, nodePort: 30_081 }] };
  expect(await given(Array.from({ length: 20 }, (_, i) => ask(100 + i, port)))).toHaveLength(1);
  const made = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(200 + i, { type: 'NodePort' })));
  const specs = made.map((each) => valueOf<Service>(each).spec!);
  expect(new Set(specs.map(({ clusterIp }) => clusterIp)).size).toBe(40);
  expect(new Set(specs.map(({ ports }) => ports[0]?.nodePort)).size).toBe(40);
});

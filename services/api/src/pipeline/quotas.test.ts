import { DeleteRequest, type LimitRange, type Pod, type Resource, type ResourceQuota } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { definition, widget } from '../kinds/widgets.fixture.ts';
import { configMap, pod, service } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
let made = 0;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

/** A namespace of the test's own. */
async function home(): Promise<string> {
  const name = `home-${++made}`;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

const within = <T extends { metadata: object }>(namespace: string, manifest: T) => ({
  ...manifest,
  metadata: { ...manifest.metadata, namespace },
});
const quota = (namespace: string, hard: Record<string, string>, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace },
  spec: { hard, ...more },
});
const status = async (namespace: string) =>
  valueOf<ResourceQuota>(await client.get({ resource: 'resourcequotas', namespace, name: 'q' })).status;
const used = async (namespace: string) => (await status(namespace))?.used;
const remove = (namespace: string, resource: string, name: string) => client.delete({ resource, namespace, name });
const create = (manifest: object) => ({
  write: { $case: 'create' as const, value: resource(manifest as Record<string, unknown>) },
});

describe('a quota', () => {
  test('is charged by what is made, and gets back what goes, ends or shrinks', async () => {
    const ns = await home();
    await client.create(quota(ns, { pods: '2', services: '1', 'services.nodeports': '2' }));
    await client.create(within(ns, pod('a')));
    await client.create(within(ns, pod('b')));
    expect(await used(ns)).toEqual({ pods: '2', services: '0', 'services.nodeports': '0' });
    expect(await refusal(client.create(within(ns, pod('c'))))).toMatchObject({
      reason: 'Forbidden',
      message: `pods "c" in namespace "${ns}" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`,
    });
    await client.patch({
      resource: 'pods',
      namespace: ns,
      name: 'b',
      subresource: 'status',
      type: 'TYPE_MERGE',
      patch: JSON.stringify({ status: { phase: 'Failed' } }),
    });
    expect(await used(ns)).toMatchObject({ pods: '1' });
    await client.create(within(ns, pod('c')));
    await remove(ns, 'pods', 'a');
    await remove(ns, 'pods', 'b');
    expect(await used(ns)).toMatchObject({ pods: '1' });
    await client.create(within(ns, service('s', { type: 'NodePort' })));
    expect(await used(ns)).toEqual({ pods: '1', services: '1', 'services.nodeports': '1' });
    await client.update(resource(within(ns, service('s'))));
    expect(await used(ns)).toEqual({ pods: '1', services: '1', 'services.nodeports': '0' });
  });

  test('counts what was there before it, and anew when its limits change', async () => {
    const ns = await home();
    for (const name of ['a', 'b', 'c']) await client.create(within(ns, configMap(name)));
    await client.create(quota(ns, { configmaps: '3', pods: '1' }));
    expect(await status(ns)).toEqual({ hard: {}, used: {} });
    expect((await refusal(client.create(within(ns, configMap('d'))))).message).toContain('used: configmaps=3');
    await remove(ns, 'configmaps', 'a');
    expect(await status(ns)).toEqual({ hard: { configmaps: '3', pods: '1' }, used: { configmaps: '2', pods: '0' } });
    await client.patch({
      resource: 'resourcequotas',
      namespace: ns,
      name: 'q',
      type: 'TYPE_MERGE',
      patch: JSON.stringify({ spec: { hard: { configmaps: '1', 'count/pods': '5' } } }),
    });
    expect(await status(ns), 'what was known stays on view').toEqual({
      hard: {},
      used: { configmaps: '2', pods: '0' },
    });
    await remove(ns, 'configmaps', 'b');
    expect(await used(ns)).toEqual({ configmaps: '1', pods: '0', 'count/pods': '0' });
  });

  test('has a status that nobody else can write: who tries makes the api count', async () => {
    const ns = await home();
    await client.create(within(ns, configMap('a')));
    const fresh = await client.create(quota(ns, { configmaps: '3' }));
    const right = { hard: { configmaps: '3' }, used: { configmaps: '1' } };
    const write = (status: object) => {
      const value = { ...valueOf<ResourceQuota>(fresh), status } as ResourceQuota;
      value.metadata!.resourceVersion = '';
      return client.updateStatus({ revision: 0n, object: { $case: 'resourceQuota', value } });
    };
    const counted = await write({ hard: {}, used: {} });
    expect(valueOf<ResourceQuota>(counted).status).toEqual(right);
    const wrong = await write({ hard: {}, used: { configmaps: '77' } });
    const again = await write({ hard: {}, used: {} });
    expect([wrong.revision, again.revision], 'a count that was right changes nothing').toEqual([
      counted.revision,
      counted.revision,
    ]);
  });

  test('is not charged by a dry run, nor by a transaction of which nothing comes', async () => {
    const ns = await home();
    await client.create(quota(ns, { configmaps: '2' }));
    await client.create(within(ns, configMap('a')));
    await client.create(within(ns, configMap('b')), { dryRun: true });
    const { results } = await client.transact({
      writes: ['b', 'c', 'd'].map((name) => create(within(ns, configMap(name)))),
      atomic: true,
    });
    expect(results.map(({ result }) => result?.$case)).toEqual([undefined, 'error', 'error']);
    expect(await used(ns)).toEqual({ configmaps: '1' });
    await client.create(within(ns, configMap('b')));
    const dry = await refusal(client.create(within(ns, configMap('c')), { dryRun: true }));
    expect(dry.reason, 'a dry run is refused like the real one').toBe('Forbidden');
  });

  test('is charged once for all writes of one transaction', async () => {
    const ns = await home();
    await client.create(quota(ns, { configmaps: '60' }));
    await client.create(within(ns, configMap('old')));
    const writes = Array.from({ length: 59 }, (_, i) => create(within(ns, configMap(`c${i}`))));
    const swap = {
      write: {
        $case: 'delete' as const,
        value: DeleteRequest.fromJSON({ resource: 'configmaps', namespace: ns, name: 'old' }),
      },
    };
    const { results } = await client.transact({
      writes: [swap, ...writes, create(within(ns, configMap('new')))],
      atomic: true,
    });
    expect(results.every(({ result }) => result?.$case === 'resource')).toBe(true);
    expect(await used(ns)).toEqual({ configmaps: '60' });
  });

  test('can come with what it will count', async () => {
    const name = `home-${++made}`;
    const manifests = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      quota(name, { pods: '1' }),
      within(name, pod('a')),
      within(name, pod('b')),
    ];
    const { results } = await client.transact({ writes: manifests.map((manifest) => create(manifest)), atomic: true });
    expect(results.every(({ result }) => result?.$case === 'resource')).toBe(true);
    expect((await refusal(client.create(within(name, pod('c'))))).message).toContain('used: pods=2, limited: pods=1');
    await remove(name, 'pods', 'a');
    expect(await used(name)).toEqual({ pods: '1' });
  });

  test('counts other quotas, and does not keep itself from going', async () => {
    const ns = await home();
    await client.create(quota(ns, { resourcequotas: '1', 'count/resourcequotas': '1' }));
    const second = { ...quota(ns, { pods: '1' }), metadata: { name: 'second', namespace: ns } };
    expect((await refusal(client.create(second))).message).toContain('used: count/resourcequotas=1,resourcequotas=1');
    expect((await remove(ns, 'resourcequotas', 'q')).gone).toBe(true);
    await client.create(second);
  });

  test('is asked last: what is wrong in itself is Invalid, whatever the quota says', async () => {
    const ns = await home();
    await client.create(quota(ns, { pods: '0', 'requests.cpu': '1' }));
    const wrong = await refusal(client.create(within(ns, pod('a', { containers: [{ name: 'No', image: 'x' }] }))));
    expect(wrong).toMatchObject({ reason: 'Invalid', fields: [{ path: 'spec.containers[0].name' }] });
  });

  test('counts objects of custom kinds, whatever version they are written in', async () => {
    const ns = await home();
    await client.apply(definition({ more: ['v2'] }));
    await client.apply(within(ns, { ...widget('old'), metadata: { name: 'old' } }));
    await client.create(quota(ns, { 'count/widgets.example.com': '2' }));
    const make = (name: string, version: string) =>
      client.apply({ ...widget(name), apiVersion: `example.com/${version}`, metadata: { name, namespace: ns } });
    await make('new', 'v2');
    expect(await used(ns)).toEqual({ 'count/widgets.example.com': '2' });
    expect((await refusal(make('more', 'v1'))).message).toContain('exceeded quota: q');
    await remove(ns, 'widgets.v2.example.com', 'old');
    expect(await used(ns)).toEqual({ 'count/widgets.example.com': '1' });
  });

  test('names the Service that it keeps out in words of its own', async () => {
    const ns = await home();
    await client.create(quota(ns, { 'services.loadbalancers': '0' }));
    const refused = await refusal(client.create(within(ns, service('lb', { type: 'LoadBalancer' }))));
    expect(refused.message).toContain('services "lb"');
    await client.create(within(ns, service('inside')));
  });
});

test("a LimitRange's defaults are what a quota counts, and a priority class what its scope asks for", async () => {
  const ns = await home();
  await client.create({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: `usual-${ns}` },
    value: 7,
    globalDefault: true,
  });
  const limits = [{ type: 'Container', max: { cpu: '1' }, defaultRequest: { cpu: '250m' } }];
  const range: Resource = await client.create({
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'l', namespace: ns },
    spec: { limits },
  });
  expect(valueOf<LimitRange>(range).spec?.limits[0]?.default).toEqual({ cpu: '1' });
  await client.create(quota(ns, { 'requests.cpu': '500m', 'limits.cpu': '9' }, { scopes: ['PriorityClass'] }));
  const { spec } = valueOf<Pod>(await client.create(within(ns, pod('a'))));
  expect(spec).toMatchObject({ priority: 7, containers: [{ resources: { limits: { cpu: '1' } } }] });
  await client.create(within(ns, pod('b')));
  expect(await used(ns)).toEqual({ 'requests.cpu': '500m', 'limits.cpu': '2' });
  expect((await refusal(client.create(within(ns, pod('c'))))).reason).toBe('Forbidden');
  await client.delete({ resource: 'priorityclasses', name: `usual-${ns}` });
});

import type { ConfigMap, Deployment, Pod, Secret } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { configMap, deployment, pod, podSpec } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

describe('create', () => {
  test('sets what only the api sets, and fills in defaults', async () => {
    const made = await client.create({
      ...deployment('made'),
      status: { replicas: 7 },
    });
    const object = valueOf<Deployment>(made);
    expect(object.metadata).toMatchObject({ namespace: 'default', generation: 1, resourceVersion: '' });
    expect(object.metadata?.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
    expect(object.metadata?.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(object.spec?.revisionHistoryLimit).toBe(10);
    expect(object.spec?.template?.spec?.restartPolicy).toBe('Always');
    expect(object.status).toBeUndefined();
    expect(await client.get({ resource: 'deployments.apps', namespace: 'default', name: 'made' })).toEqual(made);
  });

  test('makes a name from generateName', async () => {
    const manifest = { ...pod(''), metadata: { generateName: 'web-' } };
    const names = await Promise.all(
      Array.from({ length: 20 }, async () => valueOf<Pod>(await client.create(manifest)).metadata?.name),
    );
    expect(new Set(names).size).toBe(20);
    expect(names[0]).toMatch(/^web-[a-z0-9]{5}$/);
  });

  test('dry run says what would be, and changes nothing', async () => {
    const made = await client.create(configMap('dry'), { dryRun: true });
    expect(valueOf<ConfigMap>(made).metadata?.uid).not.toBe('');
    expect((await refusal(client.get({ resource: 'configmaps', namespace: 'default', name: 'dry' }))).reason).toBe(
      'NotFound',
    );
  });
});

describe('update', () => {
  test('replaces everything but status, and counts changes of spec only', async () => {
    const made = await client.create(deployment('counted'));
    const object = valueOf<Deployment>(made);
    object.metadata!.labels['tier'] = 'front';
    const labelled = await client.update(made);
    expect(valueOf<Deployment>(labelled).metadata?.generation).toBe(1);
    const status = await client.updateStatus(resource({ ...deployment('counted'), status: { replicas: 2 } }));
    expect(valueOf<Deployment>(status).metadata).toMatchObject({ generation: 1, labels: { tier: 'front' } });
    valueOf<Deployment>(status).spec!.replicas = 5;
    valueOf<Deployment>(status).status = undefined;
    const scaled = await client.update(status);
    expect(valueOf<Deployment>(scaled)).toMatchObject({
      metadata: { generation: 2 },
      spec: { replicas: 5 },
      status: { replicas: 2 },
    });
  });

  test('writes nothing when nothing changes', async () => {
    const made = await client.create(configMap('same', { data: { a: '1' } }));
    expect((await client.update(made)).revision).toBe(made.revision);
  });

  test('refuses a stale version and another object of that name', async () => {
    const made = await client.create(configMap('stale'));
    await client.update({ ...resource(configMap('stale', { data: { a: '1' } })), revision: made.revision });
    const stale = await refusal(client.update({ ...resource(configMap('stale')), revision: made.revision }));
    expect(stale).toMatchObject({ reason: 'Conflict', message: expect.stringContaining('metadata.resourceVersion') });
    const other = await refusal(
      client.update(resource({ ...configMap('stale'), metadata: { name: 'stale', uid: 'other' } })),
    );
    expect(other).toMatchObject({ reason: 'Conflict', message: expect.stringContaining('metadata.uid') });
  });

  test('an immutable field stays', async () => {
    await client.create(deployment('fixed'));
    const other = deployment('fixed', {
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: podSpec },
    });
    const error = await refusal(client.update(resource(other)));
    expect(error.reason).toBe('Invalid');
    expect(error.fields).toContainEqual({
      path: 'spec.selector',
      message: expect.stringContaining('can not be changed'),
    });
  });

  test('without a precondition, concurrent writers all succeed', async () => {
    await client.create(configMap('contended'));
    const patches = Array.from({ length: 30 }, (_, i) =>
      client.patch({
        resource: 'configmaps',
        namespace: 'default',
        name: 'contended',
        type: 'TYPE_MERGE',
        patch: JSON.stringify({ data: { [`k${i}`]: 'v' } }),
      }),
    );
    await Promise.all(patches);
    const { data } = valueOf<ConfigMap>(
      await client.get({ resource: 'configmaps', namespace: 'default', name: 'contended' }),
    );
    expect(Object.keys(data)).toHaveLength(30);
  });

  test('with a precondition, exactly one of many concurrent writers succeeds', async () => {
    const made = await client.create(configMap('raced'));
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        client.update({ ...resource(configMap('raced', { data: { who: String(i) } })), revision: made.revision }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('patch', () => {
  test.each([
    { type: 'TYPE_MERGE', patch: { spec: { replicas: 4 } } },
    { type: 'TYPE_JSON', patch: [{ op: 'replace', path: '/spec/replicas', value: 4 }] },
    {
      type: 'TYPE_STRATEGIC',
      patch: { spec: { replicas: 4, template: { spec: { containers: [{ name: 'web', tty: true }] } } } },
    },
  ])('$type', async ({ type, patch }) => {
    const name = type.toLowerCase().replace('_', '-');
    await client.create(deployment(name));
    const patched = await client.patch({
      resource: 'deployments.apps',
      namespace: 'default',
      name,
      type,
      patch: JSON.stringify(patch),
    });
    expect(valueOf<Deployment>(patched).spec).toMatchObject({
      replicas: 4,
      template: { spec: { containers: [{ image: 'nginx' }] } },
    });
  });
});

describe('apply', () => {
  test('creates, changes, leaves to others what is theirs, and removes what the manifest no longer says', async () => {
    const first = await client.apply(deployment('applied', { minReadySeconds: 5 }));
    expect(first.result).toBe(1);
    await client.patch({
      resource: 'deployments.apps',
      namespace: 'default',
      name: 'applied',
      type: 'TYPE_MERGE',
      patch: JSON.stringify({ metadata: { annotations: { theirs: 'yes' } }, spec: { paused: true } }),
    });
    expect((await client.apply(deployment('applied', { minReadySeconds: 5 }))).result).toBe(3);
    const changed = await client.apply(deployment('applied', { replicas: 2 }));
    expect(changed.result).toBe(2);
    const object = valueOf<Deployment>(changed.resource);
    expect(object.spec).toMatchObject({ replicas: 2, minReadySeconds: 0, paused: true });
    expect(object.metadata?.annotations['theirs']).toBe('yes');
  });

  test('a large manifest fits, and what goes from it goes', async () => {
    const data = Object.fromEntries(['a', 'b', 'c'].map((key) => [key, 'x'.repeat(250_000)]));
    expect((await client.apply(configMap('large', { data }))).result).toBe(1);
    expect((await client.apply(configMap('large', { data }))).result).toBe(3);
    const { resource: changed } = await client.apply(configMap('large', { data: { a: 'y'.repeat(250_000) } }));
    const { data: left } = valueOf<ConfigMap>(changed);
    expect(Object.entries(left).map(([key, value]) => `${key} ${value[0]}`)).toEqual(['a y']);
  });

  test('a secret stands in its data only', async () => {
    const password = Buffer.from('hunter2').toString('base64');
    const manifest = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kept' }, data: { password } };
    const { resource: made } = await client.apply(manifest);
    const { metadata, data } = valueOf<Secret>(made);
    expect(Buffer.from(data['password'] ?? []).toString()).toBe('hunter2');
    expect(JSON.stringify(metadata)).not.toContain(password);
    expect((await client.apply(manifest)).result).toBe(3);
    const { resource: emptied } = await client.apply({ ...manifest, data: {} });
    expect(valueOf<Secret>(emptied).data).toEqual({});
  });

  test('many at once make one object', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => client.apply(deployment('together'))));
    expect(results.filter(({ result }) => result === 1)).toHaveLength(1);
  });
});

import type { ConfigMap, Job, Namespace, Pod } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { configMap, pod, podSpec } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

describe('delete', () => {
  test('a pod on a node ends gracefully; the agent removes it', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    await client.create(node);
    const made = await client.create(pod('graceful'));
    const { uid } = valueOf<Pod>(made).metadata!;
    const binding = { namespace: 'default', name: 'graceful', uid, nodeName: 'n1', decidedAt: 0n };
    const bound = await client.transact({ writes: [{ write: { $case: 'bind', value: binding } }] });
    expect(bound.results[0]?.result?.$case).toBe('resource');
    const again = await client.transact({ writes: [{ write: { $case: 'bind', value: binding } }] });
    expect(again.results[0]?.result).toMatchObject({ $case: 'error', value: { reason: 'Conflict' } });
    const asked = await client.delete({ resource: 'pods', namespace: 'default', name: 'graceful' });
    expect(asked.gone).toBe(false);
    expect(valueOf<Pod>(asked.resource).metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    const ended = await client.delete({
      resource: 'pods',
      namespace: 'default',
      name: 'graceful',
      gracePeriodSeconds: 0,
    });
    expect(ended.gone).toBe(true);
  });

  test('finalizers hold an object; foreground and orphan are finalizers', async () => {
    await client.create({ ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    const asked = await client.delete({
      resource: 'configmaps',
      namespace: 'default',
      name: 'held',
      propagation: 'PROPAGATION_FOREGROUND',
    });
    expect(asked.gone).toBe(false);
    const object = asked.resource!;
    expect(valueOf<ConfigMap>(object).metadata?.finalizers).toEqual(['example.com/hold', 'foregroundDeletion']);
    const more = { ...resource({ ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/new'] } }) };
    expect(await refusal(client.update(more))).toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining('finalizers'),
    });
    valueOf<ConfigMap>(object).metadata!.finalizers = [];
    await client.update(object);
    expect((await refusal(client.get({ resource: 'configmaps', namespace: 'default', name: 'held' }))).reason).toBe(
      'NotFound',
    );
  });

  test('a namespace terminates, takes nothing new, and goes when it was finalized', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'brief' } };
    const made = await client.create(namespace);
    expect(valueOf<Namespace>(made)).toMatchObject({
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    const asked = await client.delete({ resource: 'namespaces', name: 'brief' });
    expect(asked.gone).toBe(false);
    expect(valueOf<Namespace>(asked.resource).status?.phase).toBe('Terminating');
    const late = await refusal(client.create({ ...configMap('late'), metadata: { name: 'late', namespace: 'brief' } }));
    expect(late).toMatchObject({ reason: 'Forbidden', message: expect.stringContaining('being deleted') });
    const emptied = asked.resource!;
    valueOf<Namespace>(emptied).spec!.finalizers = [];
    await client.update(emptied);
    expect((await refusal(client.get({ resource: 'namespaces', name: 'brief' }))).reason).toBe('NotFound');
  });

  test('a collection', async () => {
    for (const name of ['a', 'b', 'c']) {
      await client.create({
        ...configMap(`col-${name}`),
        metadata: { name: `col-${name}`, labels: { part: name === 'c' ? 'y' : 'x' } },
      });
    }
    expect(
      await client.deleteCollection({ resource: 'configmaps', namespace: 'default', labelSelector: 'part=x' }),
    ).toEqual({ count: 2 });
    expect((await client.list({ resource: 'configmaps', labelSelector: 'part' })).items).toHaveLength(1);
  });
});

test('a Job whose creation is only tried is decided on twice, and gets one selector', async () => {
  const template = { spec: { ...podSpec, restartPolicy: 'Never' } };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'tried' }, spec: { template } };
  const made = await client.create(job, { dryRun: true });
  const { metadata, spec } = valueOf<Job>(made);
  expect(spec?.selector?.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': metadata?.uid });
});

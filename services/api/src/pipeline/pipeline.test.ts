import type { ConfigMap, Deployment, Namespace, Pod, Resource, Service } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});
const podSpec = { containers: [{ name: 'web', image: 'nginx' }] };
const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { ...podSpec, ...spec },
});
const deployment = (name: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec },
    ...more,
  },
});
const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
});

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

  test('many at once make one object', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => client.apply(deployment('together'))));
    expect(results.filter(({ result }) => result === 1)).toHaveLength(1);
  });
});

describe('delete', () => {
  test('a pod on a node ends gracefully; the agent removes it', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    await client.create(node);
    const made = await client.create(pod('graceful'));
    const { uid } = valueOf<Pod>(made).metadata!;
    const binding = { namespace: 'default', name: 'graceful', uid, nodeName: 'n1' };
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

describe('transact', () => {
  test('atomic: all or nothing, with an error for each write that was wrong', async () => {
    const writes = [configMap('t1'), configMap('Not-A-Name'), configMap('t2')].map((manifest) => ({
      write: { $case: 'create' as const, value: resource(manifest) },
    }));
    const { results } = await client.transact({ writes, atomic: true });
    expect(results.map(({ result }) => result?.$case)).toEqual([undefined, 'error', undefined]);
    expect((await refusal(client.get({ resource: 'configmaps', namespace: 'default', name: 't1' }))).reason).toBe(
      'NotFound',
    );
    const each = await client.transact({ writes });
    expect(each.results.map(({ result }) => result?.$case)).toEqual(['resource', 'error', 'resource']);
  });

  test('atomic writes share one revision', async () => {
    const writes = ['s1', 's2'].map((name) => ({
      write: { $case: 'create' as const, value: resource(configMap(name)) },
    }));
    const { results } = await client.transact({ writes, atomic: true });
    const [first, second] = results.map(({ result }) => result?.value as unknown as Resource);
    expect(first?.revision).toBe(second?.revision);
    expect(first?.revision).toBeGreaterThan(0n);
  });
});

describe('fence', () => {
  test('a leader writes while it renews, and is refused once another has taken over', async () => {
    const lease = (holder: string, transitions: number, renewTime: string) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'leader', namespace: 'navarch-system' },
      spec: { holderIdentity: holder, leaseTransitions: transitions, leaseDurationSeconds: 15, renewTime },
    });
    await client.create(lease('a', 1, '2026-01-01T00:00:00Z'));
    const fence = { leaseNamespace: 'navarch-system', leaseName: 'leader', holderIdentity: 'a', transitions: 1 };
    await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => client.update(resource(lease('a', 1, `2026-01-01T00:00:1${i}Z`)))),
      ...Array.from({ length: 10 }, (_, i) => client.create(configMap(`fenced-${i}`), { fence })),
    ]);
    await client.update(resource(lease('b', 2, '2026-01-01T00:01:00Z')));
    const late = await refusal(client.create(configMap('fenced-late'), { fence }));
    expect(late).toMatchObject({ reason: 'Fenced', message: expect.stringContaining('held by "b"') });
  });
});

describe('services', () => {
  test('get an address and node ports, keep them, and give them back', async () => {
    const made = valueOf<Service>(await client.create(service('lb', { type: 'LoadBalancer' }))).spec!;
    expect(made.clusterIp).toMatch(/^10\.96\./);
    expect(made.ports[0]?.nodePort).toBeGreaterThanOrEqual(30_000);
    const kept = valueOf<Service>(
      await client.update(resource(service('lb', { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 8080 }] }))),
    ).spec!;
    expect(kept).toMatchObject({ clusterIp: made.clusterIp, ports: [{ nodePort: made.ports[0]?.nodePort }] });
    const taken = await refusal(client.create(service('thief', { clusterIP: made.clusterIp })));
    expect(taken).toMatchObject({
      reason: 'Invalid',
      fields: [{ path: 'spec.clusterIP', message: expect.stringContaining('default/lb') }],
    });
    const plain = valueOf<Service>(await client.update(resource(service('lb')))).spec!;
    expect(plain).toMatchObject({ clusterIp: made.clusterIp, ports: [{ nodePort: 0 }] });
    await client.delete({ resource: 'services', namespace: 'default', name: 'lb' });
    await client.create(service('heir', { clusterIP: made.clusterIp }));
    expect((await running.store.list('/navarch-allocations/nodeport/')).entries).toEqual([]);
  });

  test.each([
    { ip: '10.97.0.1', message: 'must be in 10.96.0.0/16' },
    { ip: '10.96.0.10', message: 'reserved' },
    { ip: 'nonsense', message: 'IPv4' },
  ])('$ip is refused', async ({ ip, message }) => {
    const error = await refusal(client.create(service('odd', { clusterIP: ip })));
    expect(error.fields[0]).toMatchObject({ path: 'spec.clusterIP', message: expect.stringContaining(message) });
  });

  test('headless ones get none, and concurrent ones never the same, also from two apis', async () => {
    const headless = valueOf<Service>(await client.create(service('headless', { clusterIP: 'None' }))).spec!;
    expect(headless.clusterIp).toBe('None');
    await using other = await startApi({ store: running.store, hub: running.hub });
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? client : other.client).create(service(`many-${i}`, { type: 'NodePort' })),
      ),
    );
    const specs = made.map((each) => valueOf<Service>(each).spec!);
    expect(new Set(specs.map(({ clusterIp }) => clusterIp)).size).toBe(40);
    expect(new Set(specs.map(({ ports }) => ports[0]?.nodePort)).size).toBe(40);
  });
});

describe('bad input is refused with the field and the rule', () => {
  const large = 'x'.repeat(1024);
  test.each([
    {
      what: 'an unknown field',
      call: () => client.apply({ ...pod('bad'), spec: { containers: [{ name: 'a', imagee: 'b', image: 'c' }] } }),
      reason: 'Invalid',
      message: 'spec.containers[0].imagee: unknown field; did you mean "image"?',
    },
    {
      what: 'a wrong type',
      call: () => client.apply(deployment('bad', { replicas: 'three' })),
      reason: 'Invalid',
      message: 'spec.replicas: must be a whole number',
    },
    {
      what: 'an impossible value',
      call: () => client.create(deployment('bad', { replicas: -1 })),
      reason: 'Invalid',
      message: 'spec.replicas: -1 must be at least 0',
    },
    {
      what: 'a name that is no DNS name',
      call: () => client.create(pod('Bad_Name')),
      reason: 'Invalid',
      message: 'metadata.name: "Bad_Name" must be a DNS',
    },
    { what: 'no name', call: () => client.create(pod('')), reason: 'Invalid', message: 'metadata.name: must be set' },
    {
      what: 'an object over 1 MiB',
      call: () =>
        client.create(
          deployment('bad', {
            template: {
              metadata: { labels: { app: 'bad' } },
              spec: { containers: [{ name: 'web', image: 'nginx', args: Array.from({ length: 1100 }, () => large) }] },
            },
          }),
        ),
      reason: 'RequestEntityTooLarge',
      message: 'must not be larger than 1048576',
    },
    {
      what: 'a missing namespace',
      call: () => client.create({ ...pod('bad'), metadata: { name: 'bad', namespace: 'nowhere' } }),
      reason: 'NotFound',
      message: 'namespace "nowhere" not found',
    },
    {
      what: 'an unknown kind',
      call: () => client.get({ resource: 'gadgets', name: 'x' }),
      reason: 'NotFound',
      message: 'no kind "gadgets"',
    },
    {
      what: 'a malformed selector',
      call: () => client.list({ resource: 'pods', labelSelector: 'a in (b' }),
      reason: 'BadRequest',
      message: 'label selector',
    },
    {
      what: 'a field that can not be selected',
      call: () => client.list({ resource: 'pods', fieldSelector: 'spec.nodename=n1' }),
      reason: 'BadRequest',
      message: 'did you mean "spec.nodeName"',
    },
    {
      what: 'JSON that is none',
      call: () => client.apply('{"secret'),
      reason: 'BadRequest',
      message: 'manifest is not valid JSON',
    },
    {
      what: 'a missing object',
      call: () => client.update(resource(configMap('missing'))),
      reason: 'NotFound',
      message: 'configmaps "missing" in namespace "default" not found',
    },
    {
      what: 'a second object of a name',
      call: async () => {
        await client.create(configMap('twice'));
        await client.create(configMap('twice'));
      },
      reason: 'AlreadyExists',
      message: 'configmaps "twice"',
    },
  ])('$what', async ({ call, reason, message }) => {
    const before = await running.store.list('/navarch/core/pods/');
    const error = await refusal(call());
    expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
    expect((await running.store.list('/navarch/core/pods/')).entries).toEqual(before.entries);
  });

  test('a secret is not repeated', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 12345 } };
    const error = await refusal(client.apply(secret));
    expect(error.message).toContain('stringData.password: must be text');
    expect(error.message).not.toContain('12345');
  });
});

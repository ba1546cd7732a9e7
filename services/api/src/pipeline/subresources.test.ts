import { type Deployment, PatchRequest_Type, type Pod } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { configMap, deployment, pod } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
  await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
});
afterAll(() => running[Symbol.asyncDispose]());

const deployments = { resource: 'deployments.apps', namespace: 'default' };
const scaleTo = (name: string, replicas: number, more: object = {}, metadata: object = {}) =>
  client.updateScale({
    resource: 'deployments.apps',
    scale: { metadata: { namespace: 'default', name, ...metadata }, spec: { replicas } },
    ...more,
  });

describe('scale', () => {
  test('says what is wanted, what there is, and which Pods are counted', async () => {
    await client.create(deployment('web', { selector: { matchLabels: { app: 'web' } } }));
    await client.updateStatus(resource({ ...deployment('web'), status: { replicas: 2 } }));
    const made = await client.get({ ...deployments, name: 'web' });
    const { uid } = valueOf<Deployment>(made).metadata!;
    expect(await client.getScale({ ...deployments, name: 'web' })).toMatchObject({
      metadata: { name: 'web', namespace: 'default', uid, resourceVersion: String(made.revision) },
      spec: { replicas: 3 },
      status: { replicas: 2, selector: 'app=web' },
    });
  });

  test('sets the number and nothing else, and counts as a change of spec', async () => {
    const made = await client.create(deployment('more'));
    const scale = await scaleTo('more', 7);
    expect(scale.spec).toEqual({ replicas: 7 });
    const now = await client.get({ ...deployments, name: 'more' });
    expect(scale.metadata?.resourceVersion).toBe(String(now.revision));
    const [before, after] = [made, now].map((each) => valueOf<Deployment>(each));
    expect(after?.metadata?.generation).toBe(2);
    expect({ ...after?.spec, replicas: 3 }).toEqual(before?.spec);
    expect((await scaleTo('more', 7)).metadata?.resourceVersion).toBe(String(now.revision));
    expect((await scaleTo('more', 0)).spec).toEqual({ replicas: 0 });
  });

  test('with preconditions, only what was seen is scaled', async () => {
    const made = await client.create(deployment('seen'));
    const { uid } = valueOf<Deployment>(made).metadata!;
    const refused = [
      scaleTo('seen', 5, { currentReplicas: 4 }),
      scaleTo('seen', 5, {}, { uid: 'another' }),
      scaleTo('seen', 5, {}, { resourceVersion: '1' }),
    ];
    for (const call of refused) expect((await refusal(call)).reason).toBe('Conflict');
    await scaleTo('seen', 5, { currentReplicas: 3 }, { uid, resourceVersion: String(made.revision) });
    const both = await Promise.allSettled([6, 7].map((to) => scaleTo('seen', to, { currentReplicas: 5 })));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('a dry run changes nothing', async () => {
    await client.create(deployment('tried'));
    expect((await scaleTo('tried', 9, { dryRun: true })).spec).toEqual({ replicas: 9 });
    expect((await client.getScale({ ...deployments, name: 'tried' })).spec).toEqual({ replicas: 3 });
  });

  test('is refused where it means nothing', async () => {
    await client.create(configMap('flat'));
    const flat = { resource: 'configmaps', namespace: 'default', name: 'flat' };
    expect(await refusal(client.getScale(flat))).toMatchObject({ reason: 'BadRequest' });
    await client.create(deployment('least'));
    expect(await refusal(scaleTo('least', -1))).toMatchObject({
      reason: 'Invalid',
      fields: [{ path: 'spec.replicas' }],
    });
    expect((await refusal(scaleTo('nobody', 1))).reason).toBe('NotFound');
    expect((await refusal(client.updateScale({ ...deployments, scale: { metadata: { name: 'least' } } }))).reason).toBe(
      'BadRequest',
    );
  });

  test.each([
    { type: 'TYPE_MERGE', patch: { spec: { replicas: 5 } } },
    { type: 'TYPE_JSON', patch: [{ op: 'replace', path: '/spec/replicas', value: 5 }] },
  ])('can be patched: $type', async ({ type, patch }) => {
    const name = type.toLowerCase().replace('_', '-');
    await client.create(deployment(name));
    const request = { ...deployments, name, type, patch: JSON.stringify(patch), subresource: 'scale' };
    expect(valueOf<Deployment>(await client.patch(request)).spec?.replicas).toBe(5);
  });
});

describe('a binding', () => {
  test('puts a Pod on a node, once', async () => {
    const { uid } = valueOf<Pod>(await client.create(pod('bound'))).metadata!;
    const binding = { namespace: 'default', name: 'bound', uid, nodeName: 'n1' };
    expect(valueOf<Pod>(await client.bind({ binding, dryRun: true })).spec?.nodeName).toBe('n1');
    expect((await refusal(client.bind({ binding: { ...binding, uid: 'another' } }))).reason).toBe('Conflict');
    expect(valueOf<Pod>(await client.bind({ binding })).spec?.nodeName).toBe('n1');
    expect((await refusal(client.bind({ binding }))).reason).toBe('Conflict');
  });
});

describe('an eviction', () => {
  const running = async (name: string) => {
    const { uid } = valueOf<Pod>(await client.create(pod(name))).metadata!;
    await client.bind({ binding: { namespace: 'default', name, uid, nodeName: 'n1' } });
    return { namespace: 'default', name, uid };
  };

  test('asks a Pod to go gracefully, and says in its status what for', async () => {
    const eviction = await running('evicted');
    expect(await client.evict({ eviction, dryRun: true })).toMatchObject({ gone: false });
    const untouched = valueOf<Pod>(await client.get({ resource: 'pods', namespace: 'default', name: 'evicted' }));
    expect(untouched.metadata?.deletionTimestamp).toBe('');
    const { gone, resource: asked } = await client.evict({ eviction });
    expect(gone).toBe(false);
    expect(valueOf<Pod>(asked)).toMatchObject({
      metadata: { deletionGracePeriodSeconds: 30 },
      status: {
        conditions: [
          { type: 'PodScheduled' },
          { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' },
        ],
      },
    });
    expect(await client.evict({ eviction: { ...eviction, gracePeriodSeconds: 0 } })).toMatchObject({ gone: true });
  });

  test('is for the Pod that was seen only', async () => {
    const eviction = await running('seen-pod');
    const refused = [
      client.evict({ eviction: { ...eviction, uid: 'another' } }),
      client.evict({ eviction: { ...eviction, revision: '1' } }),
    ];
    for (const call of refused) expect((await refusal(call)).reason).toBe('Conflict');
    expect((await refusal(client.evict({ eviction: { ...eviction, gracePeriodSeconds: -1 } }))).reason).toBe(
      'BadRequest',
    );
    expect((await refusal(client.evict({ eviction: { ...eviction, name: 'nobody' } }))).reason).toBe('NotFound');
  });

  test('a Pod that runs nowhere goes at once', async () => {
    await client.create(pod('nowhere'));
    expect(await client.evict({ eviction: { namespace: 'default', name: 'nowhere' } })).toMatchObject({ gone: true });
  });
});

describe('ephemeralcontainers', () => {
  const add = (containers: object[], subresource = 'ephemeralcontainers', spec: object = {}) =>
    client.patch({
      resource: 'pods',
      namespace: 'default',
      name: 'looked',
      type: PatchRequest_Type.STRATEGIC,
      patch: JSON.stringify({ spec: { ...spec, ephemeralContainers: containers } }),
      subresource,
    });
  const look = { name: 'look', image: 'busybox' };

  test('are added by their own subresource, and by nothing else', async () => {
    const made = await client.create(pod('looked', { containers: [{ name: 'a', image: 'x' }] }));
    expect((await refusal(add([look], ''))).message).toContain('is set by the subresource ephemeralcontainers alone');
    const first = valueOf<Pod>(await add([look]));
    expect(first?.spec?.ephemeralContainers).toMatchObject([{ name: 'look', imagePullPolicy: 'Always' }]);
    const second = valueOf<Pod>(await add([{ name: 'more', image: 'busybox', targetContainerName: 'a' }]));
    expect(second?.spec?.ephemeralContainers.map(({ name }) => name).sort()).toEqual(['look', 'more']);
    expect({ ...second?.spec, ephemeralContainers: [] }).toEqual(valueOf<Pod>(made)?.spec);
  });

  test('are their adder’s, under the name of the subresource', async () => {
    await client.create(pod('owned', { containers: [{ name: 'a', image: 'x' }] }));
    const added = await client.patch({
      resource: 'pods',
      namespace: 'default',
      name: 'owned',
      type: PatchRequest_Type.STRATEGIC,
      patch: JSON.stringify({ spec: { ephemeralContainers: [look] } }),
      subresource: 'ephemeralcontainers',
      fieldManager: 'debugger',
    });
    expect(valueOf<Pod>(added)?.metadata?.managedFields).toMatchObject([
      { manager: 'debugger', operation: 'Update', subresource: 'ephemeralcontainers' },
    ]);
  });

  test.each([
    { name: 'a change of one', containers: [{ ...look, image: 'y' }], path: 'spec.ephemeralContainers[' },
    { name: 'a name that is taken', containers: [{ name: 'a', image: 'x' }], path: 'spec.ephemeralContainers[' },
    {
      name: 'a target that is not there',
      containers: [{ name: 'n', image: 'x', targetContainerName: 'b' }],
      path: 'targetContainerName',
    },
    {
      name: 'a probe',
      containers: [{ name: 'n', image: 'x', readinessProbe: { exec: { command: ['x'] } } }],
      path: 'readinessProbe',
    },
    { name: 'another field', containers: [], spec: { activeDeadlineSeconds: 9 }, path: 'spec.activeDeadlineSeconds' },
  ])('refuse $name', async ({ containers, spec = {}, path }) => {
    const { reason, fields } = await refusal(add(containers, 'ephemeralcontainers', spec));
    expect([reason, fields[0]?.path]).toEqual(['Invalid', expect.stringContaining(path)]);
  });

  test('are not made with a Pod', async () => {
    const made = client.create(pod('new', { containers: [{ name: 'a', image: 'x' }], ephemeralContainers: [look] }));
    expect((await refusal(made)).message).toContain('spec.ephemeralContainers');
  });
});

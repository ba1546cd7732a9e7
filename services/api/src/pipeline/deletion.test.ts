import type { ConfigMap, Resource } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { LateStore } from '../late-store.fixture.ts';
import { configMap, pod } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
  await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
});
afterAll(() => running[Symbol.asyncDispose]());

const metadataOf = (object: Resource | undefined) => valueOf<ConfigMap>(object).metadata!;
const held = (name: string, ...finalizers: string[]) => ({ ...configMap(name), metadata: { name, finalizers } });
const request = (name: string, more: object = {}) => ({ resource: 'configmaps', namespace: 'default', name, ...more });
const boundPod = async (name: string) => {
  const { uid } = valueOf<ConfigMap>(await client.create(pod(name))).metadata!;
  await client.bind({ binding: { namespace: 'default', name, uid, nodeName: 'n1' } });
};

describe('an object', () => {
  test.each([
    { asked: 'PROPAGATION_UNSPECIFIED', had: ['x.io/a', 'orphan'], has: ['x.io/a', 'orphan'] },
    { asked: 'PROPAGATION_BACKGROUND', had: ['x.io/a', 'orphan'], has: ['x.io/a'] },
    { asked: 'PROPAGATION_FOREGROUND', had: ['x.io/a', 'orphan'], has: ['x.io/a', 'foregroundDeletion'] },
    { asked: 'PROPAGATION_ORPHAN', had: ['x.io/a'], has: ['x.io/a', 'orphan'] },
  ])('asked to go with $asked and the finalizers $had has $has', async ({ asked: propagation, had, has }) => {
    const name = `p-${propagation.toLowerCase().replace('_', '-')}`;
    await client.create(held(name, ...had));
    const { resource: object, gone } = await client.delete(request(name, { propagation }));
    expect(gone).toBe(false);
    expect(metadataOf(object)).toMatchObject({ finalizers: has, generation: 2, deletionGracePeriodSeconds: 0 });
  });

  test('that waits can still be asked to leave its dependents', async () => {
    await client.create(held('turned', 'x.io/a'));
    await client.delete(request('turned', { propagation: 'PROPAGATION_FOREGROUND' }));
    const { resource: object } = await client.delete(request('turned', { propagation: 'PROPAGATION_ORPHAN' }));
    expect(metadataOf(object).finalizers).toEqual(['x.io/a', 'orphan']);
    const { resource: again } = await client.delete(request('turned'));
    expect(again?.revision).toBe(object?.revision);
  });

  test('that somebody is ending is not disturbed, and its grace only shortens', async () => {
    await boundPod('ending');
    const ask = (more: object) => client.delete({ resource: 'pods', namespace: 'default', name: 'ending', ...more });
    const { resource: asked } = await ask({ gracePeriodSeconds: 20 });
    const { resource: longer } = await ask({ gracePeriodSeconds: 40, propagation: 'PROPAGATION_ORPHAN' });
    expect(longer?.revision).toBe(asked?.revision);
    const { resource: shorter } = await ask({ gracePeriodSeconds: 5 });
    expect(metadataOf(shorter)).toMatchObject({ deletionGracePeriodSeconds: 5, finalizers: [] });
    expect(metadataOf(shorter).deletionTimestamp).toBe(metadataOf(asked).deletionTimestamp);
  });

  test('goes only as it was seen', async () => {
    const made = await client.create(configMap('seen'));
    const refused = [{ uid: 'another' }, { revision: String(made.revision + 1n) }, { revision: '1' }];
    for (const seen of refused) expect((await refusal(client.delete(request('seen', seen)))).reason).toBe('Conflict');
    const { uid } = metadataOf(made);
    const { gone } = await client.delete(request('seen', { uid, revision: String(made.revision), dryRun: true }));
    expect(gone).toBe(true);
    expect(await client.delete(request('seen', { uid, revision: String(made.revision) }))).toMatchObject({
      gone: true,
    });
    expect((await refusal(client.delete(request('seen')))).reason).toBe('NotFound');
  });

  test.each([
    { name: 'two-managers', owners: [true, true], message: 'only one owner can manage' },
    { name: 'event-owner', owners: [false], kind: 'Event', message: 'an Event can not own' },
  ])('can not be owned like this: $name', async ({ name, owners, kind = 'ConfigMap', message }) => {
    const ownerReferences = owners.map((controller, i) => ({
      apiVersion: 'v1',
      kind,
      name: `o${i}`,
      uid: `u${i}`,
      controller,
    }));
    const error = await refusal(client.create({ ...configMap(name), metadata: { name, ownerReferences } }));
    expect(error).toMatchObject({ reason: 'Invalid', message: expect.stringContaining(message) as string });
  });

  test('can not both leave its dependents and wait for them', async () => {
    const error = await refusal(client.create(held('both', 'orphan', 'foregroundDeletion')));
    expect(error).toMatchObject({ reason: 'Invalid', fields: [{ path: 'metadata.finalizers' }] });
  });
});

describe('a collection', () => {
  const make = async (label: string, count: number, finalizers: string[] = []) => {
    const names = Array.from({ length: count }, (_, i) => `${label}-${i}`);
    await Promise.all(
      names.map((name) =>
        client.create({ ...configMap(name), metadata: { name, labels: { set: label }, finalizers } }),
      ),
    );
    return { resource: 'configmaps', namespace: 'default', labelSelector: `set=${label}` };
  };
  const left = async (selection: object) => (await client.list({ ...selection })).items.map(metadataOf);

  test('goes whole, however large', async () => {
    const selection = await make('large', 230);
    expect(await client.deleteCollection({ ...selection, dryRun: true })).toEqual({ count: 230 });
    expect(await left(selection)).toHaveLength(230);
    expect(await client.deleteCollection(selection)).toEqual({ count: 230 });
    expect(await left(selection)).toEqual([]);
  });

  test('is asked as each object would be', async () => {
    const selection = await make('asked', 2, ['x.io/a']);
    expect(await client.deleteCollection({ ...selection, propagation: 'PROPAGATION_FOREGROUND' })).toEqual({
      count: 2,
    });
    expect((await left(selection)).map(({ finalizers }) => finalizers)).toEqual([
      ['x.io/a', 'foregroundDeletion'],
      ['x.io/a', 'foregroundDeletion'],
    ]);
    await boundPod('graceful-pod');
    const pods = { resource: 'pods', namespace: 'default', fieldSelector: 'metadata.name=graceful-pod' };
    await client.deleteCollection({ ...pods, gracePeriodSeconds: 7 });
    expect(await left(pods)).toMatchObject([{ deletionGracePeriodSeconds: 7 }]);
    expect((await refusal(client.deleteCollection({ ...pods, gracePeriodSeconds: -1 }))).reason).toBe('BadRequest');
  });

  test('leaves what is needed, and says so, and takes the rest', async () => {
    const error = await refusal(client.deleteCollection({ resource: 'namespaces' }));
    expect(error).toMatchObject({ reason: 'Forbidden', message: expect.stringContaining('is needed') as string });
  });

  test('never takes an object that was made anew under the same name, nor one that is no longer chosen', async () => {
    // The cache is behind, so the objects that were selected are found to be others only by the commit.
    await using late = await startApi({ store: new LateStore() });
    const named = { resource: 'configmaps', namespace: 'default', name: 'again' };
    const labelled = (value: string) => ({
      ...configMap('again'),
      metadata: { name: 'again', labels: { set: value } },
    });
    for (let round = 0; round < 15; round++) {
      await late.client.create(labelled('x'));
      const [, anew] = await Promise.all([
        late.client.deleteCollection({ ...named, name: '', labelSelector: 'set=x' }),
        late.client.update(resource(labelled('y'))).then(
          ({ revision }) => revision,
          () => undefined, // it was gone already
        ),
      ]);
      const { items } = await late.client.list({ resource: 'configmaps', labelSelector: 'set' });
      // Whoever came first: what has been relabelled is there, and nothing else is.
      expect(items.map(({ revision }) => revision)).toEqual(anew === undefined ? [] : [anew]);
      await late.client.deleteCollection({ ...named, name: '', labelSelector: 'set' });
    }
  });
});

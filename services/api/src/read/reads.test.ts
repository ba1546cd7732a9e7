import type { ConfigMap, PartialObject, Resource } from '@navarch/proto';
import { EtcdStore, MemoryStore, type Store } from '@navarch/store';
import { startEtcd } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, valueOf } from '../api.fixture.ts';

const configMap = (name: string, version = '1', namespace = 'default') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { version } },
  data: { version },
});
const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const said = (item: Resource) => {
  const { metadata, data } = valueOf<ConfigMap>(item);
  return `${metadata?.namespace}/${metadata?.name}=${data['version']}`;
};

const stores: [string, () => Promise<{ store: Store; end: () => Promise<void> }>][] = [
  [
    'memory',
    async () => {
      const store = new MemoryStore();
      return { store, end: () => store.close() };
    },
  ],
  [
    'etcd',
    async () => {
      const etcd = await startEtcd();
      const store = new EtcdStore({ endpoints: etcd.endpoint });
      return { store, end: () => store.close().then(() => etcd.stop()) };
    },
  ],
];

describe.each(stores)('reads on %s', (_, open) => {
  let store: Store;
  let running: TestApi;
  let end: () => Promise<void>;
  beforeAll(async () => {
    ({ store, end } = await open());
    running = await startApi({ store });
  });
  afterAll(async () => {
    await running[Symbol.asyncDispose]();
    await end();
  });
  const get = (fields: object) =>
    running.client.get({ resource: 'configmaps', namespace: 'default', name: 'a', ...fields });
  const exactly = (revision: bigint) => ({ revision: String(revision), match: 'REVISION_MATCH_EXACT' });
  const atLeast = (revision: bigint) => ({ revision: String(revision), match: 'REVISION_MATCH_NOT_OLDER_THAN' });
  const reason = async (call: Promise<unknown>) => (await refusal(call)).reason;

  test('an object at a revision is as it was, also after its deletion, and not before it was made', async () => {
    const { client } = running;
    const first = await client.create(configMap('a'));
    const second = await client.update(resource(configMap('a', '2')));
    await client.delete({ resource: 'configmaps', namespace: 'default', name: 'a' });
    const at = async (revision: bigint) => said(await get(exactly(revision)));
    expect(await at(first.revision)).toBe('default/a=1');
    expect(await at(second.revision - 1n)).toBe('default/a=1');
    expect(await at(second.revision)).toBe('default/a=2');
    expect(await reason(get(exactly(first.revision - 1n)))).toBe('NotFound');
    expect(await reason(get(atLeast(first.revision)))).toBe('NotFound');
    expect(await reason(get({ revision: '0' }))).toBe('NotFound');
    expect(await reason(get(exactly(0n)))).toBe('BadRequest');
    for (const wish of [exactly, atLeast]) {
      const future = await refusal(get(wish(second.revision + 100_000n)));
      expect(future).toMatchObject({ reason: 'Expired', message: expect.stringContaining('without a revision') });
    }
  });

  test('a list goes on at its revision where the cache no longer reaches, for as long as the store has it', async () => {
    const { client } = running;
    // A dash sorts before the slash that ends a namespace in a key.
    for (const name of ['b', 'b-b', 'b0']) await client.create(namespace(name));
    const where = [
      ['b-b', 'x'],
      ['b-b', 'y'],
      ['b', 'x'],
      ['b', 'y'],
      ['b0', 'x'],
      ['b0', 'y'],
    ] as const;
    for (const [within, name] of where.toReversed()) await client.create(configMap(name, '1', within));
    const begun = await client.list({ resource: 'configmaps', limit: 2 });
    const { revision } = begun;
    await client.delete({ resource: 'configmaps', namespace: 'b', name: 'x' });
    await client.update(resource(configMap('y', '2', 'b')));
    await client.create(configMap('z', '2', 'b'));
    // More than an api looks back on when it starts.
    const key = '/navarch-test/busy';
    const one = { compare: [], ops: [{ type: 'put' as const, key, value: new Uint8Array() }] };
    for (let i = 0; i < 2_100; i++) await store.commit(one);
    await using later = await startApi({ store, hub: running.hub });
    const was = where.map(([within, name]) => `${within}/${name}=1`);
    for (const { client } of [running, later]) {
      const whole = await client.list({ resource: 'configmaps', ...exactly(revision) });
      expect(whole.items.map(said)).toEqual(was);
      const chosen = { resource: 'configmaps', namespace: 'b', labelSelector: 'version=1', ...exactly(revision) };
      expect((await client.list(chosen)).items.map(said)).toEqual(['b/x=1', 'b/y=1']);
      const fields = { resource: 'configmaps', namespace: 'b', name: 'x' };
      expect(said(await client.get({ ...fields, ...exactly(revision) }))).toBe('b/x=1');
      const seen = begun.items.map(said);
      for (let next = begun.continue; next !== ''; ) {
        const page = await client.list({ resource: 'configmaps', limit: 3, continue: next });
        expect(page.revision).toBe(revision);
        seen.push(...page.items.map(said));
        next = page.continue;
      }
      expect(seen).toEqual(was);
    }
    await store.compact(await store.revision());
    // What the older api still knows itself needs no store.
    expect((await client.list({ resource: 'configmaps', ...exactly(revision) })).items).toHaveLength(6);
    const forgotten = [
      later.client.list({ resource: 'configmaps', limit: 2, continue: begun.continue }),
      later.client.list({ resource: 'configmaps', ...exactly(revision) }),
      later.client.get({ resource: 'configmaps', namespace: 'b', name: 'x', ...exactly(revision) }),
    ];
    for (const error of await Promise.all(forgotten.map(refusal))) {
      expect(error).toMatchObject({ reason: 'Expired', message: expect.stringContaining('list again from the start') });
    }
  });

  test('as metadata alone: gets, lists and watches', async () => {
    const { client } = running;
    await client.create(configMap('m'));
    const form = 'FORM_METADATA';
    const where = { resource: 'configmaps', namespace: 'default', fieldSelector: 'metadata.name=m' };
    const stop = new AbortController();
    const batches = client.watch({ targets: [where], form }, stop.signal);
    const { items } = await client.list({ ...where, form });
    const seen = [
      await client.get({ resource: 'configmaps', namespace: 'default', name: 'm', form }),
      items[0],
      (await batches.next()).value?.events[0]?.resource,
    ];
    const { revision } = await client.get({ resource: 'configmaps', namespace: 'default', name: 'm' });
    for (const partial of seen) {
      expect(partial).toMatchObject({ revision, object: { $case: 'partial' } });
      const { apiVersion, kind, metadata } = valueOf<PartialObject>(partial);
      expect({ apiVersion, kind }).toEqual({ apiVersion: 'v1', kind: 'ConfigMap' });
      expect(metadata).toMatchObject({ name: 'm', namespace: 'default', labels: { version: '1' } });
    }
    await batches.next();
    const changed = await client.update(resource(configMap('m', '2')));
    const { events } = (await batches.next()).value!;
    expect(events).toMatchObject([{ type: 2, resource: { revision: changed.revision, object: { $case: 'partial' } } }]);
    expect(valueOf<PartialObject>(events[0]?.resource).metadata?.labels).toEqual({ version: '2' });
    await client.delete({ resource: 'configmaps', namespace: 'default', name: 'm' });
    const gone = (await batches.next()).value!;
    expect(gone.events).toMatchObject([{ type: 3, resource: { revision: gone.revision } }]);
    stop.abort();
    expect(await reason(client.update(seen[0]!))).toBe('BadRequest');
    expect(await reason(client.list({ ...where, form: 9 }))).toBe('BadRequest');
    expect(await reason(client.list({ ...where, match: 9 }))).toBe('BadRequest');
  });
});

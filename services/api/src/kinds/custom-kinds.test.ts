import { createClient, createInformerSet } from '@navarch/client';
import { configMap, customKinds, type KindDefinition, KindSet, manifest } from '@navarch/kinds';
import { createLogger } from '@navarch/kit';
import type { FieldError } from '@navarch/machinery';
import {
  CustomObject,
  type CustomResourceDefinition,
  FieldValidation,
  PatchRequest_Type,
  type Resource,
} from '@navarch/proto';
import { MemoryStore } from '@navarch/store';
import { expect, test, vi } from 'vitest';
import { historySubject } from '../history/history-stream.ts';
import { refusal, startApi, type TestApi, valueOf } from '../api.fixture.ts';
import { definition, widget } from './widgets.fixture.ts';

const crd = { resource: 'customresourcedefinitions', name: 'widgets.example.com' };
const named = (name: string, resource = 'widgets.example.com') => ({ resource, namespace: 'default', name });

test('a custom kind is written, read, listed and watched like any other', async () => {
  await using api = await startApi();
  const { client } = api;
  const applied = await client.apply(definition());
  const status = valueOf<CustomResourceDefinition>(applied.resource).status;
  expect(status?.conditions.map(({ type, status }) => `${type}=${status}`)).toEqual([
    'NamesAccepted=True',
    'Established=True',
  ]);
  expect(status?.acceptedNames).toMatchObject({ plural: 'widgets', singular: 'widget', listKind: 'WidgetList' });
  expect(status?.storedVersions).toEqual(['v1']);

  const made = valueOf<CustomObject>((await client.apply(widget('w1'))).resource);
  expect(made).toMatchObject({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w1', namespace: 'default', generation: 1 },
    spec: { size: 3, color: 'red', parts: [{ name: 'a', count: 1 }] },
    status: undefined,
  });
  for (const resource of ['widgets', 'widget', 'wd', 'widgets.example.com', 'widgets.v1.example.com']) {
    expect(valueOf<CustomObject>(await client.get(named('w1', resource))).metadata?.uid).toBe(made.metadata?.uid);
  }
  await client.apply(widget('w2', { color: 'blue' }));
  const red = await client.list({ resource: 'widgets', fieldSelector: 'spec.color=red' });
  expect(red.items.map((item) => valueOf<CustomObject>(item).metadata?.name)).toEqual(['w1']);

  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { initial, events } of client.watch({ targets: [{ resource: 'widgets' }] }, stop.signal)) {
    for (const { type, resource } of events) seen.push(`${type} ${valueOf<CustomObject>(resource).metadata?.name}`);
    if (!initial && seen.length === 2) await client.delete(named('w1'));
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual(['1 w1', '1 w2', '3 w1']);
});

test('what a schema refuses is named by its path', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  const wrong = await refusal(
    client.apply(widget('w1', { size: 0, colour: 'red', parts: [{ name: 'a', count: 'many' }], port: true })),
  );
  expect(wrong.reason).toBe('Invalid');
  expect(wrong.fields).toMatchObject([{ path: 'spec.colour', message: 'unknown field; did you mean "color"?' }]);
  const invalid = await refusal(client.apply(widget('w1', { size: 0, parts: [{ count: 'many' }], port: true })));
  expect(texts(invalid.fields)).toEqual(
    texts([
      { path: 'spec.parts[0].name', message: 'must be set' },
      { path: 'spec.parts[0].count', message: 'must be a whole number, not "many"' },
      { path: 'spec.size', message: '0 must be at least 1' },
      { path: 'spec.port', message: 'must be a whole number or text, not true: write "true"' },
    ]),
  );
  // A client that sends no manifest loses what the schema lacks.
  const value = { ...CustomObject.fromJSON(widget('w1', { colour: 'x' })), other: { extra: 1 } };
  const created = await createRaw(api, value);
  expect(valueOf<CustomObject>(created)).toMatchObject({ spec: { color: 'red', size: 3 }, other: undefined });
  expect(valueOf<CustomObject>(created).spec).not.toHaveProperty('colour');
});

test('status is written apart, and only the rest makes a new generation', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  await client.apply({ ...widget('w1'), status: { replicas: 7 } });
  const before = await client.get(named('w1'));
  expect(valueOf<CustomObject>(before).status).toBeUndefined();
  const patch = (fields: object, subresource = '') =>
    client.patch({
      ...named('w1'),
      type: PatchRequest_Type.MERGE,
      patch: JSON.stringify(fields),
      subresource,
    });
  const seen = valueOf<CustomObject>(await patch({ status: { replicas: 2 }, spec: { size: 9 } }, 'status'));
  expect(seen).toMatchObject({ status: { replicas: 2 }, spec: { size: 3 }, metadata: { generation: 1 } });
  const grown = valueOf<CustomObject>(await patch({ status: { replicas: 5 }, spec: { size: 9 } }));
  expect(grown).toMatchObject({ status: { replicas: 2 }, spec: { size: 9 }, metadata: { generation: 2 } });
  const same = await patch({ spec: { size: 9 } });
  expect(same.revision).toBe((await client.get(named('w1'))).revision);
  expect(valueOf<CustomObject>(same).metadata?.generation).toBe(2);
});

test('a schema that is not structural is refused, each fault with its path', async () => {
  await using api = await startApi();
  const schema = 'spec.versions[0].schema.openAPIV3Schema';
  const spec = {
    properties: { a: {}, b: { type: 'array' }, c: { type: 'integer', default: 'x' }, d: { type: 'text' } },
  };
  const refused = await refusal(
    api.client.apply(definition({ schema: { type: 'object', $ref: '#/x', properties: { spec } } })),
  );
  expect(refused.fields.map(({ path }) => path).sort()).toEqual(
    [
      `${schema}.$ref`,
      `${schema}.properties.spec.type`,
      `${schema}.properties.spec.properties.a.type`,
      `${schema}.properties.spec.properties.b.items`,
      `${schema}.properties.spec.properties.d.type`,
    ].sort(),
  );
  const preset = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { c: { type: 'integer', default: 'x' } } } },
  };
  expect((await refusal(api.client.apply(definition({ schema: preset })))).fields).toEqual([
    {
      path: `${schema}.properties.spec.properties.c.default`,
      message: 'must be a whole number, not "x"',
    },
  ]);
});

test('two versions of one object differ in their apiVersion alone', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition({ more: ['v1beta1'] }));
  await client.apply({ ...widget('w1'), apiVersion: 'example.com/v1beta1' });
  const read = async (resource: string) => valueOf<CustomObject>(await client.get(named('w1', resource))).apiVersion;
  expect(await read('widgets')).toBe('example.com/v1');
  expect(await read('widgets.v1beta1.example.com')).toBe('example.com/v1beta1');
  const old = await client.list({ resource: 'widgets.v1beta1.example.com' });
  expect(old.items.map((item) => valueOf<CustomObject>(item).apiVersion)).toEqual(['example.com/v1beta1']);
  const applied = await client.apply({ ...widget('w1'), apiVersion: 'example.com/v1beta1' });
  expect(applied.result).toBe(3);
  const stop = new AbortController();
  const target = { resource: 'widgets.v1beta1.example.com' };
  for await (const { initial, events } of client.watch({ targets: [target] }, stop.signal)) {
    for (const { resource } of events) {
      const { apiVersion, spec } = valueOf<CustomObject>(resource);
      expect(apiVersion).toBe('example.com/v1beta1');
      if ((spec as { size: number }).size === 5) stop.abort();
    }
    if (!initial && !stop.signal.aborted) await client.apply(widget('w1', { size: 5 }));
  }
});

test('a definition and its objects outlive the api, and another replica knows them at once', async () => {
  const store = new MemoryStore();
  {
    await using first = await startApi({ store });
    await using second = await startApi({ store, hub: first.hub });
    for (let round = 0; round < 5; round++) {
      await first.client.apply(definition({ plural: `widget${round}s`, kind: `Widget${round}` }));
      await second.client.apply({ ...widget('w1'), kind: `Widget${round}` });
    }
  }
  await using later = await startApi({ store });
  const object = await later.client.get(named('w1', 'widget3s'));
  expect(valueOf<CustomObject>(object)).toMatchObject({ kind: 'Widget3', spec: { size: 3 } });
  await later.client.apply({ ...widget('w1', { size: 4 }), kind: 'Widget3' });
  await store.close();
});

test('a changed schema holds for the next write', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  await client.apply(widget('w1'));
  const open = { type: 'object', properties: { spec: { type: 'object', properties: { weight: { type: 'number' } } } } };
  await client.apply(definition({ schema: open }));
  expect((await refusal(client.apply(widget('w1')))).fields.map(({ path }) => path)).toContain('spec.size');
  await client.apply({ ...widget('w2'), spec: { weight: 1.5 } });
});

test('nothing is made of a kind that is going', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  await client.apply(widget('w1'));
  expect((await client.delete(crd)).gone).toBe(false);
  const refused = await refusal(client.apply(widget('w2')));
  expect(refused.reason).toBe('Forbidden');
  await client.delete(named('w1'));
  const going = valueOf<CustomResourceDefinition>(await client.get(crd));
  expect(going.metadata?.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
  await client.patch({ ...crd, type: PatchRequest_Type.MERGE, patch: '{"metadata":{"finalizers":[]}}' });
  const unknownNow = await refusal(client.apply(widget('w3')));
  expect(unknownNow.message).toContain('Widget');
  expect((await refusal(client.list({ resource: 'widgets' }))).reason).toBe('NotFound');
});

test('informers hear of custom objects by the change feed', async () => {
  await using api = await startApi();
  const made = await api.client.apply(definition({ more: ['v1beta1'] }));
  const kind = customKinds(valueOf<CustomResourceDefinition>(made.resource))[0]!.kind;
  const client = createClient({ address: api.address });
  const bus = api.hub.connect();
  const stop = new AbortController();
  const logger = createLogger({ name: 'test', level: 'silent' });
  const informers = createInformerSet({ api: client.raw, bus, targets: [{ kind }, { kind: configMap }], logger });
  const running = informers.run(stop.signal);
  const seen = (name: string) => informers.lister(kind).get({ namespace: 'default', name });
  await vi.waitFor(() => expect(informers.source).toBe('feed'), 10_000);
  await api.client.apply({ ...widget('w1'), apiVersion: 'example.com/v1beta1' });
  await vi.waitFor(() => expect(seen('w1')).toMatchObject({ apiVersion: 'example.com/v1', spec: { size: 3 } }), 10_000);
  await api.client.delete(named('w1'));
  await vi.waitFor(() => expect(seen('w1')).toBeUndefined(), 10_000);
  stop.abort();
  await running;
  client.close();
  await bus.close();
});

test('the versions of a custom object have one history', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition({ more: ['v1beta1'] }));
  for (const size of [1, 2, 3]) await client.apply({ ...widget('w1', { size }), apiVersion: 'example.com/v1beta1' });
  for (const resource of ['widgets', 'widgets.v1beta1.example.com']) {
    const { entries } = await client.history({ ...named('w1', resource), limit: 10 });
    expect(entries.map((entry) => (valueOf<CustomObject>(entry.resource).spec as { size: number }).size)).toEqual([
      3, 2, 1,
    ]);
  }
  const [kind, old] = customKinds(valueOf<CustomResourceDefinition>(await client.get(crd))).map((each) => each.kind);
  expect(historySubject(kind!, { namespace: 'a', name: 'b' })).toBe(
    historySubject(old!, { namespace: 'a', name: 'b' }),
  );
});

test('appliers of one object own its fields, and items of lists by key', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  await client.apply(widget('w1', { parts: [{ name: 'a', count: 2 }] }), { fieldManager: 'one' });
  const other = { ...widget('w1'), spec: { parts: [{ name: 'b' }] } };
  const both = valueOf<CustomObject>((await client.apply(other, { fieldManager: 'two' })).resource);
  expect(both.spec).toMatchObject({
    size: 3,
    parts: [
      { name: 'a', count: 2 },
      { name: 'b', count: 1 },
    ],
  });
  const conflict = await refusal(client.apply(widget('w1', { size: 4 }), { fieldManager: 'two' }));
  expect(conflict.reason).toBe('Conflict');
  expect(conflict.message).toContain('spec.size');
  const less = { ...widget('w1'), spec: { size: 3 } };
  const one = valueOf<CustomObject>((await client.apply(less, { fieldManager: 'one' })).resource);
  expect((one.spec as { parts: { name: string }[] }).parts.map(({ name }) => name)).toEqual(['b']);
});

test('unknown fields can be let through, and are left out', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  const applied = await client.apply(widget('w1', { colour: 'x' }), { fieldValidation: FieldValidation.IGNORE });
  expect(valueOf<CustomObject>(applied.resource).spec).toEqual({
    color: 'red',
    parts: [{ count: 1, name: 'a' }],
    replicas: 1,
    size: 3,
  });
});

test('names that another kind of the group has are not accepted', async () => {
  await using api = await startApi();
  const { client } = api;
  await client.apply(definition());
  const other = definition({ plural: 'gadgets', kind: 'Widget' });
  const { status } = valueOf<CustomResourceDefinition>((await client.apply(other)).resource);
  expect(status?.conditions).toMatchObject([
    { type: 'NamesAccepted', status: 'False', reason: 'NamesConflict' },
    { type: 'Established', status: 'False' },
  ]);
  expect(status?.conditions[0]?.message).toContain('kind "Widget" is already in use by Widget');
  expect((await refusal(client.list({ resource: 'gadgets' }))).reason).toBe('NotFound');
});

test('a transaction knows a kind that another replica has just made', async () => {
  await using first = await startApi();
  await using second = await startApi({ store: first.store, hub: first.hub });
  const made = await first.client.apply(definition());
  const [served] = customKinds(valueOf<CustomResourceDefinition>(made.resource));
  const resource: Resource = {
    revision: 0n,
    object: { $case: 'custom', value: CustomObject.fromJSON(widget('w1')) },
  };
  const { results } = await second.client.transact({ writes: [{ write: { $case: 'create', value: resource } }] });
  expect(results[0]?.result?.$case).toBe('resource');
  const known = new KindSet([served!.kind]);
  const kind = known.of(resource.object!) as KindDefinition<CustomObject>;
  expect(manifest(kind, valueOf<CustomObject>(await second.client.get(named('w1'))))).toMatchObject({
    apiVersion: 'example.com/v1',
    spec: { size: 3 },
  });
});

const texts = (fields: readonly FieldError[]) => fields.map(({ path, message }) => `${path}: ${message}`).sort();

async function createRaw(api: TestApi, value: CustomObject): Promise<Resource> {
  const resource: Resource = { revision: 0n, object: { $case: 'custom', value } };
  const { results } = await api.client.transact({ writes: [{ write: { $case: 'create', value: resource } }] });
  const result = results[0]?.result;
  if (result?.$case !== 'resource') throw new Error('the object was not made');
  return result.value;
}

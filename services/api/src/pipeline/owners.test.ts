import { createClient } from '@navarch/client';
import { configMap as configMapKind } from '@navarch/kinds';
import {
  type ConfigMap,
  type CustomObject,
  type Deployment,
  FieldValidation,
  type ManagedFieldsEntry,
  type ObjectMeta,
  PatchRequest_Type,
  type Resource,
  type Secret,
  Write,
} from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { definition, widget } from '../kinds/widgets.fixture.ts';
import { configMap, deployment } from './manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

const metadataOf = (object: Resource | undefined) => valueOf<{ metadata: ObjectMeta }>(object).metadata;
const owners = (object: Resource | undefined) =>
  Object.fromEntries(
    metadataOf(object).managedFields.map((entry: ManagedFieldsEntry) => [
      [entry.manager, entry.operation, entry.subresource].filter((word) => word !== '').join(' '),
      entry.fieldsV1 as unknown,
    ]),
  );
const patched = (resource: string, name: string, patch: object, more: object = {}) =>
  client.patch({
    resource,
    namespace: 'default',
    name,
    type: 'TYPE_MERGE',
    patch: JSON.stringify(patch),
    ...more,
  });
const get = (resource: string, name: string) => client.get({ resource, namespace: 'default', name });

describe('who has which fields', () => {
  test('what a manifest says belongs to who applied it, and no default does', async () => {
    const { resource: made } = await client.apply(configMap('owned', { data: { a: '1' } }), { fieldManager: 'me' });
    const [entry] = metadataOf(made).managedFields;
    expect(entry).toMatchObject({ apiVersion: 'v1', fieldsType: 'FieldsV1', time: metadataOf(made).creationTimestamp });
    expect(owners(made)).toEqual({ 'me Apply': { 'f:data': { 'f:a': {} } } });
    const { resource: web } = await client.apply(deployment('owned', { paused: false }), { fieldManager: 'me' });
    expect(owners(web)).toEqual({
      'me Apply': {
        'f:spec': {
          'f:paused': {},
          'f:replicas': {},
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { 'f:app': {} } },
            'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
          },
        },
      },
    });
  });

  test('what is written under a name belongs to that name, and is kept through writes without one', async () => {
    await client.create(configMap('named', { data: { a: '1', b: '1' } }), { fieldManager: 'maker' });
    await patched('configmaps', 'named', { data: { b: '2' } }, { fieldManager: 'patcher' });
    const after = await patched('configmaps', 'named', { data: { c: '3' } });
    expect(owners(after)).toEqual({
      'maker Update': { 'f:data': { 'f:a': {} } },
      'patcher Update': { 'f:data': { 'f:b': {} } },
      'unknown Update': { 'f:data': { 'f:c': {} } },
    });
  });

  test('a program that gives no name is known by its user agent', async () => {
    const program = createClient({ address: running.address, program: 'some-controller' });
    await client.apply(configMap('agent', { data: { a: '1' } }), { fieldManager: 'me' });
    const patch = JSON.stringify({ data: { b: '2' } });
    await program.patch(
      configMapKind,
      { namespace: 'default', name: 'agent' },
      { type: PatchRequest_Type.MERGE, patch },
    );
    program.close();
    expect(owners(await get('configmaps', 'agent'))).toEqual({
      'me Apply': { 'f:data': { 'f:a': {} } },
      'some-controller Update': { 'f:data': { 'f:b': {} } },
    });
  });

  test('nobody keeps account of an object that is only written without a name', async () => {
    const made = await client.create(configMap('plain', { data: { a: '1' } }));
    const changed = await client.update(resource(configMap('plain', { data: { a: '2' } })));
    expect([owners(made), owners(changed)]).toEqual([{}, {}]);
    const { resource: applied } = await client.apply(configMap('plain', { data: { a: '3' } }), { fieldManager: 'me' });
    expect(owners(applied)).toEqual({ 'me Apply': { 'f:data': { 'f:a': {} } } });
  });

  test('status has owners of its own', async () => {
    await client.apply(deployment('status'), { fieldManager: 'me' });
    const updated = await client.updateStatus(resource({ ...deployment('status'), status: { replicas: 2 } }));
    expect(owners(updated)['unknown Update status']).toEqual({ 'f:status': { 'f:replicas': {} } });
    const manifest = { ...deployment('status'), status: { readyReplicas: 1 } };
    const { resource: applied } = await client.apply(manifest, { fieldManager: 'me', subresource: 'status' });
    expect(owners(applied)['me Apply status']).toEqual({ 'f:status': { 'f:readyReplicas': {} } });
    expect(valueOf<Deployment>(applied)).toMatchObject({
      status: { replicas: 2, readyReplicas: 1 },
      spec: { replicas: 3 },
    });
    const { resource: none } = await client.apply(
      { ...manifest, status: {} },
      { fieldManager: 'me', subresource: 'status' },
    );
    expect(valueOf<Deployment>(none).status).toMatchObject({ replicas: 2, readyReplicas: 0 });
    const missing = client.apply(deployment('absent'), { subresource: 'status' });
    expect((await refusal(missing)).reason).toBe('NotFound');
  });

  test('a custom kind is owned as its schema says', async () => {
    await client.apply(definition());
    const mine = { size: 1, parts: [{ name: 'a', count: 2 }], anything: { deep: { x: 1 } } };
    await client.apply(widget('owned', mine), { fieldManager: 'me' });
    const theirs = { size: 1, parts: [{ name: 'b' }], anything: { deep: { y: 1 } } };
    const { resource: both } = await client.apply(widget('owned', theirs), { fieldManager: 'other' });
    expect(owners(both)['other Apply']).toEqual({
      'f:spec': {
        'f:anything': { 'f:deep': { 'f:y': {} } },
        'f:parts': { 'k:{"name":"b"}': { '.': {}, 'f:name': {} } },
        'f:size': {},
      },
    });
    const error = await refusal(
      client.apply(widget('owned', { ...mine, parts: [{ name: 'a', count: 3 }] }), { fieldManager: 'third' }),
    );
    expect(error.fields.map(({ path }) => path)).toEqual(['spec.parts[name="a"].count']);
    const { resource: left } = await client.apply(widget('owned', { size: 1, parts: [] }), { fieldManager: 'me' });
    expect(valueOf<CustomObject>(left).spec).toMatchObject({
      parts: [{ name: 'b', count: 1 }],
      anything: { deep: { y: 1 } },
    });
    expect(valueOf<CustomObject>(left).spec).not.toMatchObject({ anything: { deep: { x: 1 } } });
  });

  test('what a writer sends for it is ignored', async () => {
    const { resource: made } = await client.apply(configMap('sent', { data: { a: '1' } }), { fieldManager: 'me' });
    const before = owners(made);
    const sent = structuredClone(made);
    metadataOf(sent).managedFields = [];
    const after = await client.update({ ...(sent as Resource), revision: 0n });
    expect(owners(after)).toEqual(before);
    expect((await get('configmaps', 'sent')).revision).toBe(made?.revision);
  });

  test('each write of a transaction is by its own manager, or by the transaction’s', async () => {
    const { results } = await client.transact({
      fieldManager: 'all',
      writes: [
        Write.fromPartial({ write: { $case: 'create', value: resource(configMap('t1', { data: { a: '1' } })) } }),
        Write.fromPartial({ write: { $case: 'create', value: resource(configMap('t2', { data: { a: '1' } })) } }),
      ],
    });
    expect(results.map(({ result }) => owners(result?.value))).toEqual([
      { 'all Update': { 'f:data': { 'f:a': {} } } },
      { 'all Update': { 'f:data': { 'f:a': {} } } },
    ]);
  });
});

describe('conflicts', () => {
  test('name each field and its manager, and say how to go on', async () => {
    await client.apply(deployment('contested', { paused: true }), { fieldManager: 'me' });
    await patched(
      'deployments.apps',
      'contested',
      { spec: { replicas: 7, paused: false } },
      { fieldManager: 'scaler' },
    );
    const error = await refusal(client.apply(deployment('contested', { paused: true }), { fieldManager: 'me' }));
    expect(error.reason).toBe('Conflict');
    expect(error.message).toContain('deployments.apps "contested"');
    expect(error.message).toContain('--force-conflicts');
    const by = expect.stringMatching(/^was set by "scaler" \(Update, \d{4}-/);
    expect(error.fields).toEqual([
      { path: 'spec.replicas', message: by },
      { path: 'spec.paused', message: by },
    ]);
    const { resource: agreed } = await client.apply(deployment('contested', { replicas: 7, paused: false }), {
      fieldManager: 'me',
    });
    expect(owners(agreed)['scaler Update']).toEqual({ 'f:spec': { 'f:replicas': {}, 'f:paused': {} } });
    const other = client.apply(deployment('contested', { replicas: 7, paused: false }), { fieldManager: 'other' });
    expect((await other).result).toBe(2);
    const { resource: forced } = await client.apply(deployment('contested'), { fieldManager: 'me', force: true });
    expect(valueOf<Deployment>(forced).spec?.replicas).toBe(3);
    expect(valueOf<Deployment>(forced).spec?.paused).toBe(false);
    expect(owners(forced)['scaler Update']).toEqual({ 'f:spec': { 'f:paused': {} } });
  });

  test('of a secret do not tell its values', async () => {
    const secret = (text: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'contested' },
      stringData: { password: text },
    });
    await client.apply(secret('hunter2'), { fieldManager: 'me' });
    expect((await client.apply(secret('hunter2'), { fieldManager: 'other' })).result).toBe(2);
    const error = await refusal(client.apply(secret('hunter3'), { fieldManager: 'other' }));
    expect(error.fields.map(({ path }) => path)).toEqual(['data.password']);
    expect(error.message).not.toMatch(/hunter|aHVudGVy/);
    await client.apply({ ...secret(''), stringData: {} }, { fieldManager: 'me' });
    const { resource: left } = await client.apply({ ...secret(''), stringData: {} }, { fieldManager: 'other' });
    expect(valueOf<Secret>(left).data).toEqual({});
  });
});

describe('writing nothing', () => {
  test('an apply of a manifest that says nothing', async () => {
    const empty = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'empty' } };
    const { resource: made } = await client.apply(empty, { fieldManager: 'me' });
    expect(owners(made)).toEqual({});
    expect((await client.apply(empty, { fieldManager: 'other' })).resource).toEqual(made);
  });

  test('an apply that changes nothing, also after others changed what is theirs', async () => {
    const { resource: made } = await client.apply(deployment('still'), { fieldManager: 'me' });
    expect((await client.apply(deployment('still'), { fieldManager: 'me' })).resource).toEqual(made);
    const other = await patched('deployments.apps', 'still', { metadata: { annotations: { a: 'b' } } });
    const again = await client.apply(deployment('still'), { fieldManager: 'me' });
    expect(again.result).toBe(3);
    expect(again.resource).toEqual(other);
  });

  test('a dry run of every write', async () => {
    const before = await client.create(deployment('dry'));
    const dryRun = true;
    const where = { resource: 'deployments.apps', namespace: 'default', name: 'dry' };
    const changed = resource({ ...deployment('dry', { replicas: 9 }), status: { replicas: 9 } });
    const results = [
      await client.update(changed, { dryRun }),
      await patched('deployments.apps', 'dry', { spec: { replicas: 9 } }, { dryRun }),
      (await client.apply(deployment('dry', { replicas: 9 }), { dryRun })).resource,
    ];
    expect(results.map((object) => valueOf<Deployment>(object).spec?.replicas)).toEqual([9, 9, 9]);
    expect(valueOf<Deployment>(await client.updateStatus(changed, { dryRun })).status?.replicas).toBe(9);
    expect((await client.delete({ ...where, dryRun })).gone).toBe(true);
    await client.transact({ dryRun, writes: [Write.fromPartial({ write: { $case: 'update', value: changed } })] });
    expect(await client.get(where)).toEqual(before);
    const refused = client.apply(deployment('dry', { replicas: -1 }), { dryRun });
    expect((await refusal(refused)).reason).toBe('Invalid');
  });
});

describe('fields that are unknown or stand twice', () => {
  const text = (name: string) =>
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":{"a":"1","a":"2"},"datas":{}}`;
  const patch = '{"data":{"b":"1","b":"2"},"datas":{}}';
  const doors = [
    { door: 'apply', write: (name: string, more: Record<string, unknown>) => client.apply(text(name), more) },
    { door: 'create', write: (name: string, more: Record<string, unknown>) => client.createManifest(text(name), more) },
    {
      door: 'patch',
      write: async (name: string, more: Record<string, unknown>) => {
        await client.create(configMap(name));
        return await client.patch({
          resource: 'configmaps',
          namespace: 'default',
          name,
          type: 'TYPE_MERGE',
          patch,
          ...more,
        });
      },
    },
  ];

  test.each(doors)('$door refuses them unless told otherwise', async ({ door, write }) => {
    for (const fieldValidation of [FieldValidation.UNSPECIFIED, FieldValidation.STRICT]) {
      const error = await refusal(write(`strict-${door}-${fieldValidation}`, { fieldValidation }));
      expect(error.reason).toBe('Invalid');
      expect(error.message).toMatch(/data\.[ab]: stands here twice/);
    }
  });

  test.each(doors)('$door warns of them', async ({ door, write }) => {
    client.warnings.length = 0;
    await write(`warned-${door}`, { fieldValidation: FieldValidation.WARN });
    expect(client.warnings).toEqual([
      expect.stringMatching(/^data\.[ab]: stands here twice/),
      'datas: unknown field; did you mean "data"?',
    ]);
    const { data } = valueOf<ConfigMap>(await get('configmaps', `warned-${door}`));
    expect(Object.values(data)).toEqual(['2']);
  });

  test.each(doors)('$door ignores them, but not what is wrong', async ({ door, write }) => {
    client.warnings.length = 0;
    await write(`ignored-${door}`, { fieldValidation: FieldValidation.IGNORE });
    expect(client.warnings).toEqual([]);
    const wrong = client.apply('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"wrong"},"immutable":1}', {
      fieldValidation: FieldValidation.IGNORE,
    });
    expect((await refusal(wrong)).message).toContain('immutable: must be true or false');
  });
});

test('a manager has a readable name', async () => {
  for (const fieldManager of ['x'.repeat(129), 'new\nline']) {
    const error = await refusal(client.apply(configMap('unnamed'), { fieldManager }));
    expect(error).toMatchObject({ reason: 'BadRequest', message: expect.stringContaining('field_manager') });
  }
});

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { GatewayInProcess } from './gateway-in-process.ts';

// Real servers, on machines that may be busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let gateway: GatewayInProcess;
beforeAll(async () => {
  gateway = await GatewayInProcess.start();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const maps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { test: 'gateway' } },
  data: { text: 'a "quoted"\n\u00e9' },
  ...more,
});
const deployment = (name: string, replicas = 2) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80 }] }] },
    },
  },
});
const deployments = '/apis/apps/v1/namespaces/default/deployments';

describe('discovery', () => {
  test('every kind is told, one by one and all at once, with what can be done with it', async () => {
    const { json } = await gateway.ask('GET', '/apis/apps/v1');
    const names = json.resources.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['deployments', 'deployments/scale', 'deployments/status']));
    expect(json.resources.find(({ name }: { name: string }) => name === 'deployments')).toMatchObject({
      kind: 'Deployment',
      namespaced: true,
      shortNames: ['deploy'],
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    });
    expect((await gateway.ask('GET', '/api')).json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    expect((await gateway.ask('GET', '/apis')).json).toMatchObject({ kind: 'APIGroupList' });
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const all = await gateway.ask('GET', '/api', { headers: { accept } });
    expect(all.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    const [pods] = all.json.items[0].versions[0].resources.filter(
      ({ resource }: { resource: string }) => resource === 'pods',
    );
    expect(pods).toMatchObject({ singularResource: 'pod', scope: 'Namespaced', responseKind: { kind: 'Pod' } });
    const headers = { accept, 'if-none-match': String(all.headers.etag) };
    expect((await gateway.ask('GET', '/api', { headers })).code).toBe(304);
  });

  test('OpenAPI says types, merge keys and who a schema is for', async () => {
    const index = await gateway.ask('GET', '/openapi/v3');
    const document = await gateway.ask('GET', index.json.paths['apis/apps/v1'].serverRelativeURL);
    expect(document.headers['cache-control']).toContain('immutable');
    const { schemas } = document.json.components;
    expect(schemas['io.k8s.api.apps.v1.Deployment']['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', kind: 'Deployment', version: 'v1' },
    ]);
    expect(schemas['io.k8s.api.core.v1.PodSpec'].properties.containers).toMatchObject({
      type: 'array',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-list-map-keys': ['name'],
    });
    const patch = document.json.paths[`${deployments.replace('default', '{namespace}')}/{name}`].patch;
    expect(patch.parameters.map(({ name }: { name: string }) => name)).toContain('fieldValidation');
    expect((await gateway.ask('GET', '/openapi/v2')).json.definitions['io.k8s.api.core.v1.Pod']).toMatchObject({
      type: 'object',
    });
    const protobuf = { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' };
    expect((await gateway.ask('GET', '/openapi/v2', { headers: protobuf })).code).toBe(406);
  });

  test('a custom kind is there as long as its definition', async () => {
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: { type: 'object', properties: { size: { type: 'integer' } } },
                  note: { type: 'string' },
                },
              },
            },
          },
        ],
      },
    };
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const widgets = '/apis/example.org/v1/namespaces/default/widgets';
    expect((await gateway.ask('POST', definitions, { body: definition })).code).toBe(201);
    await vi.waitFor(async () => expect((await gateway.ask('GET', '/apis/example.org/v1')).code).toBe(200), 10_000);
    const widget = {
      apiVersion: 'example.org/v1',
      kind: 'Widget',
      metadata: { name: 'w' },
      spec: { size: 3 },
      note: 'n',
    };
    expect((await gateway.ask('POST', widgets, { body: widget })).code).toBe(201);
    const { items } = (await gateway.ask('GET', widgets)).json;
    expect(items).toMatchObject([{ ...widget, metadata: { name: 'w', namespace: 'default' } }]);
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
    expect((await gateway.ask('PATCH', `${widgets}/w`, { headers: strategic, body: '{}' })).code).toBe(415);
    expect((await gateway.ask('DELETE', `${definitions}/widgets.example.org`)).code).toBe(200);
    // What empties a kind's objects does not run here.
    const merge = { 'content-type': 'application/merge-patch+json' };
    const body = { metadata: { finalizers: null } };
    await gateway.ask('PATCH', `${definitions}/widgets.example.org`, { headers: merge, body });
    await vi.waitFor(async () => expect((await gateway.ask('GET', widgets)).code).toBe(404), 10_000);
  });

  test('health and version', async () => {
    expect((await gateway.ask('GET', '/readyz')).body).toBe('ok');
    expect((await gateway.ask('GET', '/livez?verbose')).body).toContain('[+]ping ok');
    expect((await gateway.ask('GET', '/version')).json).toMatchObject({ major: '1', platform: expect.any(String) });
  });
});

describe('objects', () => {
  test('are made, read, replaced and removed as Kubernetes says', async () => {
    const { namespace: _, ...made } = (await gateway.ask('POST', maps, { body: configMap('a') })).json.metadata;
    const read = await gateway.ask('GET', `${maps}/a`);
    expect(read.json).toMatchObject({ ...configMap('a'), metadata: { ...made, namespace: 'default' } });
    expect((await gateway.ask('POST', maps, { body: configMap('a') })).json).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      reason: 'AlreadyExists',
      code: 409,
      details: { kind: 'configmaps' },
    });
    const changed = { ...read.json, data: { text: 'other' } };
    expect((await gateway.ask('PUT', `${maps}/a`, { body: changed })).json.data).toEqual({ text: 'other' });
    expect((await gateway.ask('PUT', `${maps}/a`, { body: changed })).json).toMatchObject({
      reason: 'Conflict',
      code: 409,
    });
    expect((await gateway.ask('PUT', `${maps}/b`, { body: changed })).json).toMatchObject({ reason: 'BadRequest' });
    expect((await gateway.ask('DELETE', `${maps}/a`)).json).toMatchObject({
      status: 'Success',
      details: { name: 'a', uid: made.uid },
    });
    expect((await gateway.ask('GET', `${maps}/a`)).json).toMatchObject({
      reason: 'NotFound',
      code: 404,
      details: { name: 'a', kind: 'configmaps' },
    });
  });

  test('what only the path says is filled in, from JSON and from YAML', async () => {
    const bare = { metadata: { generateName: 'bare-' }, data: { a: 'b' } };
    expect((await gateway.ask('POST', maps, { body: bare })).json).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
    });
    const yaml = { 'content-type': 'application/yaml', accept: 'application/yaml' };
    const answer = await gateway.ask('POST', maps, {
      headers: yaml,
      body: 'metadata: { name: from-yaml }\ndata: { a: "1" }\n',
    });
    expect(answer.headers['content-type']).toBe('application/yaml');
    expect(answer.body).toContain('name: from-yaml');
  });

  test('unknown and repeated fields warn, refuse or pass, as is asked', async () => {
    const body = '{"metadata":{"name":"fields"},"datta":{},"data":{"a":"1"},"data":{"a":"2"}}';
    const warned = await gateway.ask('POST', `${maps}?dryRun=All`, { body });
    expect(warned.code).toBe(201);
    expect(String(warned.headers.warning)).toMatch(
      /299 - "data: stands here twice.*299 - "datta: unknown field; did you mean \\"data\\"\?/,
    );
    const strict = await gateway.ask('POST', `${maps}?dryRun=All&fieldValidation=Strict`, {
      body: body.replace('datta', 'dattta'),
    });
    expect(strict).toMatchObject({ code: 422, json: { reason: 'Invalid', details: { kind: 'ConfigMap' } } });
    const ignored = await gateway.ask('POST', `${maps}?dryRun=All&fieldValidation=Ignore`, { body });
    expect([ignored.code, ignored.headers.warning]).toEqual([201, undefined]);
    expect((await gateway.ask('GET', `${maps}/fields`)).code).toBe(404);
  });

  test('a namespace’s finalizers are taken away at its subresource', async () => {
    await gateway.ask('POST', '/api/v1/namespaces', {
      body: { metadata: { name: 'held' }, spec: { finalizers: ['kubernetes', 'example.com/held'] } },
    });
    const made = (await gateway.ask('GET', '/api/v1/namespaces/held')).json;
    const body = { ...made, spec: { finalizers: ['kubernetes'] } };
    const freed = await gateway.ask('PUT', '/api/v1/namespaces/held/finalize', { body });
    expect(freed).toMatchObject({ code: 200, json: { kind: 'Namespace', spec: { finalizers: ['kubernetes'] } } });
    expect((await gateway.ask('PUT', `${maps}/held/finalize`, { body })).code).toBe(404);
  });

  test('the four patches', async () => {
    await gateway.ask('POST', deployments, { body: deployment('patched') });
    const path = `${deployments}/patched`;
    const patch = (type: string, body: object | string, query = '') =>
      gateway.ask('PATCH', path + query, { headers: { 'content-type': `application/${type}` }, body });
    const json = [{ op: 'replace', path: '/spec/replicas', value: 3 }];
    expect((await patch('json-patch+json', json)).json.spec.replicas).toBe(3);
    expect((await patch('merge-patch+json', { spec: { replicas: 4 } })).json.spec.replicas).toBe(4);
    const containers = [{ name: 'd', image: 'busybox' }];
    const merged = await patch('strategic-merge-patch+json', { spec: { template: { spec: { containers } } } });
    expect(merged.json.spec.template.spec.containers).toHaveLength(2);
    const applied = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 9 } };
    expect((await patch('apply-patch+yaml', applied)).json).toMatchObject({ code: 400 });
    await patch('merge-patch+json', { spec: { replicas: 5 } }, '?fieldManager=somebody');
    const conflict = await patch('apply-patch+yaml', applied, '?fieldManager=me');
    expect(conflict.json).toMatchObject({
      code: 409,
      details: { causes: [{ reason: 'FieldManagerConflict', field: expect.stringContaining('spec.replicas') }] },
    });
    const forced = await patch('apply-patch+yaml', applied, '?fieldManager=me&force=true');
    expect(forced.json.spec.replicas).toBe(9);
    expect((await patch('merge+json', {})).code).toBe(415);
    expect((await patch('merge-patch+json', {}, '?force=true')).code).toBe(400);
  });

  test('scale and status are doors of their own', async () => {
    await gateway.ask('POST', deployments, { body: deployment('scaled') });
    const path = `${deployments}/scaled`;
    const { json: scale } = await gateway.ask('GET', `${path}/scale`);
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=scaled' },
    });
    const body = { ...scale, spec: { replicas: 0 } };
    expect((await gateway.ask('PUT', `${path}/scale`, { body })).json.spec).toEqual({});
    const headers = { 'content-type': 'application/merge-patch+json' };
    const patched = await gateway.ask('PATCH', `${path}/scale`, { headers, body: { spec: { replicas: 6 } } });
    expect(patched.json.spec).toEqual({ replicas: 6 });
    const status = await gateway.ask('PATCH', `${path}/status`, {
      headers,
      body: { status: { replicas: 1 }, spec: { replicas: 8 } },
    });
    expect(status.json).toMatchObject({ spec: { replicas: 6 }, status: { replicas: 1 } });
    expect((await gateway.ask('GET', '/api/v1/namespaces/default/configmaps/x/status')).code).toBe(404);
  });
});

describe('lists', () => {
  test('in chunks, as tables, as metadata alone, and compressed', async () => {
    const body = (n: number) =>
      configMap(`chunk-${n}`, {
        metadata: { name: `chunk-${n}`, labels: { chunk: 'yes' } },
        data: { a: 'x'.repeat(9000) },
      });
    for (let n = 0; n < 20; n++) await gateway.ask('POST', maps, { body: body(n) });
    const query = '?labelSelector=chunk%3Dyes';
    const names: string[] = [];
    let token = '';
    do {
      const { json } = await gateway.ask('GET', `${maps}${query}&limit=7&continue=${encodeURIComponent(token)}`);
      names.push(...json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name));
      token = json.metadata.continue ?? '';
    } while (token !== '');
    expect(names).toHaveLength(20);
    const whole = await gateway.ask('GET', maps + query, { headers: { 'accept-encoding': 'gzip' } });
    expect(whole.headers['content-encoding']).toBe('gzip');
    expect(whole.json).toMatchObject({
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
    });
    expect(whole.json.items[0]).not.toHaveProperty('kind');
    const table = await gateway.ask('GET', maps + query, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.json.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(['Name', 'Data', 'Age']);
    expect(table.json.rows[0]).toMatchObject({
      cells: ['chunk-0', 1, expect.any(String)],
      object: { kind: 'PartialObjectMetadata' },
    });
    const metadata = await gateway.ask('GET', maps + query, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    });
    expect(metadata.json).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(metadata.json.items[0]).not.toHaveProperty('data');
    expect((await gateway.ask('GET', maps, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).code).toBe(
      406,
    );
    const gone = await gateway.ask('DELETE', maps + query);
    expect(gone.json).toMatchObject({ status: 'Success' });
    expect((await gateway.ask('GET', maps + query)).json.items).toEqual([]);
  });
});

test('a list that the api gives in pieces is one list, in every form', async () => {
  const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  const count = 700;
  const make = (n: number) => gateway.ask('POST', path, { body: { metadata: { name: `lease-${n}` } } });
  await Promise.all(Array.from({ length: count }, (_, n) => make(n)));
  const names = (metadata: { name: string }[]) => new Set(metadata.map(({ name }) => name)).size;
  for (const accept of ['application/json', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io']) {
    const { json } = await gateway.ask('GET', `${path}?resourceVersion=1`, { headers: { accept } });
    expect(names(json.items.map((item: { metadata: { name: string } }) => item.metadata))).toBe(count);
  }
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  expect((await gateway.ask('GET', path, { headers: { accept } })).json.rows).toHaveLength(count);
  expect((await gateway.ask('GET', path, { headers: { 'accept-encoding': 'gzip' } })).json.items).toHaveLength(count);
  expect((await gateway.ask('GET', `${path}?pretty=1`)).json.items).toHaveLength(count);
});

describe('watches', () => {
  test('tell what there is, its end, and what happens then', async () => {
    await gateway.ask('POST', maps, { body: configMap('watched') });
    const query =
      '?watch=true&fieldSelector=metadata.name%3Dwatched&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=20';
    const stop = new AbortController();
    const events = gateway.watch(maps + query, {}, stop.signal);
    expect((await events.next()).value).toMatchObject({
      type: 'ADDED',
      object: { kind: 'ConfigMap', metadata: { name: 'watched' } },
    });
    const mark = (await events.next()).value;
    expect(mark).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    const headers = { 'content-type': 'application/merge-patch+json' };
    await gateway.ask('PATCH', `${maps}/watched`, { headers, body: { data: { more: '1' } } });
    expect((await events.next()).value).toMatchObject({ type: 'MODIFIED', object: { data: { more: '1' } } });
    await gateway.ask('DELETE', `${maps}/watched`);
    expect((await events.next()).value).toMatchObject({ type: 'DELETED', object: { data: { more: '1' } } });
    stop.abort();
  });

  test('end with the time they were given, with a bookmark, and say when history is gone', async () => {
    const last: string[] = [];
    for await (const { type } of gateway.watch(
      `${maps}?watch=1&resourceVersion=5&allowWatchBookmarks=true&timeoutSeconds=1`,
    ))
      last.push(type);
    expect(last.at(-1)).toBe('BOOKMARK');
    const future = await gateway.ask('GET', `${maps}?watch=1&resourceVersionMatch=NotOlderThan`);
    expect(future.json).toMatchObject({ code: 400 });
  });

  test('begin before there is anything to tell', async () => {
    const { metadata } = (await gateway.ask('GET', `${maps}?limit=1`)).json;
    const query = `?watch=1&labelSelector=no%3Dbody&resourceVersion=${metadata.resourceVersion}`;
    const response = await gateway.open('GET', maps + query);
    expect(response.statusCode).toBe(200);
    response.destroy();
  });

  test('as tables say the columns once', async () => {
    await gateway.ask('POST', maps, { body: configMap('row') });
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const stop = new AbortController();
    const events = gateway.watch(`${maps}?watch=1&fieldSelector=metadata.name%3Drow`, { headers }, stop.signal);
    const first = (await events.next()).value!;
    expect(first.object).toMatchObject({ kind: 'Table', rows: [{ cells: ['row', 1, expect.any(String)] }] });
    await gateway.ask('DELETE', `${maps}/row`);
    const second = (await events.next()).value!;
    expect([second.type, second.object.columnDefinitions]).toEqual(['DELETED', []]);
    stop.abort();
  });

  test('end politely when the gateway stops', async () => {
    const other = await GatewayInProcess.start();
    const events = other.watch('/api/v1/namespaces?watch=1');
    expect((await events.next()).value).toMatchObject({ type: 'ADDED' });
    const rest = (async () => {
      for await (const { type } of events) expect(type).toBe('ADDED');
    })();
    await other[Symbol.asyncDispose]();
    await rest;
  });
});

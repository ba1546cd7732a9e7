import { type Random, randomFrom } from '@navarch/machinery';
import { expect, test, vi } from 'vitest';
import { type Asked, GatewayInProcess } from './gateway-in-process.ts';

vi.setConfig({ testTimeout: 90_000 });

const count = Number(process.env['NAVARCH_MALFORMED_REQUESTS'] ?? 1_000);
const seed = Number(process.env['NAVARCH_MALFORMED_SEED'] ?? 20_261_124);

interface Broken {
  readonly method: string;
  readonly path: string;
  readonly asked: Asked;
  readonly codes: readonly number[];
}

const maps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const good = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: 'b' } };
const json = { 'content-type': 'application/json' };

type Maker = (random: Random) => Broken;

/** One of `values`. */
function one<T>(random: Random, ...values: readonly T[]): T {
  return random.pick(values);
}

function junk(random: Random, length = 1 + Math.floor(random.next() * 40)): string {
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random.next() * 94))).join('');
}

const word = (random: Random) =>
  junk(random)
    .replaceAll(/[^a-z0-9]/gi, 'x')
    .toLowerCase();

/** Requests that are wrong in one way each, and what each way is answered with. */
const makers: readonly Maker[] = [
  // Paths.
  (r) => ({ method: 'GET', path: `/${word(r)}/${word(r)}`, asked: {}, codes: [404] }),
  (r) => ({ method: 'GET', path: `/api/v1/namespaces/default/${word(r)}s`, asked: {}, codes: [404] }),
  (r) => ({ method: 'GET', path: `/apis/${word(r)}/v1/pods/${word(r)}`, asked: {}, codes: [404] }),
  (r) => ({ method: 'GET', path: `${maps}/m/${word(r)}`, asked: {}, codes: [404] }),
  (r) => ({ method: 'GET', path: `${maps}/%${one(r, 'zz', 'e0%a4%a', '%', 'ff')}`, asked: {}, codes: [400] }),
  (r) => ({ method: 'GET', path: `/api/v1/nodes/${word(r)}`, asked: {}, codes: [404] }),
  (r) => ({ method: 'GET', path: `/api/v1/namespaces/${word(r)}/nodes`, asked: {}, codes: [404] }),
  (r) => ({ method: 'GET', path: `/openapi/v3/${word(r)}`, asked: {}, codes: [404] }),
  // Methods.
  (r) => ({
    method: one(r, 'POST', 'PUT', 'DELETE', 'PATCH'),
    path: one(r, '/version', '/api', '/readyz'),
    asked: { body: '{}' },
    codes: [405],
  }),
  (r) => ({
    method: one(r, 'PUT', 'PATCH'),
    path: maps,
    asked: { headers: { 'content-type': 'application/merge-patch+json' }, body: good },
    codes: [405],
  }),
  (r) => ({ method: one(r, 'OPTIONS', 'PROPFIND', 'LOCK'), path: `${maps}/${word(r)}`, asked: {}, codes: [405] }),
  (r) => ({
    method: one(r, 'POST', 'DELETE'),
    path: `${deployments}/d/scale`,
    asked: { headers: json, body: '{}' },
    codes: [405],
  }),
  // Queries.
  (r) => ({
    method: 'GET',
    path: `${maps}?limit=${one(r, '-1', 'many', '1.5', '1e3', junk(r, 20).replaceAll(/[&#%+]/g, 'x'))}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'GET',
    path: `${maps}?resourceVersion=${one(r, '-5', 'abc', '1.0', '99999999999999999999999')}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'GET',
    path: `${maps}?resourceVersionMatch=${one(r, 'Exact', 'NotOlderThan', word(r))}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({ method: 'GET', path: `${maps}?continue=${word(r)}`, asked: {}, codes: [400] }),
  (r) => ({
    method: 'GET',
    path: `${maps}?labelSelector=${encodeURIComponent(one(r, 'a in', '=b', 'a in (b', '!!', '((', `${junk(r)}==,`))}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'GET',
    path: `${maps}?fieldSelector=${encodeURIComponent(one(r, 'spec.x=1', 'a', '==', `${word(r)}=1`))}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'GET',
    path: `${maps}?watch=true&sendInitialEvents=${one(r, 'true', 'maybe', 'false')}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'GET',
    path: `${maps}?watch=true&timeoutSeconds=${one(r, '-1', 'soon', '1.5')}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: `${maps}?dryRun=${one(r, 'true', 'Some', word(r))}`,
    asked: { headers: json, body: good },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: `${maps}?fieldValidation=${one(r, 'strict', word(r))}`,
    asked: { headers: json, body: good },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: `${maps}?dryRun=All&fieldManager=${'x'.repeat(129 + Math.floor(r.next() * 100))}`,
    asked: { headers: json, body: good },
    codes: [422],
  }),
  // Media types.
  (r) => ({
    method: 'POST',
    path: maps,
    asked: {
      headers: { 'content-type': one(r, 'text/plain', 'application/xml', `${word(r)}/${word(r)}`) },
      body: good,
    },
    codes: [415],
  }),
  (r) => ({
    method: 'GET',
    path: one(r, maps, deployments),
    asked: {
      headers: {
        accept: one(
          r,
          'text/html',
          'application/vnd.kubernetes.protobuf',
          `x/${word(r)}`,
          'application/json;as=Tabel;v=v1;g=meta.k8s.io',
          '*/*;q=0',
        ),
      },
    },
    codes: [406],
  }),
  (r) => ({
    method: 'PATCH',
    path: `${deployments}/d`,
    asked: { headers: { 'content-type': one(r, 'application/json', 'application/patch', '') }, body: '{}' },
    codes: [415],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: { ...json, 'content-encoding': one(r, 'gzip', 'br', word(r)) }, body: good },
    codes: [415],
  }),
  // Bodies.
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: one(r, '', ' ', '{', '[]', '1', 'null', '"x"', `{"a":${junk(r)}`, junk(r)) },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: JSON.stringify(good).slice(0, 1 + Math.floor(r.next() * 60)) },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, Math.floor(r.next() * 256), 0x22, 0x7d]) },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: `${'{"data":'.repeat(101 + Math.floor(r.next() * 5000))}1` },
    codes: [400],
  }),
  () => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: '['.repeat(200) + ']'.repeat(200) },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: { ...good, kind: one<unknown>(r, 'Pod', 'configMap', 5, {}) } },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: { ...good, apiVersion: one(r, 'v2', 'apps/v1', word(r)) } },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: {
      headers: json,
      body: { ...good, metadata: one<unknown>(r, [], 'm', 5, { name: 'm', namespace: word(r) }) },
    },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: {
      headers: json,
      body: { ...good, metadata: { name: one(r, `-${word(r)}`, 'UPPER', 'a/b', 'x'.repeat(300), '..') } },
    },
    codes: [422],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: { headers: json, body: { ...good, data: one<unknown>(r, [], 'x', { a: 1 }, { a: { b: 'c' } }, 7) } },
    codes: [422],
  }),
  (r) => ({
    method: 'POST',
    path: `${maps}?fieldValidation=Strict`,
    asked: { headers: json, body: { ...good, [word(r)]: {} } },
    codes: [422],
  }),
  (r) => ({ method: 'PUT', path: `${maps}/${word(r)}`, asked: { headers: json, body: good }, codes: [400, 404] }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: {
      headers: { 'content-type': 'application/yaml' },
      body: one(r, 'a: [', '- a\n- b', 'a: 1\n---\nb: 2', '{a: *x}', `a: &b\n  ${junk(r)}: [`),
    },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: maps,
    asked: {
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
      body: Buffer.from(one(r, 'k8s\0', `k8s\0${junk(r)}`, junk(r), 'k8s\0\x0a\xff')),
    },
    codes: [400, 422],
  }),
  // Patches.
  (r) => ({
    method: 'PATCH',
    path: `${maps}/there`,
    asked: {
      headers: { 'content-type': 'application/json-patch+json' },
      body: one(
        r,
        '{}',
        '[1]',
        '[{"op":"fly","path":"/a"}]',
        '[{"op":"remove","path":"/nothing/here"}]',
        '[{"op":"add"}]',
        '[{"op":"test","path":"/data/a","value":"z"}]',
        junk(r),
      ),
    },
    codes: [400, 409, 422],
  }),
  (r) => ({
    method: 'PATCH',
    path: `${maps}/there`,
    asked: {
      headers: { 'content-type': `application/${one(r, 'merge-patch', 'strategic-merge-patch')}+json` },
      body: one(r, '[]', '1', 'null', '{"data":', junk(r), '{"data":5}'),
    },
    codes: [400, 422],
  }),
  (r) => ({
    method: 'PATCH',
    path: `${maps}/there?fieldManager=x`,
    asked: {
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: one(r, '[', '5', '', 'kind: Pod', 'apiVersion: v9', 'metadata: {name: other}', 'a: *b'),
    },
    codes: [400],
  }),
  (r) => ({
    method: 'PATCH',
    path: `${maps}/${word(r)}`,
    asked: { headers: { 'content-type': 'application/merge-patch+json' }, body: '{}' },
    codes: [404],
  }),
  // Deletions.
  (r) => ({
    method: 'DELETE',
    path: `${maps}/there?propagationPolicy=${one(r, 'background', word(r))}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'DELETE',
    path: `${maps}/there`,
    asked: {
      headers: json,
      body: one<object>(
        r,
        { kind: 'Pod' },
        { dryRun: ['x'] },
        { gracePeriodSeconds: 'soon' },
        { propagationPolicy: 'Orphan', orphanDependents: false },
        { preconditions: { resourceVersion: 'x' } },
        [],
      ),
    },
    codes: [400],
  }),
  (r) => ({
    method: 'DELETE',
    path: `${maps}/there?gracePeriodSeconds=${one(r, 'x', '1.5')}`,
    asked: {},
    codes: [400],
  }),
  (r) => ({
    method: 'DELETE',
    path: `${maps}/there`,
    asked: { headers: json, body: { preconditions: { uid: word(r) } } },
    codes: [409],
  }),
  // Parts.
  (r) => ({
    method: 'PUT',
    path: `${deployments}/d/scale`,
    asked: {
      headers: json,
      body: one<object>(
        r,
        [],
        { spec: { replicas: 'x' } },
        { spec: { replicas: 1.5 } },
        { kind: 'Pod' },
        { metadata: { name: word(r) } },
      ),
    },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: '/api/v1/namespaces/default/pods/p/binding',
    asked: { headers: json, body: one<object>(r, {}, { target: {} }, { target: { name: 5 } }, [word(r)]) },
    codes: [400],
  }),
  (r) => ({
    method: 'POST',
    path: `/api/v1/namespaces/default/pods/${word(r)}/eviction`,
    asked: { headers: json, body: {} },
    codes: [404],
  }),
];

test(`${count} malformed requests are each refused with the right code and a Status, and leave nothing behind`, async () => {
  await using gateway = await GatewayInProcess.start();
  await gateway.ask('POST', maps, { body: { ...good, metadata: { name: 'there' } } });
  const random = randomFrom(seed);
  const before = await gateway.ask('GET', `${maps}/there`);
  let heapBefore = 0;
  const wrong: unknown[] = [];
  for (let n = 0; n < count; n++) {
    const maker = makers[n % makers.length]!;
    const { method, path, asked, codes } = maker(random);
    const { code, json, body } = await gateway.ask(method, path, asked);
    const isStatus =
      json?.kind === 'Status' && json.status === 'Failure' && json.code === code && json.message && json.reason;
    if (!codes.includes(code) || !isStatus) wrong.push({ method, path, asked, code, body: body.slice(0, 300) });
    if (n === Math.floor(count / 2)) heapBefore = heapNow();
  }
  expect(wrong).toEqual([]);
  expect(await gateway.ask('GET', `${maps}/there`)).toMatchObject({ code: 200, body: before.body });
  // The second half costs as little memory as a gateway that has seen it all.
  expect(heapNow() - heapBefore).toBeLessThan(30 * 1024 * 1024);
});

test('a body that is too large is refused before it is read', async () => {
  await using gateway = await GatewayInProcess.start();
  const headers = { ...json, 'content-length': String(4 * 1024 * 1024) };
  const answer = await gateway.ask('POST', maps, { headers, body: 'x' });
  expect(answer).toMatchObject({ code: 413, json: { reason: 'RequestEntityTooLarge' } });
  expect((await gateway.ask('GET', '/livez')).code).toBe(200);
});

function heapNow(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

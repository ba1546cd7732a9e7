/** For tests: requests that can be read and that nobody in their senses sends. */
import { status } from '@grpc/grpc-js';
import {
  type ApplyRequest,
  CreateRequest,
  DeleteRequest,
  GetRequest,
  ListRequest,
  PatchRequest,
  ResourcesService,
  ApplyRequest as ApplyMessage,
  TransactRequest,
  UpdateRequest,
  WatchRequest,
  DeleteCollectionRequest,
} from '@navarch/proto';
import { resource } from '../api.fixture.ts';
import { configMap, deployment, pod } from '../pipeline/manifests.fixture.ts';
import type { Method } from './raw-client.fixture.ts';

export interface Absurdity {
  readonly what: string;
  readonly method: Method;
  readonly message: Buffer;
  readonly codes: readonly status[];
}

type Json = Record<string, unknown>;
type Codec = { fromJSON(json: unknown): unknown; encode(message: never): { finish(): Uint8Array } };
type Expected = status | readonly status[];

const { ABORTED, INVALID_ARGUMENT, NOT_FOUND, OK, OUT_OF_RANGE, RESOURCE_EXHAUSTED } = status;

function ask(method: Method, codec: Codec, fields: Json) {
  return (what: string, expected: Expected, over: Json): Absurdity => ({
    what,
    method,
    message: Buffer.from(codec.encode(codec.fromJSON({ ...fields, ...over }) as never).finish()),
    codes: [expected].flat(),
  });
}

const get = ask(ResourcesService.get, GetRequest, { resource: 'configmaps', namespace: 'default', name: 'here' });
const list = ask(ResourcesService.list, ListRequest, { resource: 'configmaps', namespace: 'default' });
const watch = ask(ResourcesService.watch, WatchRequest, {});
const patch = ask(ResourcesService.patch, PatchRequest, {
  resource: 'configmaps',
  namespace: 'default',
  name: 'here',
  type: 'TYPE_MERGE',
  patch: '{}',
});
const remove = ask(ResourcesService.delete, DeleteRequest, {
  resource: 'configmaps',
  namespace: 'default',
  name: 'here',
});
const removeAll = ask(ResourcesService.deleteCollection, DeleteCollectionRequest, {
  resource: 'configmaps',
  namespace: 'default',
});
const apply = (what: string, manifest: string): Absurdity =>
  ask(ResourcesService.apply, ApplyMessage, {} satisfies Partial<ApplyRequest>)(what, INVALID_ARGUMENT, { manifest });

/** A write of an object. What JSON can't say is put into the message itself. */
function write(method: 'create' | 'update', what: string, expected: Expected, object: ReturnType<typeof resource>) {
  const codec = method === 'create' ? CreateRequest : UpdateRequest;
  const message = Buffer.from(codec.encode({ ...codec.fromJSON({}), resource: object }).finish());
  return { what, method: ResourcesService[method], message, codes: [expected].flat() } satisfies Absurdity;
}

const huge = 'x'.repeat(1_000_000);
const nested = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);
const deepJson = (levels: number) => nested('[', ']', levels);
const manyKeys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, 'v']));
const bomb = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/metadata', path: `/metadata/b${i}` }));

const target = { resource: 'configmaps', namespace: 'default' };
const token = (text: string) => Buffer.from(text).toString('base64url');

export function absurdities(): readonly Absurdity[] {
  return [
    ...reads(),
    ...['labelSelector', 'fieldSelector'].flatMap((field) => selectors(field)),
    ...patches(),
    ...manifests(),
    ...objects(),
    remove('an unknown way to treat what it owns', INVALID_ARGUMENT, { propagation: 77 }),
    remove('a grace period below 0', INVALID_ARGUMENT, { gracePeriodSeconds: -1 }),
    remove('a revision below 0', ABORTED, { revision: '-1' }),
    removeAll('an unknown way to treat what they own', INVALID_ARGUMENT, { propagation: 77 }),
    removeAll('a grace period below 0', INVALID_ARGUMENT, { gracePeriodSeconds: -1 }),
  ];
}

function reads(): Absurdity[] {
  return [
    get('no kind', INVALID_ARGUMENT, { resource: '' }),
    get('a kind of a megabyte', NOT_FOUND, { resource: huge }),
    get('a kind from the prototype of all objects', NOT_FOUND, { resource: '__proto__' }),
    get('no namespace', INVALID_ARGUMENT, { namespace: '' }),
    get('a namespace of a kind that lives in none', INVALID_ARGUMENT, { resource: 'nodes' }),
    get('a name of a megabyte', NOT_FOUND, { name: huge }),
    get('a name that is a path', NOT_FOUND, { name: '../../secrets/default/here' }),
    get('a name with a zero in it', NOT_FOUND, { name: 'here\0' }),
    get('a name from the prototype of all objects', NOT_FOUND, { name: 'constructor' }),
    list('a limit below 0', INVALID_ARGUMENT, { limit: -1 }),
    ...['!', huge, token('x'), token('1/'), token(`${'9'.repeat(20)}/default/here`), token('-1/default/here')].map(
      (text) => list(`to go on after "${text.slice(0, 20)}"`, INVALID_ARGUMENT, { continue: text }),
    ),
    list('to go on in the future', OUT_OF_RANGE, { continue: token(`${'9'.repeat(19)}/default/here`) }),
    watch('nothing to watch', INVALID_ARGUMENT, {}),
    watch('a watch of no kind', INVALID_ARGUMENT, { targets: [{ resource: '' }] }),
    watch('a watch of ten thousand unknown kinds', NOT_FOUND, {
      targets: Array.from({ length: 10_000 }, (_, i) => ({ resource: `kind-${i}` })),
    }),
    watch('a watch of one kind ten thousand times', INVALID_ARGUMENT, {
      targets: Array.from({ length: 10_000 }, () => target),
    }),
    watch('a watch after a revision below 0', INVALID_ARGUMENT, { targets: [target], after: '-5' }),
    watch('a watch after the end of time', OUT_OF_RANGE, { targets: [target], after: '9223372036854775807' }),
  ];
}

function selectors(field: string): Absurdity[] {
  const texts =
    field === 'labelSelector'
      ? ['=', ',', 'a in', 'a in (', 'a in ()b', '(((((', 'a=b,,c=d', 'é=b', `${huge}=b`, `a=${huge}`, '!!a', 'a>b']
      : ['=', 'metadata.name', 'spec.nothing=1', `${huge}=b`, '\\', '__proto__=x', 'metadata.name~x'];
  return texts.flatMap((text) => {
    const what = `the ${field} "${text.slice(0, 20)}"`;
    return [
      list(what, INVALID_ARGUMENT, { [field]: text }),
      watch(what, INVALID_ARGUMENT, { targets: [{ ...target, [field]: text }] }),
      removeAll(what, INVALID_ARGUMENT, { [field]: text }),
    ];
  });
}

function patches(): Absurdity[] {
  const texts = ['', 'null', '[]', '"x"', '7', '{', '{"data":', huge, deepJson(100_000), '{"a":'.repeat(100_000)];
  const operations = (...list: unknown[]) => ({ type: 'TYPE_JSON', patch: JSON.stringify(list) });
  return [
    ...['TYPE_MERGE', 'TYPE_STRATEGIC'].flatMap((type) => [
      ...texts.map((text) => patch(`${type} "${text.slice(0, 20)}"`, INVALID_ARGUMENT, { type, patch: text })),
      ...wrongFields.map((fields) =>
        patch(`${type} ${JSON.stringify(fields).slice(0, 60)}`, INVALID_ARGUMENT, {
          type,
          patch: JSON.stringify(fields),
        }),
      ),
      patch(`${type} with a hundred thousand unknown fields`, INVALID_ARGUMENT, {
        type,
        patch: JSON.stringify(manyKeys(100_000)),
      }),
    ]),
    ...texts
      .filter((text) => text !== '[]')
      .map((text) => patch(`TYPE_JSON "${text.slice(0, 20)}"`, INVALID_ARGUMENT, { type: 'TYPE_JSON', patch: text })),
    ...['TYPE_MERGE', 'TYPE_STRATEGIC'].map((type) =>
      patch(`${type} of a prototype`, [INVALID_ARGUMENT, OK], { type, patch: '{"__proto__":{"x":1}}' }),
    ),
    patch('an unknown type of patch', INVALID_ARGUMENT, { type: 77 }),
    patch('no type of patch', INVALID_ARGUMENT, { type: 0 }),
    patch('an unknown subresource', INVALID_ARGUMENT, { subresource: 'soul' }),
    patch('a revision below 0', ABORTED, { revision: '-1' }),
    patch('operations that are none', INVALID_ARGUMENT, operations(1, null, 'x')),
    patch('an unknown operation', INVALID_ARGUMENT, operations({ op: 'explode', path: '/data' })),
    patch('an operation without a path', INVALID_ARGUMENT, operations({ op: 'add', value: 1 })),
    patch('a path that is no pointer', INVALID_ARGUMENT, operations({ op: 'add', path: 'data', value: 1 })),
    patch('a path to a prototype', INVALID_ARGUMENT, operations({ op: 'add', path: '/__proto__/x', value: 1 })),
    patch('copies of copies of copies', [INVALID_ARGUMENT, RESOURCE_EXHAUSTED], {
      type: 'TYPE_JSON',
      patch: JSON.stringify(bomb),
    }),
  ];
}

const wrongFields: readonly Json[] = [
  { data: 7 },
  { data: [] },
  { data: { a: { b: 'c' } } },
  { data: { a: 7 } },
  { metadata: [] },
  { metadata: { labels: { a: {} } } },
  { metadata: { labels: { 'not a label': 'x' } } },
  { metadata: { labels: { a: huge } } },
  { metadata: { finalizers: 'x' } },
  { metadata: { name: 'another' } },
  { kind: 'Pod' },
  { apiVersion: 7 },
  { [huge]: 1 },
  { constructor: { prototype: { x: 1 } } },
];

function manifests(): Absurdity[] {
  const sound = configMap('absurd');
  const texts = ['', 'null', '[]', '7', '{', huge, deepJson(100_000), '{"a":'.repeat(100_000)];
  return [
    ...texts.map((text) => apply(`the manifest "${text.slice(0, 20)}"`, text)),
    ...[
      { ...sound, kind: huge },
      { ...sound, kind: undefined },
      { ...sound, apiVersion: 'v77' },
    ].map((json, i) => apply(`no kind there is, number ${i}`, JSON.stringify(json))),
    ...wrongFields
      .filter(({ metadata }) => !(metadata instanceof Object && 'name' in metadata))
      .map((fields) => apply(JSON.stringify(fields).slice(0, 60), JSON.stringify({ ...sound, ...fields }))),
    ...[
      { replicas: '3' },
      { replicas: 1e99 },
      { replicas: 1.5 },
      { replicas: -1 },
      { strategy: { rollingUpdate: { maxSurge: [[[]]] } } },
      { strategy: { type: 'Sideways' } },
      { template: 'x' },
      { selector: { matchLabels: { app: huge } } },
    ].map((spec) => apply(JSON.stringify(spec).slice(0, 60), JSON.stringify(deployment('absurd', spec)))),
    apply('a name of a megabyte', JSON.stringify({ ...sound, metadata: { name: huge } })),
    apply('a name that is a path', JSON.stringify({ ...sound, metadata: { name: '../x' } })),
    apply(
      'a resourceVersion that is none',
      JSON.stringify({ ...sound, metadata: { name: 'x', resourceVersion: 'x' } }),
    ),
    apply('a hundred thousand unknown fields', JSON.stringify({ ...sound, ...manyKeys(100_000) })),
    apply(
      'a hundred thousand labels that are none',
      JSON.stringify({
        ...sound,
        metadata: { name: 'x', labels: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`-${i}`, 'x'])) },
      }),
    ),
  ];
}

function objects(): Absurdity[] {
  const surge = (value: unknown) => {
    const object = resource(deployment('absurd', { strategy: { rollingUpdate: {} } }));
    if (object.object?.$case === 'deployment') {
      const { rollingUpdate } = object.object.value.spec?.strategy ?? {};
      if (rollingUpdate !== undefined) rollingUpdate.maxSurge = value;
    }
    return object;
  };
  let deep: unknown = 1;
  for (let i = 0; i < 20; i++) deep = [deep];
  const revised = { ...resource(configMap('absurd')), revision: -1n };
  const none = { revision: 0n, object: undefined };
  const transact = ask(ResourcesService.transact, TransactRequest, {});
  const each = resource(configMap('each'));
  const writes = (count: number) =>
    Array.from({ length: count }, () => ({ write: { $case: 'create' as const, value: each } }));
  const transaction = (what: string, expected: Expected, message: TransactRequest): Absurdity => ({
    ...transact(what, expected, {}),
    message: Buffer.from(TransactRequest.encode(message).finish()),
  });
  const empty = { ...TransactRequest.fromJSON({}), atomic: true };
  return [
    write('create', 'no object', INVALID_ARGUMENT, none),
    write('update', 'no object', INVALID_ARGUMENT, none),
    write('create', 'a revision below 0', INVALID_ARGUMENT, revised),
    write('update', 'a revision below 0', ABORTED, { ...resource(configMap('here')), revision: -1n }),
    write('create', 'no metadata', INVALID_ARGUMENT, resource({ apiVersion: 'v1', kind: 'ConfigMap' })),
    write('create', 'a list where a number belongs', INVALID_ARGUMENT, surge([1])),
    write('create', 'lists in lists where a number belongs', INVALID_ARGUMENT, surge(deep)),
    write('create', 'an object where a number belongs', INVALID_ARGUMENT, surge({ a: { b: 'c' } })),
    write('create', 'no number', INVALID_ARGUMENT, surge(Number.NaN)),
    write('create', 'a name of a megabyte', INVALID_ARGUMENT, resource(pod(huge))),
    write('create', 'a name that is a path', INVALID_ARGUMENT, resource(pod('../x'))),
    write(
      'create',
      'a namespace that is a path',
      [INVALID_ARGUMENT, NOT_FOUND],
      resource({
        ...configMap('x'),
        metadata: { name: 'x', namespace: '../kube' },
      }),
    ),
    write(
      'create',
      'a generated name that is none',
      INVALID_ARGUMENT,
      resource({
        ...configMap('x'),
        metadata: { generateName: 'Not_A-Name-' },
      }),
    ),
    write(
      'create',
      'a hundred thousand keys',
      [INVALID_ARGUMENT, RESOURCE_EXHAUSTED],
      resource({
        ...configMap('x'),
        data: manyKeys(100_000),
      }),
    ),
    write(
      'create',
      'a hundred thousand labels',
      [INVALID_ARGUMENT, RESOURCE_EXHAUSTED],
      resource({
        ...configMap('x'),
        metadata: { name: 'x', labels: manyKeys(100_000) },
      }),
    ),
    write('create', 'two megabytes', INVALID_ARGUMENT, resource({ ...configMap('x'), data: { a: huge + huge } })),
    write('create', 'nine megabytes', RESOURCE_EXHAUSTED, resource({ ...configMap('x'), data: { a: huge.repeat(9) } })),
    transaction('an empty transaction', INVALID_ARGUMENT, empty),
    // What is wrong with each write stands in the answer, which is no error itself.
    transaction('a write that is none', OK, { ...empty, writes: [{ write: undefined }] }),
    transaction('a thousand writes', RESOURCE_EXHAUSTED, { ...empty, writes: writes(1_000) }),
    transaction('an object twice', OK, { ...empty, writes: writes(2) }),
  ];
}

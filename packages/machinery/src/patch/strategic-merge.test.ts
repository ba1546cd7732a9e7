import { expect, test } from 'vitest';
import type { JsonObject } from '../encode.ts';
import { messageSchema } from '../schema.ts';
import { strategicMerge } from './strategic-merge.ts';

const podSpec = messageSchema('navarch.core.v1.PodSpec');
const two: JsonObject = {
  containers: [
    { name: 'a', image: 'x', args: ['1'] },
    { name: 'b', image: 'y' },
  ],
  nodeSelector: { disk: 'ssd' },
};

test.each<{ name: string; patch: JsonObject; result: JsonObject }>([
  {
    name: 'merges items by their key and leaves the others',
    patch: { containers: [{ name: 'b', image: 'z' }] },
    result: {
      ...two,
      containers: [
        { name: 'a', image: 'x', args: ['1'] },
        { name: 'b', image: 'z' },
      ],
    },
  },
  {
    name: 'adds items that are new',
    patch: { containers: [{ name: 'c', image: 'z' }] },
    result: { ...two, containers: [...(two['containers'] as JsonObject[]), { name: 'c', image: 'z' }] },
  },
  {
    name: 'removes an item by its key',
    patch: { containers: [{ name: 'a', $patch: 'delete' }] },
    result: { ...two, containers: [{ name: 'b', image: 'y' }] },
  },
  {
    name: 'replaces a list',
    patch: { containers: [{ $patch: 'replace' }, { name: 'c' }] },
    result: { ...two, containers: [{ name: 'c' }] },
  },
  {
    name: 'replaces lists without a key',
    patch: { containers: [{ name: 'a', args: ['2', '3'] }] },
    result: {
      ...two,
      containers: [
        { name: 'a', image: 'x', args: ['2', '3'] },
        { name: 'b', image: 'y' },
      ],
    },
  },
  {
    name: 'merges maps, and null removes',
    patch: { nodeSelector: { disk: null, zone: 'z1' } },
    result: { ...two, nodeSelector: { zone: 'z1' } },
  },
  {
    name: 'replaces an object',
    patch: { nodeSelector: { $patch: 'replace', zone: 'z1' } },
    result: { ...two, nodeSelector: { zone: 'z1' } },
  },
  {
    name: 'removes an object',
    patch: { nodeSelector: { $patch: 'delete' } },
    result: { containers: two['containers'] ?? [] },
  },
])('$name', ({ patch, result }) => expect(strategicMerge(podSpec, two, patch)).toEqual(result));

test.each<{ name: string; patch: JsonObject; result: JsonObject }>([
  {
    name: '$retainKeys removes the other fields of an object',
    patch: { securityContext: { $retainKeys: ['runAsUser'], runAsUser: 2 } },
    result: { securityContext: { runAsUser: 2 } },
  },
  {
    name: '$retainKeys alone keeps what it names',
    patch: { securityContext: { $retainKeys: ['runAsGroup'] } },
    result: { securityContext: { runAsGroup: 1 } },
  },
  {
    name: '$retainKeys goes together with removing a field',
    patch: { securityContext: { $retainKeys: ['runAsGroup'], runAsUser: null } },
    result: { securityContext: { runAsGroup: 1 } },
  },
])('$name', ({ patch, result }) => {
  const target = { securityContext: { runAsUser: 1, runAsGroup: 1 } };
  expect(strategicMerge(podSpec, target, patch)).toEqual(result);
});

const named = (...names: string[]) => names.map((name) => ({ name }));

test.each<{ name: string; before: string[]; patch: JsonObject; after: string[] }>([
  {
    name: 'orders the items of a list',
    before: ['a', 'b', 'c'],
    patch: { '$setElementOrder/containers': named('c', 'a', 'b') },
    after: ['c', 'a', 'b'],
  },
  {
    name: 'puts a new item where the order says',
    before: ['a', 'b'],
    patch: { '$setElementOrder/containers': named('a', 'x', 'b'), containers: named('x') },
    after: ['a', 'x', 'b'],
  },
  {
    name: 'leaves items that the order does not name before what they stood before',
    before: ['other', 'a', 'b', 'last'],
    patch: { '$setElementOrder/containers': named('b', 'a') },
    after: ['other', 'b', 'a', 'last'],
  },
  {
    name: 'does not mind names of items that are not there',
    before: ['a', 'b'],
    patch: { '$setElementOrder/containers': named('gone', 'b', 'a') },
    after: ['b', 'a'],
  },
  {
    name: 'goes together with removing an item',
    before: ['a', 'b', 'c'],
    patch: { '$setElementOrder/containers': named('c', 'a'), containers: [{ name: 'b', $patch: 'delete' }] },
    after: ['c', 'a'],
  },
])('$setElementOrder $name', ({ before, patch, after }) => {
  expect(strategicMerge(podSpec, { containers: named(...before) }, patch)).toEqual({ containers: named(...after) });
});

const metadata = messageSchema('navarch.meta.v1.ObjectMeta');

test.each<{ name: string; patch: JsonObject; after: string[] }>([
  { name: 'gains what it lacks', patch: { finalizers: ['x/b', 'x/c'] }, after: ['x/a', 'x/b', 'x/c'] },
  { name: 'loses what is deleted', patch: { '$deleteFromPrimitiveList/finalizers': ['x/a', 'x/z'] }, after: ['x/b'] },
  {
    name: 'loses and gains',
    patch: { '$deleteFromPrimitiveList/finalizers': ['x/a'], finalizers: ['x/c'] },
    after: ['x/b', 'x/c'],
  },
  {
    name: 'has the order asked for',
    patch: { '$setElementOrder/finalizers': ['x/c', 'x/b', 'x/a'], finalizers: ['x/c'] },
    after: ['x/c', 'x/b', 'x/a'],
  },
])('a set $name', ({ patch, after }) => {
  expect(strategicMerge(metadata, { finalizers: ['x/a', 'x/b'] }, patch)).toEqual({ finalizers: after });
});

test.each<{ patch: JsonObject; problem: string }>([
  { patch: { $patch: 'explode' }, problem: '$patch must be merge, replace or delete' },
  { patch: { $what: 1 }, problem: 'there is no patch directive $what' },
  { patch: { containers: [{ image: 'x' }] }, problem: 'containers: each item must have "name"' },
  { patch: { $retainKeys: 'all' }, problem: '$retainKeys must be a list' },
  { patch: { securityContext: { $retainKeys: [], runAsUser: 1 } }, problem: 'securityContext: sets runAsUser' },
  { patch: { '$setElementOrder/containers': 'a' }, problem: 'must be a list' },
  { patch: { '$setElementOrder/containers': ['a'] }, problem: 'each item must have "name"' },
  { patch: { '$setElementOrder/hostNetwork': [] }, problem: 'hostNetwork: $setElementOrder is for lists' },
  {
    patch: { '$setElementOrder/containers': named('a'), containers: named('b') },
    problem: 'must name every item that the patch sets',
  },
  {
    patch: { '$setElementOrder/containers': named('a', 'b'), containers: named('b', 'a') },
    problem: 'in the same order',
  },
  {
    patch: { '$deleteFromPrimitiveList/containers': ['a'] },
    problem: 'containers: $deleteFromPrimitiveList is for lists that are sets',
  },
  { patch: { containers: [{ name: 'a', env: [{ name: 'x', $nothing: 1 }] }] }, problem: 'containers.a.env.x' },
])('refuses $patch', ({ patch, problem }) => {
  expect(() => strategicMerge(podSpec, two, patch)).toThrow(
    expect.objectContaining({ reason: 'BadRequest', message: expect.stringContaining(problem) }),
  );
});

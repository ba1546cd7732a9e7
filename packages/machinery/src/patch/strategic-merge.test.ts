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

test('says what it can not do', () => {
  expect(() => strategicMerge(podSpec, two, { $patch: 'explode' })).toThrow('$patch must be');
  expect(() => strategicMerge(podSpec, two, { containers: [{ image: 'x' }] })).toThrow('must have "name"');
  expect(() => strategicMerge(podSpec, two, { $retainKeys: [] })).toThrow('not supported');
});

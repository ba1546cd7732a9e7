import { pod } from '@navarch/kinds';
import { Pod, Resource } from '@navarch/proto';
import { expect, test } from 'vitest';
import { encodeBody, type WritableObject } from './object-rules.ts';
import { timestamp } from './pipeline.ts';

const named = (name: string, spec: object = {}) => Pod.fromJSON({ metadata: { name }, spec }) as WritableObject;
const nameIn = (body: Uint8Array) => {
  const { object } = Resource.decode(body);
  return object?.$case === 'pod' ? object.value.metadata?.name : undefined;
};

test('bodies are each their own, also after an object that can not be encoded', () => {
  const first = encodeBody(pod, named('a'));
  const second = encodeBody(pod, named('b'));
  expect([first, second].map(nameIn)).toEqual(['a', 'b']);
  expect(() => encodeBody(pod, named('c', { terminationGracePeriodSeconds: 2 ** 40 }))).toThrow('invalid int32');
  expect(Buffer.compare(encodeBody(pod, named('a')), first)).toBe(0);
});

test('times are in whole seconds', () => {
  expect([0, 999, 1000, 999].map(timestamp)).toEqual([
    '1970-01-01T00:00:00Z',
    '1970-01-01T00:00:00Z',
    '1970-01-01T00:00:01Z',
    '1970-01-01T00:00:00Z',
  ]);
});

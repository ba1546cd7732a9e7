import { ObjectMeta } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeFieldValue, parseFieldSelector, requiredFieldValues } from './field-selector.ts';

const object = (name: string, node = '') => ({ metadata: ObjectMeta.create({ name, namespace: 'default' }), node });
const fields = { 'spec.nodeName': ({ node }: ReturnType<typeof object>) => node };

test.each([
  ['', true],
  ['metadata.name=web', true],
  ['metadata.name==web,metadata.namespace=default', true],
  ['metadata.name!=web', false],
  ['spec.nodeName=', false],
  ['spec.nodeName=n1', true],
  ['spec.nodeName=n2', false],
])('%s: %s', (text, chosen) => expect(parseFieldSelector(text, fields)(object('web', 'n1'))).toBe(chosen));

test('a field that can not be selected by is named, with what was meant', () => {
  expect(() => parseFieldSelector('spec.nodename=x', fields)).toThrow('did you mean "spec.nodeName"?');
  expect(() => parseFieldSelector('toString=x', fields)).toThrow('can not be selected');
  expect(() => parseFieldSelector('metadata.name', fields)).toThrow('expected field=value');
});

test.each(['\\', 'metadata.name=web,\\', 'metadata.name=web\\'])('%s ends within an escape', (text) => {
  expect(() => parseFieldSelector(text, fields)).toThrow('nothing follows the last');
});

test('any value can be escaped', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      fc.pre(name.trim() === name);
      const text = `metadata.name=${escapeFieldValue(name)}`;
      expect(parseFieldSelector(text, fields)(object(name))).toBe(true);
      expect(requiredFieldValues(text).get('metadata.name')).toBe(name);
    }),
  );
});

test('only equality says which value a field must have', () => {
  expect([...requiredFieldValues('spec.nodeName=n1,metadata.name!=x')]).toEqual([['spec.nodeName', 'n1']]);
});

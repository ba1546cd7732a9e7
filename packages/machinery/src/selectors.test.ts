import { LabelSelector } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLabelSelector, labelSelectorPredicate, parseLabelSelector } from './selectors.ts';

const web = { app: 'web', tier: 'front', build: '7' };

describe('parseLabelSelector', () => {
  test.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    [' app = web , tier != back ', true],
    ['app=api', false],
    ['app!=api', true],
    ['missing!=x', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['app in (api, web)', true],
    ['app in(api)', false],
    ['app notin (api)', true],
    ['missing notin (x)', true],
    ['build>6,build<8', true],
    ['build>7', false],
    ['app>1', false],
    ['empty=', false],
    ['example.com/in=x', false],
  ])('%s: %s', (text, chosen) => expect(parseLabelSelector(text)(web)).toBe(chosen));

  test.each([
    ['app in', 'at the end): expected "("'],
    ['app in (a', 'expected ")"'],
    ['a=b,', 'expected another condition'],
    ['=x', 'character 1'],
    ['a b', 'character 3 (at "b"): expected ","'],
    ['a=b c', 'expected ","'],
    ['-a=b', 'expected a label'],
    ['a>b', 'expected a whole number'],
    ['a=b/c', 'expected a label value'],
  ])('%s is refused: %s', (text, message) => expect(() => parseLabelSelector(text)).toThrow(message));

  test('inherited properties are no labels', () => expect(parseLabelSelector('constructor')({})).toBe(false));
});

test('a missing selector chooses nothing, an empty one everything', () => {
  expect(labelSelectorPredicate(undefined)(web)).toBe(false);
  expect(labelSelectorPredicate(LabelSelector.create())({})).toBe(true);
});

test('a selector and its text choose the same', () => {
  const name = fc.constantFrom('app', 'tier', 'in', 'notin', 'example.com/x');
  const value = fc.constantFrom('', 'a', 'b', 'in');
  const requirement = fc.oneof(
    fc.record({
      key: name,
      operator: fc.constantFrom('In', 'NotIn'),
      values: fc.array(value, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ key: name, operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constant<string[]>([]) }),
  );
  const selector = fc.record({
    matchLabels: fc.dictionary(name, value, { noNullPrototype: true }),
    matchExpressions: fc.array(requirement, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(selector, fc.dictionary(name, value, { noNullPrototype: true }), (chosen, labels) => {
      const parsed = parseLabelSelector(formatLabelSelector(chosen));
      expect(parsed(labels)).toBe(labelSelectorPredicate(chosen)(labels));
    }),
  );
});

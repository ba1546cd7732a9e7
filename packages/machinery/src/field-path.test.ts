import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPath, parsePath } from './field-path.ts';

test('is spelled as in errors', () => {
  expect(formatPath(['spec', 'containers', 0, 'image'])).toBe('spec.containers[0].image');
  expect(formatPath(['metadata', 'labels', 'example.com/tier'])).toBe('metadata.labels[example.com/tier]');
});

test('can be read back, whatever the keys', () => {
  const step = fc.oneof(fc.nat(), fc.string(), fc.constantFrom('0', 'a]b', 'a"b', '', 'x.y', '[', '__proto__'));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      expect(parsePath(formatPath(steps))).toEqual(steps);
    }),
  );
});

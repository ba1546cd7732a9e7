import { expect, test } from 'vitest';
import { childNames, shortHash } from './child-name.ts';

const owner = { name: 'web', uid: 'u1' };

test('gives as many names as asked, all different, none taken', () => {
  const [first = ''] = childNames(owner, 1, new Set());
  const names = childNames(owner, 300, new Set([first]));
  expect(new Set(names).size).toBe(300);
  expect(names).not.toContain(first);
});

test('are valid names whatever the owner is called', () => {
  const [name = ''] = childNames({ name: 'x'.repeat(253), uid: 'u' }, 1, new Set());
  expect(name.length).toBeLessThanOrEqual(253);
});

test('a hash has the length asked for and no vowels', () => {
  expect(shortHash('anything', 10)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
});

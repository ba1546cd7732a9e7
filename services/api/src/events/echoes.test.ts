import { expect, test } from 'vitest';
import { Echoes } from './echoes.ts';

const [one, two, three] = [Buffer.from('1'), Buffer.from('2'), Buffer.from('3')];

test('an own message is stale while a newer one is on its way', () => {
  const echoes = new Echoes();
  echoes.expect('a', one);
  echoes.expect('a', two);
  expect(echoes.isStale('b', one)).toBe(false);
  expect(echoes.isStale('a', three)).toBe(false);
  expect(echoes.isStale('a', Buffer.from(one))).toBe(true);
  expect(echoes.isStale('a', two)).toBe(false);
  expect(echoes.isStale('a', one)).toBe(false);
});

test('one that was replaced before it was read, or never sent, is not waited for', () => {
  const echoes = new Echoes();
  for (const payload of [one, two, three]) echoes.expect('a', payload);
  expect(echoes.isStale('a', two)).toBe(true);
  echoes.forget('a', three);
  expect(echoes.isStale('a', one)).toBe(false);
  expect(echoes.isStale('a', three)).toBe(false);
});

import { expect, test } from 'vitest';
import { uidFrom } from './uid.ts';

test.each([
  { random: 0, uid: '00000000-0000-4000-8000-000000000000' },
  { random: 0.999999, uid: 'ffffffff-ffff-4fff-bfff-ffffffffffff' },
])('a uid has the form of RFC 9562, version 4: $uid', ({ random, uid }) => {
  expect(uidFrom(() => random)).toBe(uid);
});

test('numbers make it', () => {
  let i = 0;
  expect(uidFrom(() => i++ / 256)).toBe('00010203-0405-4607-8809-0a0b0c0d0e0f');
});

import { VirtualClock } from '@navarch/kit';
import { expect, test } from 'vitest';
import { SignsOfLife } from './signs-of-life.ts';

const said = { ready: true, message: '' };

test('counts from the last sign, and from our own start for those never heard', async () => {
  const clock = new VirtualClock();
  const signs = new SignsOfLife(clock);
  await clock.advance(10_000);
  signs.heartbeat('a', said);
  await clock.advance(5_000);
  expect(signs.of('a')).toEqual({ silentForMs: 5_000, heard: true, said });
  expect(signs.of('b')).toEqual({ silentForMs: 15_000, heard: false, said: undefined });
});

test('gives everybody a fresh grace period', async () => {
  const clock = new VirtualClock();
  const signs = new SignsOfLife(clock);
  signs.heartbeat('a', said);
  await clock.advance(60_000);
  signs.freshGrace();
  await clock.advance(1_000);
  expect(signs.of('a')).toEqual({ silentForMs: 1_000, heard: false, said });
  signs.heartbeat('a', said);
  expect(signs.of('a').heard).toBe(true);
});

test('a renewed Lease is a sign, and does not contradict a heartbeat of just now', async () => {
  const clock = new VirtualClock();
  const signs = new SignsOfLife(clock);
  signs.heartbeat('a', { ready: false, message: 'no' });
  await clock.advance(10_000);
  signs.renewed('a');
  expect(signs.of('a')).toEqual({ silentForMs: 0, heard: true, said: { ready: false, message: 'no' } });
  signs.renewed('b');
  expect(signs.of('b')).toEqual({ silentForMs: 0, heard: true, said: undefined });
});

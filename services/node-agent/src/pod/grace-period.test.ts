import { expect, test } from 'vitest';
import { graceLeft, longestRemovalMs } from './grace-period.ts';

test.each([
  { graceSeconds: 30, longestMs: 10_000 },
  { graceSeconds: 5, longestMs: 2_500 },
  { graceSeconds: 0, longestMs: 0 },
])('of $graceSeconds s a Pod waits at most $longestMs ms to be left out of Services', ({ graceSeconds, longestMs }) => {
  expect(longestRemovalMs(graceSeconds)).toBe(longestMs);
});

test.each([
  { graceSeconds: 30, usedMs: 950, left: 30 },
  { graceSeconds: 30, usedMs: 10_500, left: 20 },
  { graceSeconds: 1, usedMs: 1_200, left: 1 },
  { graceSeconds: 0, usedMs: 0, left: 0 },
])('after $usedMs ms of $graceSeconds s there are $left left', ({ graceSeconds, usedMs, left }) => {
  expect(graceLeft(graceSeconds, usedMs)).toBe(left);
});

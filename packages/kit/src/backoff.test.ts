import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Backoff, backoffDelayMs, retry } from './backoff.ts';
import { VirtualClock } from './clock.ts';

describe('Backoff', () => {
  test('grows to its limit, and begins again after a reset', () => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1000, jitter: 0 });
    expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(backoff.failures).toBe(6);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  test('stays within its limits for any number of failures', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, chance) => {
        const delay = backoffDelayMs(failures, { baseMs: 100, maxMs: 1000, jitter: 0.2, random: () => chance });
        expect(delay).toBeGreaterThanOrEqual(80);
        expect(delay).toBeLessThanOrEqual(1000);
      }),
    );
  });
});

describe('retry', () => {
  const options = () => {
    const abort = new AbortController();
    const clock = new VirtualClock();
    const delays: number[] = [];
    const backoff = new Backoff({ baseMs: 10, maxMs: 100, jitter: 0 });
    const onError = (_: unknown, delayMs: number) => void delays.push(delayMs);
    return { abort, clock, delays, backoff, signal: abort.signal, onError };
  };

  test('goes on until it succeeds', async () => {
    const given = options();
    let tries = 0;
    const result = retry(async () => {
      if (++tries < 4) throw new Error('not yet');
      return tries;
    }, given);
    await given.clock.advance(1000);
    expect(await result).toBe(4);
    expect(given.delays).toEqual([10, 20, 40]);
  });

  test('ends with the signal, or when the listener throws', async () => {
    const given = options();
    const failing = () => Promise.reject(new Error('no'));
    const aborted = retry(failing, given);
    await given.clock.advance(15);
    given.abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const onError = (error: unknown) => {
      throw error;
    };
    await expect(retry(failing, { ...options(), onError })).rejects.toThrow('no');
  });
});

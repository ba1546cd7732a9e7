import { VirtualClock } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../http/exchange.ts';
import { readTarget } from '../routes/target.ts';
import { FairShares } from './fair-shares.ts';
import { fairnessFilter, isLongRunning } from './fairness-filter.ts';

const limits = { inFlight: 4, queuedPerUser: 100, queued: 1_000 };

describe('shares', () => {
  test('of somebody modest come next, however much a greedy one wants', () => {
    const shares = new FairShares<string>(limits);
    for (let i = 0; i < 50; i++) shares.arrive('greedy', `g${i}`);
    expect(shares.arrive('modest', 'm')).toBe('wait');
    expect(shares.done('greedy')).toBe('m');
    expect(shares.done('greedy')).toBe('g4');
  });

  test('of those who all want much are equal', () => {
    const shares = new FairShares<string>(limits);
    for (const user of ['a', 'b']) for (let i = 0; i < 20; i++) shares.arrive(user, user);
    // 'a' came first and has all places; each that is done makes room.
    const running = ['a', 'a', 'a', 'a'];
    const served = Array.from({ length: 12 }, () => {
      const next = shares.done(running.shift() ?? '') ?? '';
      running.push(next);
      return next;
    });
    expect(served.join('')).toBe('bbaabbaabbaa');
  });

  test('are refused beyond what may wait', () => {
    const shares = new FairShares<string>({ inFlight: 1, queuedPerUser: 2, queued: 3 });
    const asked = ['a', 'a', 'a', 'a', 'b', 'b'].map((user) => shares.arrive(user, user));
    expect(asked).toEqual(['run', 'wait', 'wait', 'refuse', 'wait', 'refuse']);
  });

  test('never exceed the limits, and nobody who may wait is forgotten', () => {
    const step = fc.record({ arrives: fc.boolean(), user: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const shares = new FairShares<{ user: string }>({ inFlight: 3, queuedPerUser: 5, queued: 10 });
        const running: string[] = [];
        let waiting = 0;
        const finish = (at: number) => {
          const [user] = running.splice(at, 1);
          const next = user === undefined ? undefined : shares.done(user);
          if (next === undefined) return;
          running.push(next.user);
          waiting--;
        };
        for (const { arrives, user } of steps) {
          if (!arrives) finish(running.indexOf(user) < 0 ? running.length : running.indexOf(user));
          else {
            const what = shares.arrive(user, { user });
            if (what === 'run') running.push(user);
            if (what === 'wait') waiting++;
          }
          expect(shares.running).toBe(running.length);
          expect(running.length <= 3 && waiting <= 10).toBe(true);
          // Nobody waits while there is a place.
          expect(waiting === 0 || running.length === 3).toBe(true);
        }
        while (running.length > 0) finish(0);
        expect({ running: shares.running, queued: shares.queued }).toEqual({ running: 0, queued: 0 });
      }),
    );
  });
});

describe('the filter', () => {
  const exchange = (user: string, path = '/api/v1/pods', method = 'GET') => {
    const query = new URLSearchParams(path.split('?')[1]);
    const target = readTarget(method, path.split('?')[0] ?? '', query);
    const signal = new AbortController().signal;
    return { identity: { user }, target, query, signal } as unknown as Exchange; // what the filter looks at
  };

  test('a greedy user does not delay another by more than one request', async () => {
    const clock = new VirtualClock();
    const filter = fairnessFilter({ ...limits, waitMs: 15_000, clock });
    const work = () => clock.sleep(100);
    const greedy = Array.from({ length: 80 }, () => filter(exchange('greedy'), work));
    const began = clock.now();
    let took = Number.NaN;
    const modest = filter(exchange('modest'), work).then(() => (took = clock.now() - began));
    await clock.advance(300);
    await modest;
    expect(took).toBeLessThanOrEqual(200);
    await clock.advance(10_000);
    await Promise.all(greedy);
  });

  test('who gets no place in time is told to come again', async () => {
    const clock = new VirtualClock();
    const filter = fairnessFilter({ ...limits, inFlight: 1, waitMs: 1_000, clock });
    const first = filter(exchange('a'), () => clock.sleep(5_000));
    const second = filter(exchange('b'), async () => {}).catch((error: unknown) => error);
    await clock.advance(1_500);
    const refused = await second;
    expect(isApiError(refused, 'TooManyRequests') && refused.retryAfterSeconds).toBe(1);
    await clock.advance(5_000);
    await first;
    await filter(exchange('b'), async () => {});
  });

  test.each([
    ['/api/v1/pods?watch=1', true],
    ['/api/v1/namespaces/a/pods/b/log?follow=true', true],
    ['/api/v1/namespaces/a/pods/b/log', false],
    ['/api/v1/namespaces/a/pods/b/exec', true],
    ['/livez', true],
    ['/api', false],
  ])('%s lasts as long as its client likes: %s', (path, expected) => {
    expect(isLongRunning(exchange('a', path))).toBe(expected);
  });
});

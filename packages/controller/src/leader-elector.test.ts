import { createLogger, VirtualClock } from '@navarch/kit';
import { isApiError } from '@navarch/machinery';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeApi } from './fake-api.fixture.ts';
import { LeaderElector, type LeaseClient } from './leader-elector.ts';
import type { Term } from './term.ts';

const logger = createLogger({ name: 'test', level: 'silent' });
const running: AbortController[] = [];
afterEach(() => {
  for (const candidate of running.splice(0)) candidate.abort();
});

/** A process that stands for election; `leads` is its present term. */
const times = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

function candidate(identity: string, api: FakeApi, clock: VirtualClock, lead?: (term: Term) => Promise<void>) {
  const abort = new AbortController();
  running.push(abort);
  const terms: Term[] = [];
  const client = api.asLeaseClient();
  const elector = new LeaderElector({ client, name: 'work', identity, clock, logger, ...times });
  const ended = elector.run(
    lead ??
      (async (term) => {
        terms.push(term);
        await new Promise((resolve) => {
          term.signal.addEventListener('abort', resolve);
          if (term.signal.aborted) resolve(undefined);
        });
      }),
    abort.signal,
  );
  return { elector, terms, ended, stop: () => abort.abort(), leads: () => elector.leading };
}

describe('LeaderElector', () => {
  test('lets the first one lead, and gives its writes a fence', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const one = candidate('one', api, clock);
    await clock.advance(0);
    const two = candidate('two', api, clock);
    await clock.advance(60_000);
    expect([one.leads(), two.leads()]).toEqual([true, false]);
    expect(api.lease('work')?.spec).toMatchObject({
      holderIdentity: 'one',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
    });
    expect(one.terms[0]?.fence()).toEqual({
      leaseNamespace: 'navarch-system',
      leaseName: 'work',
      holderIdentity: 'one',
      transitions: 0,
    });
    expect(one.terms).toHaveLength(1);
  });

  test('hands over at once when the leader stops, after its work has ended', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const working = Promise.withResolvers<void>();
    const one = candidate('one', api, clock, () => working.promise);
    await clock.advance(0);
    const two = candidate('two', api, clock);
    await clock.advance(5000);
    one.stop();
    await clock.advance(3000);
    expect(two.leads()).toBe(false);
    working.resolve();
    await clock.advance(1);
    expect(two.leads()).toBe(true);
    await one.ended;
    expect(two.terms[0]?.fence()).toMatchObject({ holderIdentity: 'two', transitions: 2 - 1 });
    expect(two.terms[0]?.revision).toBeGreaterThan(1n);
  });

  test('waits for as long as the lease of a silent leader holds', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const dead = candidate(
      'dead',
      cutOff(api, () => true),
      clock,
    );
    await clock.advance(0);
    const silenced = api.lease('work');
    expect(silenced?.spec.holderIdentity).toBe('dead');
    const next = candidate('next', api, clock);
    await clock.advance(15_000);
    expect(next.leads()).toBe(false);
    await clock.advance(2_001);
    expect(next.leads()).toBe(true);
    expect(dead.leads()).toBe(false);
    expect(api.lease('work')?.spec.leaseTransitions).toBe(1);
  });

  test('ends a term that cannot be renewed before another may begin, and stands again', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const one = candidate('one', api, clock);
    await clock.advance(4_500);
    api.down = true;
    await clock.advance(9_000);
    expect(one.leads()).toBe(true);
    await clock.advance(1_000);
    expect(one.leads()).toBe(false);
    expect(() => one.terms[0]?.fence()).toThrow('no longer holds the lease');
    api.down = false;
    await clock.advance(2_000);
    expect(one.leads()).toBe(true);
    expect(one.terms).toHaveLength(2);
  });

  test('two never lead at once, whatever fails', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const cut = new Set<string>();
    const names = ['one', 'two', 'three'];
    const all = names.map((name) =>
      candidate(
        name,
        cutOff(api, () => cut.has(name), true),
        clock,
      ),
    );
    let changes = 0;
    let last: string | undefined;
    for (let second = 0; second < 600; second++) {
      // Each is cut off for a while, in turn and sometimes together.
      for (const [i, name] of names.entries()) {
        if (Math.sin(second / 11 + i * 2) > 0.3) cut.add(name);
        else cut.delete(name);
      }
      if (second % 17 === 0) api.loseNextAnswer = true;
      await clock.advance(1000);
      const leaders = names.filter((_, i) => all[i]?.leads());
      expect(leaders.length).toBeLessThan(2);
      if (leaders[0] && leaders[0] !== last) changes++;
      last = leaders[0] ?? last;
    }
    expect(changes).toBeGreaterThan(3);
  });

  test('goes on when the answer to a renewal was lost', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const one = candidate('one', api, clock);
    await clock.advance(1000);
    api.loseNextAnswer = true;
    await clock.advance(30_000);
    expect(one.terms).toHaveLength(1);
    expect(one.leads()).toBe(true);
  });

  test('goes on when the answer to taking the lease was lost', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    api.loseNextAnswer = true;
    const one = candidate('one', api, clock);
    await clock.advance(2500);
    expect(one.leads()).toBe(true);
    expect(api.lease('work')?.spec.leaseTransitions).toBe(0);
  });

  test('ends the term when somebody else took the lease, or deleted it', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const one = candidate('one', api, clock);
    await clock.advance(100);
    const lease = api.lease('work');
    if (!lease) throw new Error('no lease');
    await api.update({} as never, { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } } as never);
    await clock.advance(2_100);
    expect(one.leads()).toBe(false);
    await clock.advance(30_000);
    expect(one.leads()).toBe(true);
    api.delete('navarch-system/work');
    await clock.advance(6_000);
    expect(one.terms.map(({ lost }) => lost)).toEqual(['thief holds the lease', 'the lease was deleted', undefined]);
    expect(one.leads()).toBe(true);
  });

  test('tells a leader that slept past its deadline, before any timer does', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const one = candidate('one', api, clock);
    await clock.advance(100);
    const term = one.terms[0];
    clock.monotonicMs = () => 60_000; // the process was paused, and goes on
    let thrown: unknown;
    try {
      term?.fence();
    } catch (error) {
      thrown = error;
    }
    expect(isApiError(thrown, 'Fenced')).toBe(true);
    expect(term?.signal.aborted).toBe(true);
  });

  test('ends with the work’s own error, and gives the lease back', async () => {
    const [api, clock] = [new FakeApi(), new VirtualClock()];
    const one = candidate('one', api, clock, async () => {
      throw new Error('a bug');
    });
    await expect(one.ended).rejects.toThrow('a bug');
    expect(api.lease('work')?.spec.holderIdentity).toBe('');
  });

  test('refuses durations that would let two lead', () => {
    const options = { client: {} as LeaseClient, name: 'x', identity: 'x', logger };
    expect(() => new LeaderElector({ ...options, leaseMs: 10_000, renewDeadlineMs: 10_000 })).toThrow(
      'renewDeadlineMs < leaseMs',
    );
  });
});

/** The api as seen by a process whose writes (after its first, unless `always`) fail while `isCut`. */
function cutOff(api: FakeApi, isCut: () => boolean, always = false): FakeApi {
  let writes = 0;
  return new Proxy(api, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property === 'asLeaseClient') return () => cutClient();
      return value;
    },
  });
  function cutClient(): LeaseClient {
    const guard =
      (method: 'create' | 'update' | 'get') =>
      async (...args: readonly unknown[]) => {
        const down = isCut() && (always || (method !== 'get' && writes > 0));
        if (method !== 'get') writes++;
        const own = api.down;
        api.down ||= down;
        // The fake checks at the beginning of a call, and takes what the real client takes.
        const result = (api[method] as (...args: unknown[]) => Promise<unknown>).apply(api, [...args]);
        api.down = own;
        return await result;
      };
    const client = { get: guard('get'), create: guard('create'), update: guard('update'), watch: api.watch.bind(api) };
    return client as unknown as LeaseClient;
  }
}

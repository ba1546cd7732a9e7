import { setTimeout as delay } from 'node:timers/promises';
import { isApiError } from '@navarch/machinery';
import { type EtcdServer, startEtcd, TcpProxy, waitFor } from '@navarch/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EtcdStore } from './etcd-store.ts';
import { committed, line, lines, put, remove, watched, when, write } from './observe.fixture.ts';
import type { Store, StoreEvent } from './store.ts';

let server: EtcdServer;
/** Straight to etcd: what really happened. */
let direct: EtcdStore;
let proxy: TcpProxy;
/** Through the proxy: what the test does harm to. */
let store: EtcdStore;
let reconnects = 0;
let prefix = '';
let tests = 0;

beforeAll(async () => {
  server = await startEtcd({ fsync: true });
  direct = new EtcdStore({ endpoints: server.endpoint });
}, 30_000);
afterAll(async () => {
  await direct.close();
  await server.stop();
});
beforeEach(async () => {
  prefix = `/faults/${tests++}/`;
  reconnects = 0;
  proxy = await TcpProxy.start(server.endpoint);
  store = new EtcdStore({
    endpoints: proxy.endpoint,
    deadlineMs: 1_000,
    observer: { reconnect: () => void reconnects++ },
  });
});
afterEach(async () => {
  await store.close();
  await proxy.stop();
});

describe('a watch with a backlog of 10,000 events and more than 4 MiB', () => {
  const kilobyte = 'x'.repeat(1_000);
  let after = 0n;
  let until = 0n;
  let expected: string[] = [];

  beforeAll(async () => {
    after = await direct.revision();
    // Revisions of all sizes: alone, in pairs, and groups that etcd splits over two fragments.
    const writes = Array.from({ length: 8_000 }, (_, i) =>
      direct.commit(write(...(i % 4 === 0 ? [put(`/backlog/${i}/a`, kilobyte)] : []), put(`/backlog/${i}`, kilobyte))),
    );
    until = (await Promise.all(writes.map(committed))).reduce((a, b) => (a > b ? a : b));
    expected = lines(await watched(direct, '/backlog/', { after, until }));
  }, 30_000);

  test('the backlog is what it should be', () => {
    expect(expected).toHaveLength(10_000);
    expect(new Set(expected).size).toBe(10_000);
  });

  test.each([
    { name: 'right after it is created', cuts: [150] },
    { name: 'in the middle of a fragment', cuts: [1_200_000] },
    {
      name: 'between and within fragments, again and again',
      cuts: [1_600_000, 1_700_000, 300, 2_500_000, 40, 1_800_000],
    },
  ])('loses and doubles nothing when it is cut $name', async ({ cuts }) => {
    const cutting = (async () => {
      for (const bytes of cuts) await proxy.cutAfter(bytes, 'toClient');
    })();
    expect(lines(await watched(store, '/backlog/', { after, until }))).toEqual(expected);
    await cutting;
    expect(reconnects).toBeGreaterThanOrEqual(1);
  });

  test('comes whole to a reader who stops until nothing moves any more', async () => {
    let stopped = false;
    const batches = await watched(store, '/backlog/', {
      after,
      until,
      onBatch: async () => {
        if (stopped) return;
        stopped = true;
        await waitFor(async () => {
          const before = proxy.forwardedBytes('toClient');
          await delay(100);
          return proxy.forwardedBytes('toClient') === before;
        });
      },
    });
    expect(lines(batches)).toEqual(expected);
  });
});

/** Creates distinct keys until told to stop, and remembers which were acknowledged, at which revision. */
class Writers {
  readonly acknowledged = new Map<string, bigint>();
  readonly unknown = new Set<string>();
  #stopped = false;
  readonly #done: Promise<unknown>;

  constructor(target: Store, count: number) {
    this.#done = Promise.all(Array.from({ length: count }, (_, i) => this.#write(target, i)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #write(target: Store, writer: number): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const key = `${prefix}${writer}/${i}`;
      // A blind second try of a create would be in conflict with the first; that of a plain put would be a second event.
      const transaction = i % 2 === 0 ? write(put(key)) : when({ [key]: 0n }, put(key));
      try {
        this.acknowledged.set(key, await committed(target.commit(transaction)));
      } catch (error) {
        if (!isApiError(error, 'Unavailable')) throw error;
        this.unknown.add(key);
      }
    }
  }
}

/** Follows a prefix from `after` on and keeps every event. */
class Follower {
  readonly events: StoreEvent[] = [];
  revision: bigint;
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;

  constructor(target: Store, after: bigint) {
    this.revision = after;
    this.#done = this.#follow(target.watch(prefix, { after, bookmarkMs: 50, signal: this.#controller.signal }));
  }

  async stopAt(revision: bigint): Promise<readonly StoreEvent[]> {
    await waitFor(() => this.revision >= revision, { what: `the watch to come to revision ${revision}` });
    this.#controller.abort();
    await this.#done;
    return this.events;
  }

  async #follow(batches: ReturnType<Store['watch']>): Promise<void> {
    for await (const batch of batches) {
      this.events.push(...batch.events);
      this.revision = batch.revision;
    }
  }
}

/** Every acknowledged write is there, every other one at most once, and the follower saw just what happened. */
async function expectNothingLostOrDoubled(writers: Writers, follower: Follower, after: bigint): Promise<void> {
  const until = await direct.revision();
  const truth = lines(await watched(direct, prefix, { after, until }));
  const counts = new Map<string, number>();
  for (const event of truth) counts.set(event, (counts.get(event) ?? 0) + 1);
  for (const [key, revision] of writers.acknowledged) expect(counts.get(`${revision} put ${key}=${key}`)).toBe(1);
  const written = truth.map((event) => event.slice(event.indexOf('=') + 1));
  expect(new Set(written).size).toBe(written.length);
  for (const key of written) expect(writers.acknowledged.has(key) || writers.unknown.has(key)).toBe(true);
  expect((await follower.stopAt(until)).map(line)).toEqual(truth);
}

test('connections cut under writes lose and double nothing', async () => {
  const after = await direct.revision();
  const follower = new Follower(store, after);
  const writers = new Writers(store, 40);
  for (let i = 0; i < 20; i++) {
    const enough = writers.acknowledged.size + 100;
    await waitFor(() => writers.acknowledged.size >= enough, { what: 'writes to go on' });
    // Now in what the client says, now in what it hears: before the transaction, within it, and within its answer.
    await proxy.cutAfter(50 + ((i * 379) % 5_000), i % 2 === 0 ? 'toServer' : 'toClient');
  }
  await writers.stop();
  expect(writers.unknown.size).toBeGreaterThan(0);
  expect(reconnects).toBeGreaterThan(0);
  await expectNothingLostOrDoubled(writers, follower, after);
}, 20_000);

test('etcd killed under writes loses no acknowledged write and no event', async () => {
  const after = await direct.revision();
  const follower = new Follower(store, after);
  const writers = new Writers(store, 40);
  for (let i = 0; i < 2; i++) {
    const enough = writers.acknowledged.size + 500;
    await waitFor(() => writers.acknowledged.size >= enough, { what: 'writes to go on' });
    await server.kill('SIGKILL');
    await server.start();
  }
  const enough = writers.acknowledged.size + 100;
  await waitFor(() => writers.acknowledged.size >= enough, { what: 'writes to go on' });
  await writers.stop();
  expect(writers.unknown.size).toBeGreaterThan(0);
  await expectNothingLostOrDoubled(writers, follower, after);
}, 40_000);

test('a write whose answer is lost is Unavailable, was committed, and is not sent again', async () => {
  const key = `${prefix}a`;
  const after = await store.revision();
  const cut = proxy.cutAfter(10, 'toClient');
  await expect(store.commit(write(put(key)))).rejects.toMatchObject({
    reason: 'Unavailable',
    message: expect.stringContaining('whether the write was committed is unknown'),
  });
  await cut;
  const until = await direct.revision();
  expect(lines(await watched(direct, prefix, { after, until }))).toEqual([`${after + 1n} put ${key}=${key}`]);
});

test('a read whose answer is lost is asked again', async () => {
  await direct.commit(write(put(`${prefix}a`)));
  await store.revision();
  const cut = proxy.cutAfter(10, 'toClient');
  expect((await store.list(prefix)).entries).toHaveLength(1);
  await cut;
});

describe('compaction', () => {
  test('a compaction whose connection is cut is asked for again', async () => {
    const revision = await committed(store.commit(write(put(`${prefix}a`))));
    const cut = proxy.cutAfter(10, 'toClient');
    await store.compact(revision);
    await cut;
    await expect(direct.get(`${prefix}a`, { revision: revision - 1n })).rejects.toMatchObject({ reason: 'Expired' });
  });

  test('behind a watch, while connections are cut, takes nothing from it', async () => {
    const after = await direct.revision();
    const follower = new Follower(store, after);
    const truth: string[] = [];
    for (let i = 0; i < 12; i++) {
      const created = await committed(direct.commit(write(put(`${prefix}a`, String(i)))));
      const deleted = await committed(direct.commit(write(remove(`${prefix}a`))));
      truth.push(`${created} put ${prefix}a=${i}`, `${deleted} delete ${prefix}a`);
      if (i % 3 === 0) proxy.cut();
      await waitFor(() => follower.revision >= deleted);
      // The compaction's own revision is a deletion, which etcd forgets with it.
      await direct.compact(deleted);
      if (i % 3 === 1) proxy.cut();
    }
    expect((await follower.stopAt(await direct.revision())).map(line)).toEqual(truth);
  });

  test('past a watch that is cut off makes it Expired', async () => {
    const after = await direct.revision();
    const watching = watched(store, prefix, { after, until: after + 1000n, onBatch: async () => proxy.refuse() });
    const outcome = Promise.allSettled([watching]);
    await direct.commit(write(put(`${prefix}a`)));
    await waitFor(() => proxy.connections === 0);
    await direct.compact(await committed(direct.commit(write(remove(`${prefix}a`)))));
    proxy.accept();
    expect(await outcome).toMatchObject([{ reason: { reason: 'Expired' } }]);
  });

  test('through a list of many chunks lets it start again', async () => {
    const value = 'x'.repeat(10_000);
    await Promise.all(Array.from({ length: 600 }, (_, i) => direct.commit(write(put(prefix + i, value)))));
    const held = proxy.cutAfter(300_000, 'toClient').then(async () => {
      await direct.compact(await committed(direct.commit(write(put(`${prefix}new`)))));
    });
    const [page] = await Promise.all([store.list(prefix), held]);
    expect(page.entries.length).toBeGreaterThanOrEqual(600);
  });
});

describe('etcd out of reach', () => {
  test('calls are Unavailable after the deadline, and say where and what', async () => {
    proxy.refuse();
    const started = performance.now();
    const message = expect.stringContaining(`etcd at ${proxy.endpoint} can't be reached`);
    await Promise.all([
      expect(store.get(`${prefix}a`)).rejects.toMatchObject({ reason: 'Unavailable', message }),
      expect(store.revision()).rejects.toMatchObject({ reason: 'Unavailable', message }),
      expect(store.commit(write(put(`${prefix}a`)))).rejects.toMatchObject({ reason: 'Unavailable', message }),
    ]);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('calls made meanwhile succeed when it comes back in time', async () => {
    await store.revision();
    proxy.refuse();
    const read = store.get(`${prefix}a`);
    // Only then is the connection known to be gone; a write sent into it before has an unknown fate.
    await waitFor(() => proxy.refused > 0);
    const written = store.commit(write(put(`${prefix}b`)));
    const revision = store.revision();
    proxy.accept();
    expect((await Promise.all([written, revision, read]))[0].committed).toBe(true);
  });

  test('a silent connection is noticed by calls and watches, and given up', async () => {
    const after = await store.revision();
    const follower = new Follower(store, after);
    await waitFor(() => follower.revision >= after && proxy.connections >= 2);
    proxy.hold();
    const written = await committed(direct.commit(write(put(`${prefix}a`))));
    await expect(store.get(`${prefix}a`)).rejects.toMatchObject({ reason: 'Unavailable' });
    await waitFor(() => reconnects > 0);
    proxy.resume();
    proxy.cut();
    expect((await follower.stopAt(written)).map(line)).toEqual([`${written} put ${prefix}a=${prefix}a`]);
  });

  test('an aborted signal ends a call and a watch at once', async () => {
    proxy.refuse();
    const controller = new AbortController();
    const { signal } = controller;
    const watching = (async () => {
      for await (const _ of store.watch(prefix, { after: 0n, signal }));
    })();
    const calls = [store.get('a', { signal }), store.revision(signal), store.commit(write(put('a')), signal)];
    const outcomes = Promise.allSettled(calls);
    await waitFor(() => reconnects > 0);
    controller.abort();
    await watching;
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { reason: 'Cancelled' } });
  });
});

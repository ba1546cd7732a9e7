import { expect, test } from 'vitest';
import type { Subject } from './conformance-subject.ts';
import { committed, line, lines, put, remove, watched, write } from './observe.fixture.ts';
import type { WatchBatch } from './store.ts';

export function watchConformance(subject: () => Subject): void {
  test('brings what came after, and then what comes, once and in order', async () => {
    const { store, prefix } = subject();
    const key = `${prefix}a`;
    const after = await committed(store.commit(write(put(key, 'before'))));
    await store.commit(write(put(key, 'waiting')));
    const last = after + 4n;
    let live = 0;
    const batches = await watched(store, prefix, {
      after,
      until: last,
      onBatch: async () => {
        if (live++ === 0) await store.commit(write(remove(key)));
        else if (live === 2) await store.commit(write(put(key, 'again')));
        else if (live === 3) await store.commit(write(put(key, 'last')));
      },
    });
    expect(lines(batches)).toEqual([
      `${after + 1n} put ${key}=waiting`,
      `${after + 2n} delete ${key}`,
      `${after + 3n} put ${key}=again`,
      `${after + 4n} put ${key}=last`,
    ]);
    expect(batches.map(({ revision }) => revision)).toEqual([after + 1n, after + 2n, after + 3n, last]);
  });

  test('events carry what the entry was then', async () => {
    const { store, prefix } = subject();
    const created = await committed(store.commit(write(put(`${prefix}a`))));
    const updated = await committed(store.commit(write(put(`${prefix}a`))));
    const [first, second] = await watched(store, prefix, { after: created - 1n, until: updated });
    expect(first?.events).toMatchObject([{ entry: { createRevision: created, modRevision: created } }]);
    expect(second?.events).toMatchObject([{ entry: { createRevision: created, modRevision: updated } }]);
  });

  test('one transaction is one batch, of those keys that match', async () => {
    const { store, prefix } = subject();
    const after = await store.revision();
    const until = await committed(
      store.commit(write(put(`${prefix}in/b`), put(`${prefix}out/a`), put(`${prefix}in/a`), remove(`${prefix}in/c`))),
    );
    const batches = await watched(store, `${prefix}in/`, { after, until });
    expect(batches).toHaveLength(1);
    expect(lines(batches).toSorted()).toEqual([
      `${until} put ${prefix}in/a=${prefix}in/a`,
      `${until} put ${prefix}in/b=${prefix}in/b`,
    ]);
  });

  test('concurrent writes arrive whole, batch by batch', async () => {
    const { store, prefix } = subject();
    const after = await store.revision();
    const pairs = Array.from({ length: 300 }, (_, i) =>
      store.commit(write(put(`${prefix}a${i}`), put(`${prefix}b${i}`))),
    );
    const revisions = await Promise.all(pairs.map(committed));
    const until = revisions.reduce((a, b) => (a > b ? a : b));
    const batches = await watched(store, prefix, { after, until });
    const revisionsOf = (side: string) =>
      revisions.map((_, i) =>
        batches.find(({ events }) => events.some((e) => line(e).includes(` ${prefix}${side}${i}=`))),
      );
    expect(revisionsOf('a').map((batch) => batch?.revision)).toEqual(revisions);
    expect(revisionsOf('a')).toEqual(revisionsOf('b'));
    expect(lines(batches)).toHaveLength(600);
    const order = batches.map(({ revision }) => revision);
    expect(order).toEqual([...new Set(order)].toSorted((a, b) => Number(a - b)));
  });

  test('a slow reader gets everything', async () => {
    const { store, prefix } = subject();
    const after = await store.revision();
    const value = 'x'.repeat(20_000);
    let until = after;
    let writing: Promise<unknown> | undefined;
    const start = async () => {
      const calls = Array.from({ length: 600 }, (_, i) => store.commit(write(put(`${prefix}${i}`, value))));
      until = (await Promise.all(calls.map(committed))).reduce((a, b) => (a > b ? a : b));
    };
    const controller = new AbortController();
    let events = 0;
    for await (const batch of store.watch(prefix, { after, bookmarkMs: 50, signal: controller.signal })) {
      await (writing ??= start());
      events += batch.events.length;
      if (batch.revision >= until) break;
    }
    expect(events).toBe(600);
  });

  test('a bookmark says that it has caught up, and again while nothing happens', async () => {
    const { store, prefix } = subject();
    const revision = await committed(store.commit(write(put(`${prefix}a`))));
    const controller = new AbortController();
    const seen: WatchBatch[] = [];
    const startedMs = performance.now();
    for await (const batch of store.watch(prefix, {
      after: revision - 1n,
      bookmarkMs: 100,
      signal: controller.signal,
    })) {
      seen.push(batch);
      if (seen.length === 4) break;
    }
    expect(seen.map((batch) => [batch.revision, batch.events.length])).toEqual([
      [revision, 1],
      [revision, 0],
      [revision, 0],
      [revision, 0],
    ]);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test('a bookmark follows changes under other prefixes', async () => {
    const { store, prefix } = subject();
    const after = await store.revision();
    let until = after;
    const batches = await watched(store, `${prefix}in/`, {
      after,
      until: after + 2n,
      bookmarks: true,
      onBatch: async () => {
        if (until === after) until = await committed(store.commit(write(put(`${prefix}out/a`))));
        else await store.commit(write(put(`${prefix}in/a`)));
      },
    });
    expect(batches.map(({ revision }) => revision)).toContain(after + 1n);
    expect(lines(batches)).toEqual([`${after + 2n} put ${prefix}in/a=${prefix}in/a`]);
  });

  test('a bookmark is never ahead of an event', async () => {
    const { store, prefix } = subject();
    const after = await store.revision();
    const writes = 200;
    const writing = (async () => {
      for (let i = 0; i < writes; i++) {
        await Promise.all([store.commit(write(put(`${prefix}a`, String(i)))), store.commit(write(put(`${prefix}b`)))]);
      }
    })();
    const controller = new AbortController();
    let [told, events] = [after, 0];
    for await (const batch of store.watch(`${prefix}a`, { after, bookmarkMs: 1, signal: controller.signal })) {
      expect(batch.revision).toBeGreaterThanOrEqual(batch.events.length > 0 ? told + 1n : told);
      told = batch.revision;
      events += batch.events.length;
      if (events === writes) break;
    }
    await writing;
  });

  test('two watches of different prefixes and starts go their own ways', async () => {
    const { store, prefix } = subject();
    const first = await committed(store.commit(write(put(`${prefix}a/1`), put(`${prefix}b/1`))));
    const second = await committed(store.commit(write(put(`${prefix}a/2`), put(`${prefix}b/2`))));
    const [a, b] = await Promise.all([
      watched(store, `${prefix}a/`, { after: first - 1n, until: second }),
      watched(store, `${prefix}b/`, { after: first, until: second }),
    ]);
    expect(lines(a)).toEqual([1, 2].map((i) => `${first + BigInt(i - 1)} put ${prefix}a/${i}=${prefix}a/${i}`));
    expect(lines(b)).toEqual([`${second} put ${prefix}b/2=${prefix}b/2`]);
  });

  test('a watch from before what is compacted is Expired; from there on it brings all, deletions too', async () => {
    const { store, prefix } = subject();
    const first = await committed(store.commit(write(put(`${prefix}a`), put(`${prefix}b`))));
    const second = await committed(store.commit(write(remove(`${prefix}a`))));
    const third = await committed(store.commit(write(remove(`${prefix}b`))));
    await store.compact(second);
    await expect(watched(store, prefix, { after: first, until: third })).rejects.toMatchObject({ reason: 'Expired' });
    expect(lines(await watched(store, prefix, { after: second, until: third }))).toEqual([
      `${third} delete ${prefix}b`,
    ]);
    await expect(watched(store, prefix, { after: 0n, until: third })).rejects.toMatchObject({ reason: 'Expired' });
  });

  test('a watch from a revision that the store has never reached is Expired', async () => {
    const { store, prefix } = subject();
    const after = (await store.revision()) + 1000n;
    await expect(watched(store, prefix, { after, until: after })).rejects.toMatchObject({ reason: 'Expired' });
  });

  test('compacting behind a running watch takes nothing from it', async () => {
    const { store, prefix } = subject();
    const after = await store.revision();
    await store.commit(write(put(`${prefix}a`)));
    const until = after + 3n;
    let times = 0;
    const batches = await watched(store, prefix, {
      after,
      until,
      onBatch: async () => {
        if (times++ > 1) return;
        await store.compact(await committed(store.commit(write(put(`${prefix}a`, String(times))))));
      },
    });
    expect(lines(batches)).toHaveLength(3);
  });

  test('ends when its signal aborts, also while it waits', async () => {
    const { store, prefix } = subject();
    const controller = new AbortController();
    const watch = store.watch(prefix, { after: await store.revision(), bookmarkMs: 60_000, signal: controller.signal });
    let batches = 0;
    for await (const _ of watch) {
      batches++;
      setImmediate(() => controller.abort());
    }
    expect(batches).toBe(1);
    const again = store.watch(prefix, { after: 0n, signal: controller.signal });
    expect((await again[Symbol.asyncIterator]().next()).done).toBe(true);
  });

  test('fails when the store is closed under it', async () => {
    const { store, prefix } = subject();
    const controller = new AbortController();
    const watch = store.watch(prefix, { after: await store.revision(), bookmarkMs: 60_000, signal: controller.signal });
    const reading = (async () => {
      for await (const _ of watch) setImmediate(() => void store.close());
    })();
    await expect(reading).rejects.toMatchObject({ reason: 'Unavailable' });
  });
}

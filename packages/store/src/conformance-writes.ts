import type { ApiError } from '@navarch/machinery';
import { expect, test } from 'vitest';
import type { Subject } from './conformance-subject.ts';
import { bytes, committed, lines, put, remove, text, watched, when, write } from './observe.fixture.ts';
import type { Store, Transaction } from './store.ts';

export function writeConformance(subject: () => Subject): void {
  test('a create succeeds once, and the second learns what is there', async () => {
    const { store, prefix } = subject();
    const key = `${prefix}a`;
    const revision = await committed(store.commit(when({ [key]: 0n }, put(key, 'first'))));
    const second = await store.commit(when({ [key]: 0n }, put(key, 'second')));
    expect(second).toMatchObject({
      committed: false,
      revision,
      conflicts: [{ key, entry: { modRevision: revision } }],
    });
    expect(text(await store.get(key))).toBe('first');
    expect(await store.revision()).toBe(revision);
  });

  test('only those compared keys that differ are conflicts', async () => {
    const { store, prefix } = subject();
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`];
    const revision = await committed(store.commit(write(put(a), put(b))));
    const result = await store.commit(when({ [a]: revision, [b]: 1n, [c]: 5n }, put(c)));
    if (result.committed) throw new Error('the transaction must not be committed');
    expect(result.conflicts.map(({ key, entry }) => [key, text(entry)])).toEqual([
      [b, b],
      [c, undefined],
    ]);
  });

  test('a transaction changes all of its keys at one revision, or nothing', async () => {
    const { store, prefix } = subject();
    const [a, b, c] = [`${prefix}a`, `${prefix}b`, `${prefix}c`];
    const first = await committed(store.commit(write(put(a), put(b))));
    const second = await committed(store.commit(when({ [a]: first }, put(a, '2'), remove(b), put(c, '2'))));
    expect(second).toBe(first + 1n);
    const { entries } = await store.list(prefix);
    expect(entries.map(({ key, modRevision }) => [key, modRevision])).toEqual([
      [a, second],
      [c, second],
    ]);
    const third = await store.commit(when({ [a]: first }, put(a, '3'), put(b, '3'), remove(c)));
    expect(third.committed).toBe(false);
    expect((await store.list(prefix)).entries.map(text)).toEqual(['2', '2']);
  });

  test('a fence: a key that is only compared decides over a write to another', async () => {
    const { store, prefix } = subject();
    const [lease, pod] = [`${prefix}lease`, `${prefix}pod`];
    const held = await committed(store.commit(write(put(lease))));
    await committed(store.commit(when({ [lease]: held, [pod]: 0n }, put(pod, 'leader'))));
    await store.commit(write(put(lease, 'taken over')));
    const late = await store.commit(when({ [lease]: held }, put(pod, 'paused ex-leader')));
    expect(late.committed).toBe(false);
    expect(text(await store.get(pod))).toBe('leader');
  });

  test('that a key was not put after a revision is a condition, also for one that is not there', async () => {
    const { store, prefix } = subject();
    const [a, b] = [`${prefix}a`, `${prefix}b`];
    const first = await committed(store.commit(write(put(a))));
    const since = (key: string, notAfter: bigint, ...ops: Transaction['ops']) =>
      store.commit({ compare: [{ key, notAfter }], ops });
    const second = await committed(since(a, first, put(a, '2')));
    expect(await since(a, first, put(a, '3'))).toMatchObject({
      committed: false,
      conflicts: [{ key: a, entry: { modRevision: second } }],
    });
    expect(await since(a, second + 5n)).toMatchObject({ committed: true });
    await committed(since(b, first, put(b)));
    await committed(store.commit(write(remove(b))));
    expect(await since(b, first, put(b))).toMatchObject({ committed: true });
    expect(text(await store.get(a))).toBe('2');
  });

  test('asking without changing, and deleting what is not there, leave the revision as it is', async () => {
    const { store, prefix } = subject();
    const revision = await committed(store.commit(write(put(`${prefix}a`))));
    expect(await store.commit(when({ [`${prefix}a`]: revision }))).toEqual({ committed: true, revision });
    expect(await store.commit(write(remove(`${prefix}b`)))).toEqual({ committed: true, revision });
    expect(await store.commit(when({ [`${prefix}b`]: 0n }, remove(`${prefix}b`)))).toEqual({
      committed: true,
      revision,
    });
    expect(await store.commit({ compare: [], ops: [] })).toEqual({ committed: true, revision });
    expect((await store.commit(when({ [`${prefix}b`]: 7n }))).committed).toBe(false);
    expect(await store.revision()).toBe(revision);
  });

  test('of many concurrent creates of one key, one succeeds', async () => {
    const { store, prefix } = subject();
    const key = `${prefix}a`;
    const create = (i: number) => store.commit(when({ [key]: 0n, [`${prefix}other${i}`]: 0n }, put(key, String(i))));
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => create(i)));
    expect(results.flatMap(({ committed }, i) => (committed ? [i] : []))).toEqual([0]);
    expect(text(await store.get(key))).toBe('0');
  });

  test('concurrent read-modify-write loses no increment', async () => {
    const { store, prefix } = subject();
    const counters = [`${prefix}a`, `${prefix}b`, `${prefix}c`];
    const fiveTimesEach = async () => {
      for (let i = 0; i < 5; i++) for (const key of counters) await increment(store, key);
    };
    await Promise.all(Array.from({ length: 6 }, fiveTimesEach));
    for (const key of counters) expect(text(await store.get(key))).toBe('30');
  });

  test('concurrent writes of one key take effect in the order of the calls', async () => {
    const { store, prefix } = subject();
    const key = `${prefix}a`;
    const after = await store.revision();
    const calls = Array.from({ length: 100 }, (_, i) => store.commit(write(put(key, String(i)), put(`${prefix}${i}`))));
    const revisions = await Promise.all(calls.map(committed));
    expect(revisions).toEqual(revisions.toSorted((a, b) => Number(a - b)));
    expect(new Set(revisions).size).toBe(100);
    const events = lines(await watched(store, key, { after, until: revisions.at(-1) ?? 0n }));
    expect(events).toEqual(revisions.map((revision, i) => `${revision} put ${key}=${i}`));
  });

  test('a compare sees the write called before it, and not the one called after it', async () => {
    const { store, prefix } = subject();
    const chains = Array.from({ length: 50 }, async (_, i) => {
      const [x, y] = [`${prefix}${i}/x`, `${prefix}${i}/y`];
      const before = store.commit(when({ [x]: 0n }, put(y, 'x was not there')));
      const between = store.commit(write(put(x)));
      const afterwards = store.commit(when({ [x]: 0n }, put(y, 'must not be')));
      return [
        (await before).committed,
        (await between).committed,
        (await afterwards).committed,
        text(await store.get(y)),
      ];
    });
    for (const outcome of await Promise.all(chains)) expect(outcome).toEqual([true, true, false, 'x was not there']);
  });

  test('many concurrent writes behind one fence all pass', async () => {
    const { store, prefix } = subject();
    const fence = await committed(store.commit(write(put(`${prefix}lease`))));
    const writes = Array.from({ length: 500 }, (_, i) =>
      store.commit(when({ [`${prefix}lease`]: fence, [`${prefix}pods/${i}`]: 0n }, put(`${prefix}pods/${i}`))),
    );
    for (const result of await Promise.all(writes)) expect(result.committed).toBe(true);
    expect((await store.list(`${prefix}pods/`)).entries).toHaveLength(500);
  });

  test('a failed transaction among concurrent ones changes nothing for the others', async () => {
    const { store, prefix } = subject();
    await store.commit(write(...Array.from({ length: 50 }, (_, i) => put(`${prefix}${i * 2}`, 'old'))));
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) => store.commit(when({ [`${prefix}${i}`]: 0n }, put(`${prefix}${i}`, 'new')))),
    );
    for (const [i, result] of results.entries()) {
      expect(result.committed).toBe(i % 2 === 1);
      const found = result.committed ? ['old'] : result.conflicts.map(({ entry }) => text(entry));
      expect(found).toEqual(['old']);
    }
    const values = (await store.list(prefix)).entries.map(text);
    expect(values.filter((value) => value === 'new')).toHaveLength(50);
  });

  test('each of several transactions has the outcome that it would have alone, in their order', async () => {
    const { store, prefix } = subject();
    const [a, b] = [`${prefix}a`, `${prefix}b`];
    const outcomes = await store.commitEach([
      when({ [a]: 0n }, put(a, 'first')),
      when({ [a]: 0n }, put(a, 'second')),
      write(put('')),
      write(put(b), remove(b)),
      when({ [b]: 0n }, put(b, 'third')),
    ]);
    const told = outcomes.map((each) =>
      each.status === 'fulfilled' ? each.value.committed : (each.reason as ApiError).reason,
    );
    expect(told).toEqual([true, false, 'BadRequest', 'BadRequest', true]);
    expect((await store.list(prefix)).entries.map(text)).toEqual(['first', 'third']);
    expect(await store.commitEach([])).toEqual([]);
  });

  test('large transactions mixed with small ones all arrive', async () => {
    const { store, prefix } = subject();
    const sizes = [128, 1, 1, 100, 27, 1, 64, 64, 1, 127, 2];
    const of = (count: number, at: number): Transaction =>
      write(...Array.from({ length: count }, (_, i) => put(`${prefix}${at}/${i}`)));
    const results = await Promise.all([...sizes, ...sizes].map((count, at) => store.commit(of(count, at))));
    for (const result of results) expect(result.committed).toBe(true);
    expect((await store.list(prefix)).entries).toHaveLength(2 * sizes.reduce((a, b) => a + b));
  });

  test('objects of 1 MiB pass, several at a time', async () => {
    const { store, prefix } = subject();
    const value = new Uint8Array(1024 * 1024).fill(1);
    const writes = ['a', 'b', 'c'].map((name) => store.commit(write({ type: 'put', key: prefix + name, value })));
    for (const result of await Promise.all(writes)) expect(result.committed).toBe(true);
    const { entries } = await store.list(prefix);
    expect(entries.map((entry) => entry.value.length)).toEqual([value.length, value.length, value.length]);
    await store.commit(write(remove(`${prefix}a`), remove(`${prefix}b`), remove(`${prefix}c`)));
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => put(`/too-much/${i}`));
  test.each([
    ['129 operations', 'RequestEntityTooLarge', write(...many(129))],
    ['129 compares', 'RequestEntityTooLarge', when(Object.fromEntries(many(129).map(({ key }) => [key, 0n])))],
    [
      'more than 1.25 MiB',
      'RequestEntityTooLarge',
      write({ type: 'put', key: '/too-much/0', value: new Uint8Array(1_310_720) }),
    ],
    ['an empty key', 'BadRequest', write({ type: 'put', key: '', value: bytes('') })],
    ['an empty compared key', 'BadRequest', when({ '': 0n })],
    ['half a character in a key', 'BadRequest', write(put('/too-much/\udc00'))],
    ['one key twice', 'BadRequest', write(put('/too-much/0'), remove('/too-much/0'))],
    [
      'one compared key twice',
      'BadRequest',
      { compare: [0n, 1n].map((modRevision) => ({ key: '/too-much/0', modRevision })), ops: [] },
    ],
  ] as const)('%s: %s', async (_, reason, transaction) => {
    const { store } = subject();
    await expect(store.commit(transaction)).rejects.toMatchObject({ reason });
    expect((await store.list('/too-much/')).entries).toEqual([]);
  });
}

async function increment(store: Store, key: string): Promise<void> {
  for (;;) {
    const entry = await store.get(key);
    const next = String(Number(text(entry) ?? '0') + 1);
    const { committed } = await store.commit(when({ [key]: entry?.modRevision ?? 0n }, put(key, next)));
    if (committed) return;
  }
}

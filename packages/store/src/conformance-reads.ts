import { expect, test } from 'vitest';
import type { Subject } from './conformance-subject.ts';
import { bytes, committed, put, remove, text, write } from './observe.fixture.ts';

export function readConformance(subject: () => Subject): void {
  test('a key that was never written is undefined', async () => {
    const { store, prefix } = subject();
    expect(await store.get(`${prefix}a`)).toBeUndefined();
  });

  test('a value comes back byte for byte, whatever the writer does to its buffer', async () => {
    const { store, prefix } = subject();
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    const expected = [...value];
    await store.commit(write({ type: 'put', key: `${prefix}a`, value }));
    value.fill(7);
    expect([...((await store.get(`${prefix}a`))?.value ?? [])]).toEqual(expected);
  });

  test('createRevision survives updates and starts anew after a deletion', async () => {
    const { store, prefix } = subject();
    const key = `${prefix}a`;
    const created = await committed(store.commit(write(put(key))));
    const updated = await committed(store.commit(write(put(key))));
    expect(updated).toBe(created + 1n);
    expect(await store.get(key)).toMatchObject({ key, createRevision: created, modRevision: updated });
    await store.commit(write(remove(key)));
    expect(await store.get(key)).toBeUndefined();
    const again = await committed(store.commit(write(put(key))));
    expect(await store.get(key)).toMatchObject({ createRevision: again, modRevision: again });
  });

  test('the past stays readable until it is compacted', async () => {
    const { store, prefix } = subject();
    const key = `${prefix}a`;
    const first = await committed(store.commit(write(put(key, 'one'))));
    const second = await committed(store.commit(write(put(key, 'two'))));
    const third = await committed(store.commit(write(remove(key))));
    expect(await store.get(key, { revision: first - 1n })).toBeUndefined();
    expect(text(await store.get(key, { revision: first }))).toBe('one');
    expect(text(await store.get(key, { revision: second }))).toBe('two');
    expect((await store.list(prefix, { revision: second })).entries).toHaveLength(1);
    expect((await store.list(prefix, { revision: third })).entries).toHaveLength(0);

    await store.compact(second);
    await expect(store.get(key, { revision: first })).rejects.toMatchObject({ reason: 'Expired' });
    await expect(store.list(prefix, { revision: first })).rejects.toMatchObject({ reason: 'Expired' });
    expect(text(await store.get(key, { revision: second }))).toBe('two');
    expect((await store.list(prefix, { revision: second })).entries.map(text)).toEqual(['two']);
  });

  test('compacting again, or further back, changes nothing; compacting the future is refused', async () => {
    const { store, prefix } = subject();
    const revision = await committed(store.commit(write(put(`${prefix}a`))));
    await store.compact(revision);
    await store.compact(revision);
    await store.compact(revision - 1n);
    expect(text(await store.get(`${prefix}a`))).toBe(`${prefix}a`);
    await expect(store.compact(revision + 100n)).rejects.toMatchObject({ reason: 'Expired' });
  });

  test('a revision that the store has never reached is Expired', async () => {
    const { store, prefix } = subject();
    const revision = (await store.revision()) + 1_000_000n;
    await expect(store.get(`${prefix}a`, { revision })).rejects.toMatchObject({ reason: 'Expired' });
    await expect(store.list(prefix, { revision })).rejects.toMatchObject({ reason: 'Expired' });
  });

  test('a list holds what starts with the prefix, in the order of UTF-8 bytes', async () => {
    const { store, prefix } = subject();
    const ordered = ['', '\0', '-', '/', '0', 'a', 'a\0', 'a/b', 'ab', 'é', '\u07ff', '\ud7ff', '\uffff', '😀'];
    const outside = [`${prefix.slice(0, -1)}.`, `${prefix.slice(0, -1)}0`, prefix.slice(0, -1)];
    const keys = [...ordered.toReversed().map((name) => prefix + name), ...outside];
    for (const key of keys) await store.commit(write(put(key)));
    const { entries, revision, more } = await store.list(prefix);
    expect(entries.map(({ key }) => key)).toEqual(ordered.map((name) => prefix + name));
    expect(entries.map(text)).toEqual(entries.map(({ key }) => key));
    expect(more).toBe(false);
    expect(revision).toBe(await store.revision());
  });

  test('a prefix may end within no character, also a wide one', async () => {
    const { store, prefix } = subject();
    for (const name of ['é', 'éa', 'ê', '😀', '😀a', '😁']) await store.commit(write(put(prefix + name)));
    const names = async (start: string) =>
      (await store.list(prefix + start)).entries.map(({ key }) => key.slice(prefix.length));
    expect(await names('é')).toEqual(['é', 'éa']);
    expect(await names('😀')).toEqual(['😀', '😀a']);
  });

  test('the empty prefix lists everything', async () => {
    const { store, prefix } = subject();
    await store.commit(write(put(`${prefix}a`)));
    const keys = (await store.list('')).entries.map(({ key }) => key);
    expect(keys).toContain(`${prefix}a`);
    const [first = ''] = keys;
    expect((await store.list('', { startAfter: first })).entries.map(({ key }) => key)).toEqual(keys.slice(1));
  });

  test('pages go on at the revision of the first', async () => {
    const { store, prefix } = subject();
    await store.commit(write(...['a', 'b', 'c', 'd', 'e'].map((name) => put(prefix + name))));
    const first = await store.list(prefix, { limit: 2 });
    expect(first.more).toBe(true);
    await store.commit(write(put(`${prefix}bb`), remove(`${prefix}c`), put(`${prefix}d`, 'changed')));
    const next = { revision: first.revision, limit: 2 };
    const second = await store.list(prefix, { ...next, startAfter: `${prefix}b` });
    const third = await store.list(prefix, { ...next, startAfter: `${prefix}d` });
    const values = [first, second, third].map(({ entries }) => entries.map((entry) => text(entry)?.slice(-1)));
    expect(values).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect([second.more, third.more]).toEqual([true, false]);
    expect(third.revision).toBe(first.revision);
    expect((await store.list(prefix, { limit: 5 })).more).toBe(false);
  });

  test('startAfter need not exist, nor lie in the prefix', async () => {
    const { store, prefix } = subject();
    await store.commit(write(put(`${prefix}b`), put(`${prefix}d`)));
    const after = async (startAfter: string) =>
      (await store.list(prefix, { startAfter })).entries.map(({ key }) => key.slice(prefix.length));
    expect(await after(`${prefix}a`)).toEqual(['b', 'd']);
    expect(await after(`${prefix}c`)).toEqual(['d']);
    expect(await after('\0')).toEqual(['b', 'd']);
    expect(await after('zzz')).toEqual([]);
  });

  test('a list of many entries is whole', async () => {
    const { store, prefix } = subject();
    const names = Array.from({ length: 3_000 }, (_, i) => `${prefix}${String(i).padStart(5, '0')}`);
    await Promise.all(names.map((name, i) => store.commit(write(put(name, 'x'.repeat(i % 5_000))))));
    const { entries } = await store.list(prefix);
    expect(entries.map(({ key }) => key)).toEqual(names);
    expect(entries.every(({ value }, i) => value.length === i % 5_000)).toBe(true);
  });

  test('revision is as new as the newest acknowledged write', async () => {
    const { store, prefix } = subject();
    for (let i = 0; i < 20; i++) {
      const before = store.revision();
      const revision = await committed(store.commit(write(put(`${prefix}a`))));
      expect(await before).toBeLessThanOrEqual(revision);
      const asked = await Promise.all(Array.from({ length: 5 }, () => store.revision()));
      for (const answer of asked) expect(answer).toBe(revision);
    }
  });

  test.each([
    ['an empty key', (store: Subject['store']) => store.get('')],
    ['half a character', (store: Subject['store']) => store.get('\ud83d')],
    ['a prefix with half a character', (store: Subject['store']) => store.list('\ud83d')],
    ['a limit of nothing', (store: Subject['store']) => store.list('a', { limit: 0 })],
  ])('%s is a bad request', async (_, call) => {
    await expect(call(subject().store)).rejects.toMatchObject({ reason: 'BadRequest' });
  });

  test('an aborted call is Cancelled', async () => {
    const { store, prefix } = subject();
    const signal = AbortSignal.abort();
    const key = `${prefix}a`;
    await expect(store.get(key, { signal })).rejects.toMatchObject({ reason: 'Cancelled' });
    await expect(store.list(prefix, { signal })).rejects.toMatchObject({ reason: 'Cancelled' });
    await expect(store.revision(signal)).rejects.toMatchObject({ reason: 'Cancelled' });
    await expect(store.commit(write(put(key)), signal)).rejects.toMatchObject({ reason: 'Cancelled' });
    expect(await store.get(key)).toBeUndefined();
  });

  test('a closed store is Unavailable', async () => {
    const { store, prefix } = subject();
    await store.commit({ compare: [], ops: [{ type: 'put', key: `${prefix}a`, value: bytes('') }] });
    await store.close();
    await store.close();
    await expect(store.get(`${prefix}a`)).rejects.toMatchObject({ reason: 'Unavailable' });
    await expect(store.list(prefix)).rejects.toMatchObject({ reason: 'Unavailable' });
    await expect(store.revision()).rejects.toMatchObject({ reason: 'Unavailable' });
    await expect(store.commit(write(put(`${prefix}a`)))).rejects.toMatchObject({ reason: 'Unavailable' });
  });
}

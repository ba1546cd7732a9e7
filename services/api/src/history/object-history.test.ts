import { node as nodeKind } from '@navarch/kinds';
import type { ApiError } from '@navarch/machinery';
import type { Node, Secret } from '@navarch/proto';
import { EtcdStore, MemoryStore, type Store } from '@navarch/store';
import { startEtcd, waitFor } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, valueOf } from '../api.fixture.ts';
import { decodePastVersion, historyStream, historySubject } from './history-stream.ts';

const node = (name: string, version: number) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { version: String(version) } },
});
const stores: [string, () => Promise<{ store: Store; end: () => Promise<void> }>][] = [
  ['memory', async () => ({ store: new MemoryStore(), end: async () => {} })],
  [
    'etcd',
    async () => {
      const etcd = await startEtcd();
      const store = new EtcdStore({ endpoints: etcd.endpoint });
      return { store, end: () => store.close().then(() => etcd.stop()) };
    },
  ],
];
const history = (running: TestApi, name: string, resource = 'nodes') =>
  running.client.history({ resource, name, limit: 100, namespace: resource === 'nodes' ? '' : 'default' });
const key = (name: string) => ({ namespace: '', name });
const limits = { versions: 5, maxBytes: 1 << 20 };
const never = new AbortController().signal;
const recorded = (running: TestApi, name: string, count: number) =>
  waitFor(async () => {
    const stream = historyStream(running.bus, limits);
    return (await stream.readSubject(historySubject(nodeKind, key(name)), never)).length === count;
  });
/** As in 3 2 1: versions, `x` for deletions, a star on those that the store has, a dash where versions are missing. */
const outline = async (running: TestApi, name: string) => {
  const { entries } = await history(running, name);
  const word = ({ resource, deleted, stored, gap }: (typeof entries)[number]) =>
    `${deleted ? 'x' : valueOf<Node>(resource).metadata?.labels['version']}${stored ? '*' : ''}${gap ? ' -' : ''}`;
  return entries.map(word).join(' ');
};
/** An api that has not seen what happened, on a store that has forgotten it. */
const later = async ({ store, hub }: TestApi) => {
  const key = '/navarch-test/busy';
  for (let i = 0; i < 2_100; i++)
    await store.commit({ compare: [], ops: [{ type: 'put', key, value: new Uint8Array() }] });
  await store.compact(await store.revision());
  return await startApi({ store, hub, more: { history: limits } });
};

describe.each(stores)('the history of an object on %s', (_, open) => {
  let running: TestApi;
  let end: () => Promise<void>;
  beforeAll(async () => {
    const opened = await open();
    ({ end } = opened);
    running = await startApi({ store: opened.store, more: { history: limits } });
  });
  afterAll(async () => {
    await running[Symbol.asyncDispose]();
    await end();
  });
  const write = async (name: string, from: number, to: number) => {
    for (let version = from; version <= to; version++) {
      const manifest = node(name, version);
      if (version === 1) await running.client.create(manifest);
      else await running.client.update(resource(manifest));
    }
  };

  test('outlives compaction and the api: the newest versions, deletions, and the time of each', async () => {
    const { client } = running;
    await write('kept', 1, 3);
    await client.delete({ resource: 'nodes', name: 'kept' });
    await write('kept', 1, 1);
    await write('many', 1, 9);
    expect(await outline(running, 'kept')).toBe('1* x* 3* 2* 1*');
    expect(await outline(running, 'many')).toBe('9* 8* 7* 6* 5* 4* 3* 2* 1*');
    const { entries } = await history(running, 'kept');
    const readAt = ({ revision }: { revision: bigint }) =>
      client.get({ resource: 'nodes', name: 'kept', revision: String(revision), match: 'REVISION_MATCH_EXACT' }).then(
        (read) => read.revision,
        (error: ApiError) => error.reason,
      );
    const expected = entries.map(({ revision, deleted }) => (deleted ? 'NotFound' : revision));
    expect(await Promise.all(entries.map(readAt))).toEqual(expected);
    await recorded(running, 'many', 5);
    await using another = await later(running);
    expect(await outline(another, 'kept')).toBe('1 x 3 2 1');
    expect(await outline(another, 'many')).toBe('9 8 7 6 5 4');
    const past = (await history(another, 'kept')).entries;
    expect(past.map(({ revision }) => revision)).toEqual(entries.map(({ revision }) => revision));
    // When a version was made is known from what ended the one before.
    expect(past.map(({ time }) => Math.abs(Date.parse(time) - Date.now()) < 60_000)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    expect((await client.history({ resource: 'nodes', name: 'many', limit: 2 })).entries).toHaveLength(2);
    expect((await refusal(history(another, 'never'))).reason).toBe('NotFound');
  });

  test('is caught up on after the bus was down', async () => {
    running.hub.stop();
    await write('down', 1, 4);
    const { entries, warning } = await history(running, 'down');
    expect(entries).toHaveLength(4);
    expect(warning).toContain('NATS');
    running.hub.start();
    await recorded(running, 'down', 3);
    expect((await history(running, 'down')).warning).toBe('');
  });

  test('of a Secret is what the store still has, and never on the bus', async () => {
    const { client } = running;
    const secret = (text: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
      data: { password: Buffer.from(text).toString('base64') },
    });
    await client.create(secret('correct horse'));
    await client.update(resource(secret('battery staple')));
    const said = (await history(running, 's', 'secrets')).entries.map(({ resource }) =>
      Buffer.from(valueOf<Secret>(resource).data['password'] ?? '').toString(),
    );
    expect(said).toEqual(['battery staple', 'correct horse']);
    await client.create(node('after', 1));
    await client.update(resource(node('after', 2)));
    await recorded(running, 'after', 1);
    const everything: string[] = [];
    for await (const { payload } of historyStream(running.bus, limits).read({ after: 0n, signal: never })) {
      if (payload === undefined) break;
      everything.push(Buffer.from(payload).toString('latin1'));
    }
    expect(everything.filter((text) => /correct horse|battery staple/.test(text))).toEqual([]);
    await using another = await later(running);
    const { entries, warning } = await history(another, 's', 'secrets');
    expect(entries).toHaveLength(1);
    expect(warning).toContain('secrets are not kept');
  });

  test('of Events is refused, and so is a limit that is none', async () => {
    expect((await refusal(history(running, 'web.1', 'events'))).message).toContain('no history');
    const { client } = running;
    expect((await refusal(client.history({ resource: 'nodes', name: 'x', limit: 101 }))).reason).toBe('BadRequest');
  });
});

test('the next api goes on where the last one ended, and keeps nothing twice', async () => {
  const store = new MemoryStore();
  const one = await startApi({ store, more: { history: limits } });
  const { hub } = one;
  await one.client.create(node('a', 1));
  for (const version of [2, 3]) await one.client.update(resource(node('a', version)));
  await recorded(one, 'a', 2);
  await one[Symbol.asyncDispose]();
  await using two = await startApi({ store, hub, more: { history: limits } });
  await two.client.update(resource(node('a', 4)));
  await two.client.delete({ resource: 'nodes', name: 'a' });
  const stream = historyStream(two.bus, limits);
  const kept = async () => (await stream.readSubject(historySubject(nodeKind, key('a')), never)).map(decodePastVersion);
  await waitFor(async () => (await kept()).at(-1)?.deleted);
  expect((await kept()).map(({ resource }) => valueOf<Node>(resource).metadata?.labels['version'])).toEqual([
    '1',
    '2',
    '3',
    '4',
  ]);
});

test('a version tells who wrote it, where account of that is kept', async () => {
  await using running = await startApi();
  const { client } = running;
  const labels = (labels: object) => JSON.stringify({ metadata: { labels } });
  const patch = (text: string, fieldManager: string) =>
    client.patch({ resource: 'nodes', name: 'n', type: 'TYPE_MERGE', patch: text, fieldManager });
  await client.create(node('n', 1));
  await patch(labels({ version: '2' }), 'alice');
  await patch(labels({ other: 'x' }), 'bob');
  await patch(labels({ version: '3' }), 'alice');
  await patch(labels({ version: '4' }), '');
  await patch(JSON.stringify({ metadata: { labels: { other: null } } }), 'bob');
  const { entries } = await client.history({ resource: 'nodes', name: 'n' });
  expect(entries.map(({ manager }) => manager)).toEqual(['', 'unknown', 'alice', 'bob', 'alice', '']);
});

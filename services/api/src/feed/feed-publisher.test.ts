import { MemoryHub } from '@navarch/bus';
import { configMap, node, pod, secret } from '@navarch/kinds';
import type { KindDefinition } from '@navarch/kinds';
import { VirtualClock } from '@navarch/kit';
import { ChangeBatch, FeedBookmark, type Pod, Resource } from '@navarch/proto';
import { expect, test } from 'vitest';
import { valueOf } from '../api.fixture.ts';
import { CachedObject } from '../cache/cached-object.ts';
import { ObjectCache, type Update } from '../cache/object-cache.ts';
import { storageKey } from '../storage/keys.ts';
import { FeedPublisher } from './feed-publisher.ts';

function update(kind: KindDefinition, name: string, revision: bigint, fields: object = {}): Update {
  const namespace = kind.scope === 'Cluster' ? '' : 'default';
  const about = { kind, namespace, name };
  const value = kind.message.fromJSON({ metadata: { name, namespace }, ...fields });
  const resource = { revision: 0n, object: { $case: kind.case, value } } as unknown as Resource; // of one kind
  const body = Resource.encode(resource).finish();
  return { ...about, object: new CachedObject({ ...about, key: storageKey(kind, about), revision }, body) };
}

test('publishes each change once, on the subject of what it became, in a chain that bookmarks close', async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock });
  const bus = hub.connect();
  const stop = new AbortController();
  const heard: string[] = [];
  const listen = (async () => {
    for await (const { subject, payload } of bus.subscribe('navarch.>', { signal: stop.signal })) {
      if (subject === 'navarch.bookmarks') {
        const { previous, revision, heads } = FeedBookmark.decode(payload);
        heard.push(`bookmark ${previous}-${revision} ${Object.keys(heads).length}`);
        continue;
      }
      const { previous, revision, events } = ChangeBatch.decode(payload);
      const what = events.map(({ type, resource }) => `${type} ${valueOf<Pod>(resource).metadata?.name}`);
      heard.push(`${subject} ${previous}-${revision} ${what.join(', ')}`);
    }
  })();
  const cache = new ObjectCache();
  cache.reset([], 10n);
  const publisher = new FeedPublisher({ cache, bus, clock, onBatch: () => {} });
  const publishing = publisher.run(stop.signal);
  cache.apply(11n, [update(pod, 'a', 11n), update(node, 'n1', 11n), update(secret, 's', 11n)]);
  cache.apply(12n, [update(pod, 'a', 12n, { spec: { nodeName: 'n1' } }), update(pod, 'b', 12n)]);
  cache.apply(13n, [update(configMap, 'c', 13n)]);
  cache.apply(14n, [{ ...update(pod, 'a', 14n), object: undefined }]);
  await clock.advance(5);
  expect(heard).toEqual([
    'bookmark 10-10 0',
    'navarch.changes.pods._ 10-12 1 a, 1 b',
    'navarch.changes.nodes 10-11 1 n1',
    'navarch.changes.pods.n1 10-14 2 a, 3 a',
    'bookmark 10-14 3',
  ]);
  heard.length = 0;
  cache.apply(15n, []);
  await clock.advance(1_000);
  expect(heard).toEqual(['bookmark 14-15 0']);
  stop.abort();
  await Promise.all([publishing, listen]);
});

test('a few changes are told at once, many no more often than every 20 ms', async () => {
  const clock = new VirtualClock();
  const bus = new MemoryHub({ clock }).connect();
  const stop = new AbortController();
  let told = 0;
  const listen = (async () => {
    for await (const _ of bus.subscribe('navarch.changes.>', { signal: stop.signal })) told++;
  })();
  const cache = new ObjectCache();
  cache.reset([], 1n);
  const publishing = new FeedPublisher({ cache, bus, clock, onBatch: () => {} }).run(stop.signal);
  let revision = 1n;
  const write = async (times: number) => {
    told = 0;
    for (let i = 0; i < times; i++) {
      revision += 1n;
      cache.apply(revision, [update(pod, 'a', revision)]);
      await clock.advance(5);
    }
    return told;
  };
  expect(await write(10)).toBe(10);
  // 50 in a second, and those that had been saved up.
  expect(await write(200)).toBeLessThan(50 + 40);
  expect(await write(200)).toBeLessThanOrEqual(51);
  await clock.advance(1_000);
  expect(await write(10)).toBe(10);
  stop.abort();
  await Promise.all([publishing, listen]);
});

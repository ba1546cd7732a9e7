import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryHub, NatsBus } from '@navarch/bus';
import { event as eventKind } from '@navarch/kinds';
import { createLogger, systemClock, VirtualClock } from '@navarch/kit';
import { Event, type Resource } from '@navarch/proto';
import { MemoryStore } from '@navarch/store';
import { type NatsServer, startNats, waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import { refusal, startApi, type TestApi, type TestClient, valueOf } from '../api.fixture.ts';
import { encodeBody, type WritableObject } from '../pipeline/object-rules.ts';
import { seal } from '../storage/envelope.ts';
import { storageKey } from '../storage/keys.ts';
import { EventSource } from './event-source.ts';

const time = (minute: number) => new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString();

interface Told {
  readonly object?: string;
  readonly namespace?: string;
  readonly first?: number;
  readonly last?: number;
  readonly more?: object;
}

function event(name: string, told: Told = {}) {
  const { object = 'web', namespace = 'default', first = 0, last = first, more = {} } = told;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace,
      name: object,
      uid: `uid-${object}`,
      fieldPath: 'spec.containers{main}',
    },
    source: { component: 'node-agent', host: 'n1' },
    reason: 'BackOff',
    type: 'Warning',
    count: 1,
    firstTimestamp: time(first),
    lastTimestamp: time(last),
    ...more,
  };
}

const names = (items: readonly Resource[]) => items.map((item) => valueOf<Event>(item).metadata?.name);

async function listed(client: TestClient, fields: object = {}): Promise<(string | undefined)[]> {
  return names((await client.list({ resource: 'events', ...fields })).items);
}

describe('events are read', () => {
  test('by object, by what they say, by namespace and by time', async () => {
    await using running = await startApi();
    const { client } = running;
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
    await client.create(event('a', { first: 0, last: 10 }));
    await client.create(event('b', { first: 20, object: 'api', more: { reason: 'Pulled', type: 'Normal' } }));
    await client.create(event('c', { first: 30, namespace: 'other', more: { source: { component: 'scheduler' } } }));

    const cases: [string, string[]][] = [
      ['involvedObject.kind=Pod', ['a', 'b', 'c']],
      ['involvedObject.name=web', ['a', 'c']],
      ['involvedObject.namespace=other', ['c']],
      ['involvedObject.uid=uid-api', ['b']],
      ['involvedObject.apiVersion=v1,involvedObject.fieldPath=spec.containers{main}', ['a', 'b', 'c']],
      ['reason=Pulled', ['b']],
      ['type!=Normal', ['a', 'c']],
      ['source=scheduler', ['c']],
      ['reportingComponent=node-agent', ['a', 'b']],
    ];
    for (const [fieldSelector, found] of cases) {
      expect({ fieldSelector, found: await listed(client, { fieldSelector }) }).toEqual({ fieldSelector, found });
    }
    expect(await listed(client, { namespace: 'other' })).toEqual(['c']);
    // One that happened from 10:00 to 10:10 happened in any part of that.
    expect(await listed(client, { since: time(10) })).toEqual(['a', 'b', 'c']);
    expect(await listed(client, { since: time(11) })).toEqual(['b', 'c']);
    expect(await listed(client, { since: time(5), until: time(20) })).toEqual(['a']);
    expect(await listed(client, { until: '2026-01-01T12:30:00+02:00' })).toEqual(['a', 'b']);
    expect(await listed(client, { since: time(15), until: time(25), fieldSelector: 'type=Warning' })).toEqual([]);
  });

  test('by time alone among all kinds, and by a time only', async () => {
    await using running = await startApi();
    const { client } = running;
    expect(await refusal(client.list({ resource: 'pods', since: time(0) }))).toMatchObject({
      reason: 'BadRequest',
      message: 'pods can not be listed by time: since and until are for events',
    });
    expect(await refusal(client.list({ resource: 'events', until: '10m' }))).toMatchObject({
      reason: 'BadRequest',
      message: expect.stringContaining('until: "10m" must be a time such as'),
    });
  });
});

/** An Event as it is stored. */
function sealed(name: string, message = ''): Uint8Array {
  const object = Event.fromJSON({ metadata: { name, namespace: 'ns' }, message });
  return seal(encodeBody(eventKind, object as unknown as WritableObject)); // it has metadata here
}

test('events go when they are old, and the oldest when they are too many', async () => {
  const clock = new VirtualClock();
  const hub = new MemoryHub();
  const bus = hub.connect();
  // What the stream gives back counts as new: here only the view is looked at.
  hub.stop();
  const logger = createLogger({ name: 'test', level: 'silent' });
  const source = new EventSource({ bus, clock, logger, limits: { maxAgeMs: 3_600_000, maxBytes: 10_000 } });
  const stop = new AbortController();
  await source.start(stop.signal);
  const write = (name: string, message = '') => {
    const key = storageKey(eventKind, { namespace: 'ns', name });
    return source.commit({ compare: [], ops: [{ type: 'put', key, value: sealed(name, message) }] });
  };
  const kept = () => [...source.cache.list(eventKind)].map(({ name }) => name);
  await write('first');
  await clock.advance(1_800_000);
  await write('second');
  await clock.advance(1_820_000);
  expect(kept()).toEqual(['second']);
  for (let i = 10; i < 30; i++) await write(`large-${i}`, 'x'.repeat(1_000));
  expect(kept().at(-1)).toBe('large-29');
  expect(kept()).toEqual(Array.from({ length: kept().length }, (_, i) => `large-${30 - kept().length + i}`));
  expect(kept().length).toBeLessThan(10);
  stop.abort();
  await source.stop();
  await bus.close();
});

test('what was written is never undone by its own older echo', async () => {
  const hub = new MemoryHub();
  const logger = createLogger({ name: 'test', level: 'silent' });
  const stop = new AbortController();
  const replica = async () => {
    const source = new EventSource({ bus: hub.connect(), clock: systemClock, logger });
    await source.start(stop.signal);
    return source;
  };
  const [source, other] = await Promise.all([replica(), replica()]);
  const key = { namespace: 'ns', name: 'told' };
  const seen: string[] = [];
  using _listener = source.cache.onChange([eventKind], () => {
    const cached = source.cache.get(eventKind, key.namespace, key.name);
    seen.push(cached === undefined ? 'gone' : (cached.object as unknown as Event).message);
  });
  const put = (source: EventSource, name: string, message = '') => {
    const value = sealed(name, message);
    return source.commit({ compare: [], ops: [{ type: 'put', key: storageKey(eventKind, { ...key, name }), value }] });
  };
  await Promise.all(['1', '2', '3'].map((message) => put(source, key.name, message)));
  await source.commit({ compare: [], ops: [{ type: 'delete', key: storageKey(eventKind, key) }] });
  await put(source, key.name, 'again');
  await waitFor(() => other.cache.get(eventKind, key.namespace, key.name) !== undefined);
  // Behind all of them in the stream.
  await put(other, 'other');
  await waitFor(() => source.cache.get(eventKind, key.namespace, 'other') !== undefined);
  expect(seen.slice(0, 5)).toEqual(['1', '2', '3', 'gone', 'again']);
  expect(new Set(seen.slice(5))).toEqual(new Set(['again']));
  stop.abort();
  await Promise.all([source.stop(), other.stop()]);
});

describe('on a real NATS', () => {
  /** The bus and an api of its own on a store that others may share. */
  async function start(nats: NatsServer, store: MemoryStore): Promise<TestApi> {
    const logger = createLogger({ name: 'test', level: 'silent' });
    const bus = NatsBus.connect({ servers: [nats.url], name: 'api', logger });
    const running = await startApi({ store, more: { bus } });
    await waitFor(() => bus.connected);
    const stop = running[Symbol.asyncDispose].bind(running);
    return Object.assign(running, {
      [Symbol.asyncDispose]: async () => {
        await stop();
        await bus.close();
      },
    });
  }

  test('they outlive the api; a NATS that lost its disk has lost the old ones, and nothing else', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'nv-nats-'));
    await using nats = await startNats({ dir });
    const store = new MemoryStore();
    {
      await using running = await start(nats, store);
      await waitFor(async () => {
        // What is written before the stream is there stays at the api that took it.
        await running.client.create({ ...event('old'), metadata: { generateName: 'old-' } });
        await using reader = await start(nats, store);
        return await waitFor(async () => (await listed(reader.client)).length > 0, { timeoutMs: 500 });
      });
    }
    await using running = await start(nats, store);
    const { client } = running;
    await waitFor(async () => (await listed(client)).length > 0);
    // As NATS says it itself: on disk, for an hour, 64 MiB, the newest of each name.
    const meta = await readFile(join(dir, 'jetstream/$G/streams/navarch-events/meta.inf'), 'utf8');
    expect(JSON.parse(meta)).toMatchObject({
      storage: 'file',
      max_age: 3_600_000_000_000,
      max_bytes: 64 * 1024 * 1024,
      max_msgs_per_subject: 1,
    });
    const stop = new AbortController();
    const seen: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const { events } of client.watch({ targets: [{ resource: 'events' }] }, stop.signal)) {
        seen.push(...names(events.flatMap(({ resource }) => resource ?? [])));
      }
    })();

    await nats.kill();
    await nats.wipe();
    await client.create(event('meanwhile'));
    await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'meanwhile' } });
    await nats.start();
    await using other = await start(nats, store);
    let made = 0;
    await waitFor(async () => {
      await client.create(event(`new-${made++}`));
      return (await listed(other.client)).some((name) => name?.startsWith('new-'));
    });
    expect((await listed(other.client)).filter((name) => !name?.startsWith('new-'))).toEqual([]);
    expect(await listed(client)).toContain('meanwhile');
    await other.client.get({ resource: 'configmaps', namespace: 'default', name: 'meanwhile' });
    await waitFor(() => seen.includes(`new-${made - 1}`));
    // The watch went on through all of it, and saw each once.
    const all = await listed(client);
    expect(seen).toHaveLength(all.length);
    expect(new Set(seen)).toEqual(new Set(all));
    stop.abort();
    await watching;
  });
});

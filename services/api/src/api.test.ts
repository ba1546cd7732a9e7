import { credentials } from '@grpc/grpc-js';
import { createClient, createInformerSet } from '@navarch/client';
import { pod as podKind, service as serviceKind } from '@navarch/kinds';
import { createLogger } from '@navarch/kit';
import type { ConfigMap, Event, Pod, Resource } from '@navarch/proto';
import { MemoryStore } from '@navarch/store';
import { waitFor } from '@navarch/testing';
import { service as healthService } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, valueOf } from './api.fixture.ts';
import { reflect } from './grpc/reflection.fixture.ts';

const configMap = (name: string, data: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'nginx' }] },
});
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});
function aborting(): AbortSignal {
  const controller = new AbortController();
  stops.push(() => controller.abort());
  return controller.signal;
}
const nameOf = (object: Resource | undefined) => valueOf<ConfigMap>(object).metadata?.name;

describe('lists', () => {
  test('in chunks at one revision, whatever happens meanwhile', async () => {
    await using running = await startApi();
    const { client } = running;
    for (const name of ['a', 'b', 'c', 'd', 'e']) await client.create(configMap(name));
    const names: (string | undefined)[] = [];
    let next = '';
    let revision: bigint | undefined;
    do {
      const page = await client.list({ resource: 'configmaps', namespace: 'default', limit: 2, continue: next });
      revision ??= page.revision;
      expect(page.revision).toBe(revision);
      names.push(...page.items.map(nameOf));
      next = page.continue;
      await client.create(configMap(`d-${names.length}`));
      await client.delete({ resource: 'configmaps', namespace: 'default', name: 'e' }).catch(() => {});
    } while (next !== '');
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('show what was acknowledged, on every api', async () => {
    await using one = await startApi();
    await using two = await startApi({ store: one.store, hub: one.hub });
    for (let i = 0; i < 50; i++) {
      await one.client.create(configMap(`c${i}`));
      expect((await two.client.list({ resource: 'cm', namespace: 'default' })).items).toHaveLength(i + 1);
    }
  });
});

describe('watches', () => {
  test('several kinds on one stream: what there is, then every transaction as one batch', async () => {
    await using running = await startApi();
    const { client } = running;
    await client.create(configMap('before'));
    const targets = [{ resource: 'configmaps', namespace: 'default' }, { resource: 'pods' }];
    const batches = client.watch({ targets }, aborting());
    const first = (await batches.next()).value!;
    expect(first).toMatchObject({ initial: true, events: [{ type: 1 }] });
    expect((await batches.next()).value).toMatchObject({ initial: false, events: [], revision: first.revision });
    const writes = [configMap('both'), pod('both')].map((each) => ({
      write: { $case: 'create' as const, value: resource(each) },
    }));
    await client.transact({ writes, atomic: true });
    const batch = (await batches.next()).value!;
    expect(new Set(batch.events.map(({ resource }) => resource?.object?.$case))).toEqual(new Set(['configMap', 'pod']));
    expect(new Set(batch.events.map(({ resource }) => resource?.revision))).toEqual(new Set([batch.revision]));
  });

  test('an object that leaves the selection is DELETED, in its last selected state', async () => {
    await using running = await startApi();
    const { client } = running;
    const made = await client.create(pod('leaving'));
    const targets = [{ resource: 'pods', labelSelector: 'app=web' }];
    const batches = client.watch({ targets, after: String(made.revision) }, aborting());
    expect((await batches.next()).value?.events).toEqual([]);
    valueOf<Pod>(made).metadata!.labels = {};
    const { revision } = await client.update(made);
    const { events } = (await batches.next()).value!;
    expect(events).toMatchObject([
      { type: 3, resource: { revision, object: { value: { metadata: { labels: { app: 'web' } } } } } },
    ]);
  });

  test('go on at another api where they were', async () => {
    const store = new MemoryStore();
    await using one = await startApi({ store });
    const { revision } = await one.client.create(configMap('first'));
    await one.client.create(configMap('second'));
    await using two = await startApi({ store, hub: one.hub });
    const batches = two.client.watch({ targets: [{ resource: 'configmaps' }], after: String(revision) }, aborting());
    expect((await batches.next()).value?.events.map(({ resource }) => nameOf(resource))).toEqual(['second']);
  });

  test('from a revision that is gone, or was never there, are Expired', async () => {
    await using running = await startApi();
    for (const after of ['999999', '1']) {
      if (after === '1') await running.store.compact(await running.store.revision());
      await using another = await startApi({ store: running.store, hub: running.hub });
      const batches = another.client.watch({ targets: [{ resource: 'pods' }], after }, aborting());
      expect((await refusal(batches.next())).reason).toBe('Expired');
    }
  });
});

describe('events', () => {
  const event = (name: string, count = 1) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name },
    involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
    reason: 'BackOff',
    count,
  });

  test('are kept beside the store, reach every api, and are watched like all else', async () => {
    await using one = await startApi();
    await using two = await startApi({ store: one.store, hub: one.hub });
    const batches = two.client.watch({ targets: [{ resource: 'events', namespace: 'default' }] }, aborting());
    expect((await batches.next()).value?.initial).toBe(false);
    const made = await one.client.create(event('web.1'));
    valueOf<Event>(made).count = 2;
    await one.client.update(made);
    await waitFor(async () => {
      const { items } = await two.client.list({ resource: 'events', fieldSelector: 'involvedObject.name=web' });
      return items.some((item) => valueOf<Event>(item).count === 2);
    });
    expect((await batches.next()).value?.events.map(({ resource }) => nameOf(resource))).toEqual(['web.1']);
    expect((await one.store.list('/navarch/core/events/')).entries).toEqual([]);
    const mixed = two.client.watch({ targets: [{ resource: 'events' }, { resource: 'pods' }] }, aborting());
    expect((await refusal(mixed.next())).message).toContain('a stream of their own');
  });

  test('also while the bus is down', async () => {
    await using running = await startApi();
    running.hub.stop();
    await running.client.create(event('web.2'));
    expect((await running.client.list({ resource: 'events' })).items.map(nameOf)).toEqual(['web.2']);
  });
});

describe('the change feed', () => {
  const follow = async (running: TestApi, signal: AbortSignal) => {
    const logger = createLogger({ name: 'test', level: 'silent' });
    const client = createClient({ address: running.address, logger });
    const bus = running.hub.connect();
    const targets = [{ kind: podKind }, { kind: serviceKind }];
    const informers = createInformerSet({ api: client.raw, bus, targets, logger });
    const running_ = informers.run(signal);
    await informers.synced(signal);
    return { informers, end: () => Promise.all([running_, bus.close()]).then(() => client.close()) };
  };

  test('carries every change to informers, Secrets and ConfigMaps never; without the bus gRPC does', async () => {
    await using running = await startApi();
    const heard: string[] = [];
    const listening = new AbortController();
    const messages = running.bus.subscribe('navarch.changes.>', { signal: listening.signal });
    const listen = (async () => {
      for await (const { subject } of messages) heard.push(subject);
    })();
    const stop = new AbortController();
    const { informers, end } = await follow(running, stop.signal);
    const pods = informers.lister(podKind);
    for (let i = 0; i < 30; i++) {
      if (i === 15) running.hub.stop();
      if (i === 20) running.hub.start();
      await running.client.create(pod(`p${i}`));
      await running.client.create(configMap(`c${i}`));
    }
    await running.client.delete({ resource: 'pods', namespace: 'default', name: 'p3' });
    await waitFor(() => pods.list().length === 29 && pods.get('default/p29') !== undefined);
    expect(heard.some((subject) => subject.startsWith('navarch.changes.pods'))).toBe(true);
    expect(heard.filter((subject) => /configmaps|secrets|events/.test(subject))).toEqual([]);
    stop.abort();
    listening.abort();
    await Promise.all([end(), listen]);
  });

  test('one of several apis publishes it, and another takes over', async () => {
    await using two = await startApi();
    const one = await startApi({ store: two.store, hub: two.hub });
    const stop = new AbortController();
    const { informers, end } = await follow(two, stop.signal);
    await one.client.create(pod('first'));
    await one[Symbol.asyncDispose]();
    await two.client.create(pod('second'));
    await waitFor(() => informers.lister(podKind).list().length === 2);
    stop.abort();
    await end();
  });
});

describe('the server', () => {
  test('answers health checks and reflection', async () => {
    await using running = await startApi();
    const { makeClientConstructor } = await import('@grpc/grpc-js');
    const Health = makeClientConstructor(healthService, 'Health');
    const health = new Health(running.address, credentials.createInsecure());
    const { promise, resolve, reject } = Promise.withResolvers<{ status: string }>();
    health['check']?.({ service: '' }, (error: Error | null, response: { status: string }) =>
      error ? reject(error) : resolve(response),
    );
    expect((await promise).status).toBe('SERVING');
    health.close();
    const { services, files } = await reflect(running.address, 'navarch.api.v1.Resources');
    expect(services).toContain('navarch.api.v1.Resources');
    expect(files).toContain('navarch/api/v1/resources.proto');
    expect(files).toContain('navarch/core/v1/pod.proto');
  });

  test('makes the namespaces that the cluster needs, and keeps them', async () => {
    await using running = await startApi();
    const { items } = await running.client.list({ resource: 'namespaces' });
    expect(items.map(nameOf)).toEqual(['default', 'navarch-node-leases', 'navarch-system']);
    const error = await refusal(running.client.delete({ resource: 'namespaces', name: 'default' }));
    expect(error.reason).toBe('Forbidden');
  });
});

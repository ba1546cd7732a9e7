import type { ConfigMap } from '@navarch/proto';
import { EtcdStore } from '@navarch/store';
import { type EtcdServer, startEtcd, waitFor } from '@navarch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusal, startApi, type TestApi, valueOf } from './api.fixture.ts';

let etcd: EtcdServer;
let store: EtcdStore;
let running: TestApi;
beforeAll(async () => {
  etcd = await startEtcd();
  store = new EtcdStore({ endpoints: etcd.endpoint, deadlineMs: 1_000 });
  running = await startApi({ store });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await store.close();
  await etcd.stop();
});

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } });

test('on real etcd: concurrent writes, a watch that sees each once, and etcd killed under them', async () => {
  const { client } = running;
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { events } of client.watch({ targets: [{ resource: 'configmaps' }] }, stop.signal)) {
      for (const { resource } of events) seen.push(valueOf<ConfigMap>(resource).metadata!.name);
    }
  })();
  const acknowledged = new Set<string>();
  const write = async (name: string) => {
    await client.create(configMap(name));
    acknowledged.add(name);
  };
  await Promise.all(Array.from({ length: 200 }, (_, i) => write(`a${i}`)));

  // Waited for at once: some fail before etcd is gone.
  const during = Promise.allSettled(Array.from({ length: 50 }, (_, i) => write(`b${i}`)));
  await etcd.kill();
  await during;
  const down = await refusal(client.get({ resource: 'configmaps', namespace: 'default', name: 'a0' }));
  expect(down.reason).toBe('Unavailable');
  await etcd.start();
  await waitFor(() => write('c').then(() => true), { timeoutMs: 20_000 });

  const { items } = await client.list({ resource: 'configmaps', namespace: 'default' });
  const names = items.map((item) => valueOf<ConfigMap>(item).metadata!.name);
  for (const name of acknowledged) expect(names).toContain(name);
  await waitFor(() => seen.includes('c'));
  expect(seen.toSorted()).toEqual(names.toSorted());
  stop.abort();
  await watching;
}, 60_000);

test('writes the layout that is documented', async () => {
  await running.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const entry = await store.get('/navarch/core/nodes/n1');
  expect(entry?.value[0]).toBe(0);
  expect((await store.get('/navarch/core/namespaces/default'))?.value[0]).toBe(0);
  expect((await store.get('/navarch/coordination.k8s.io/leases/navarch-system/change-feed'))?.value[0]).toBe(0);
});

test('while etcd is down at the start, calls say so; once it is there, all goes on', async () => {
  const later = await startEtcd();
  await later.kill();
  const store = new EtcdStore({ endpoints: later.endpoint, deadlineMs: 500 });
  const { client, api, ...waiting } = await startApi({ store, ready: false });
  for (const call of [client.list({ resource: 'pods' }), client.create(configMap('early'))]) {
    expect(await refusal(call)).toMatchObject({ reason: 'Unavailable', message: expect.stringContaining('etcd') });
  }
  expect(api.notReady()).toContain('etcd');
  await later.start();
  await api.ready(AbortSignal.timeout(20_000));
  await client.create(configMap('early'));
  await waiting[Symbol.asyncDispose]();
  await store.close();
  await later.stop();
}, 60_000);

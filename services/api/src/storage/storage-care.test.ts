import type { ApiError } from '@navarch/machinery';
import type { Event, Lease } from '@navarch/proto';
import { EtcdMaintenance, EtcdStore, type Maintenance } from '@navarch/store';
import { prepareEtcd3, startEtcd, startEtcdCluster, waitFor } from '@navarch/testing';
import { beforeAll, expect, test } from 'vitest';
import { refusal, startApi, type TestClient, valueOf } from '../api.fixture.ts';
import { type CareTimes, usualTimes } from './care-plan.ts';

beforeAll(prepareEtcd3);

const MiB = 1024 ** 2;
/** As usual, but for an etcd that fills within a second. */
const quick: CareTimes = {
  ...usualTimes,
  keepMs: 500,
  keepWhenTightMs: 200,
  compactEveryMs: 250,
  compactWhenTightEveryMs: 250,
  defragmentEveryMs: 1_000,
  defragmentWhenNeededEveryMs: 500,
  defragmentUnderAlarmEveryMs: 500,
};

async function start(endpoints: string, quotaBytes: number, watched = (maintenance: Maintenance) => maintenance) {
  const store = new EtcdStore({ endpoints });
  const maintenance = new EtcdMaintenance({ endpoints });
  const storageLimits = { quotaBytes, watermark: 0.8 };
  const more = { maintenance: watched(maintenance), storageLimits, careTimes: quick };
  const running = await startApi({ store, more });
  return {
    ...running,
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await maintenance.close();
      await store.close();
    },
  };
}

const configMap = (name: string, data: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { data },
});
const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } });
const named = (name: string) => ({ resource: 'configmaps', namespace: 'default', name });
const large = 'x'.repeat(400_000);

/** What still works when the store is full: everything that makes room, and what that needs. */
async function makesRoom(client: TestClient, held: string): Promise<void> {
  const unheld = await client.delete(named(held));
  expect(unheld.gone).toBe(false);
  await client.patch({ ...named(held), type: 1, patch: '{"metadata":{"finalizers":[]}}' });
  expect((await refusal(client.get(named(held)))).reason).toBe('NotFound');
  await client.create(lease(held));
  await client.patch({ ...named('shrinks'), type: 1, patch: '{"data":{"data":"less","and":"a little"}}' });
  const grown = await refusal(client.patch({ ...named('shrinks'), type: 1, patch: `{"data":{"data":"${large}"}}` }));
  expect(grown).toMatchObject({ reason: 'InsufficientStorage', message: expect.stringContaining('can not grow') });
}

test('filled to the watermark: creates are refused, deletes make room, and creates work again by themselves', async () => {
  // Its own quota is larger than what the api is told, so that no alarm comes first.
  await using etcd = await startEtcd();
  await using running = await start(etcd.endpoint, 16 * MiB);
  const { client, api } = running;
  expect(api.remark()).toBeUndefined();
  await client.create(configMap('held', 'x', { finalizers: ['a.b/c'] }));
  await client.create(configMap('shrinks', large));
  let made = 0;
  let refused = await refusal(client.get(named('nobody')));
  // Again and again, because what is only history is let go first.
  let refusals = 0;
  await waitFor(
    async () => {
      try {
        await client.create(configMap(`c${made}`, large));
        made++;
        refusals = 0;
      } catch (error) {
        refused = error as ApiError; // the client throws nothing else
        refusals++;
      }
      return refusals >= 50;
    },
    { timeoutMs: 20_000 },
  );
  expect(refused.reason).toBe('InsufficientStorage');
  expect(refused.message).toMatch(
    /^configmaps "c\d+" in namespace "default" is not created: storage is \d+ % full: etcd uses .* of its quota of 16 MiB, and the limit for new objects is 80 %\. Delete objects/,
  );
  expect(api.remark()).toMatch(/^storage is \d+ % full.*nothing new is created/);
  expect(await client.storage()).toMatchObject({ refusingCreates: true, alarms: [] });
  await makesRoom(client, 'held');
  for (let i = 0; i < made; i += 2) await client.delete(named(`c${i}`));
  await waitFor(async () => await client.create(configMap('again', large)).then(() => true), { timeoutMs: 20_000 });
  await waitFor(async () => (await client.storage()).explanation.includes('There is room'));
}, 60_000);

test('the space alarm: noticed, explained, and taken back once there is room', async () => {
  await using etcd = await startEtcd({ flags: [`--quota-backend-bytes=${16 * MiB}`] });
  await using running = await start(etcd.endpoint, 16 * MiB);
  const { client, store } = running;
  await client.create(configMap('held', 'x', { finalizers: ['a.b/c'] }));
  await client.create(configMap('shrinks', large));
  // Somebody else's keys, which the api does not count before etcd does.
  const value = Buffer.alloc(100_000, 'x');
  const foreign: string[] = [];
  await waitFor(
    async () => {
      const key = `/foreign/${foreign.length}`;
      await store.commit({ compare: [], ops: [{ type: 'put', key, value }] });
      foreign.push(key);
      return (await client.storage()).alarms.includes('NOSPACE');
    },
    { intervalMs: 0, timeoutMs: 20_000 },
  );
  const refused = await refusal(client.create(configMap('more', 'x')));
  expect(refused).toMatchObject({
    reason: 'InsufficientStorage',
    message: expect.stringContaining('etcd has raised its space alarm'),
  });
  expect((await client.storage()).explanation).toContain('etcd has raised its space alarm');
  await waitFor(async () => (await client.storage()).waitingFor.includes('objects to be deleted'));
  await makesRoom(client, 'held');
  const renewed = valueOf<Lease>(
    await client.get({ resource: 'leases', namespace: 'navarch-system', name: 'storage-care' }),
  );
  expect(renewed.spec?.holderIdentity).not.toBe('');

  for (const key of foreign) await store.commit({ compare: [], ops: [{ type: 'delete', key }] });
  await waitFor(async () => await client.create(configMap('again', large)).then(() => true), { timeoutMs: 20_000 });
  const after = await client.storage();
  expect(after).toMatchObject({ refusingCreates: false, alarms: [], members: [{ endpoint: etcd.endpoint }] });
  expect(after.disarmedAt).not.toBe('');
  await waitFor(async () => Number((await client.storage()).members[0]?.diskBytes) < 8 * MiB);
  await waitFor(async () => {
    const fieldSelector = 'involvedObject.kind=Lease,involvedObject.name=storage-care';
    const { items } = await client.list({ resource: 'events', namespace: 'navarch-system', fieldSelector });
    const reasons = new Set(items.map((item) => valueOf<Event>(item).reason));
    return ['StorageFull', 'StorageAlarm', 'StorageAlarmCleared', 'StorageHasRoom'].every((each) => reasons.has(each));
  });
}, 60_000);

test('what is only history is let go, and of three members one at a time is defragmented while writes go on', async () => {
  await using etcd = await startEtcdCluster(3);
  let busy = 0;
  let busiest = 0;
  const watched = (maintenance: Maintenance): Maintenance => ({
    status: () => maintenance.status(),
    disarm: () => maintenance.disarm(),
    defragment: async (endpoint) => {
      busiest = Math.max(busiest, ++busy);
      await maintenance.defragment(endpoint).finally(() => busy--);
    },
  });
  // Two replicas, of which one acts.
  await using running = await start(etcd.endpoints, 64 * MiB, watched);
  await using other = await start(etcd.endpoints, 64 * MiB, watched);
  const { client } = running;
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 10; i++) await client.apply(configMap(`c${i}`, `${round}`.repeat(500_000)));
  }
  let wrote = 0;
  await waitFor(
    async () => {
      await client.apply(configMap('during', String(wrote++)));
      const { members } = await client.storage();
      return members.every(({ defragmentedBytes, diskBytes }) => defragmentedBytes > 0n && diskBytes < 16 * MiB);
    },
    { timeoutMs: 20_000, what: 'all three members to be defragmented' },
  );
  expect(busiest).toBe(1);
  const after = await other.client.storage();
  expect(after).toMatchObject({ refusingCreates: false, alarms: [] });
  expect(after.compactedRevision).toBeGreaterThan(1n);
  expect(after.explanation).toMatch(/^Storage is \d+ % full: etcd uses .* of its quota of 64 MiB\./);
}, 60_000);

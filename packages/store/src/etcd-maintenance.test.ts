import { freePort, startEtcd, waitFor } from '@navarch/testing';
import { expect, test } from 'vitest';
import { EtcdMaintenance } from './etcd-maintenance.ts';
import { EtcdStore } from './etcd-store.ts';
import { put, write } from './observe.fixture.ts';

test('an etcd that is full says so, and takes writes again after compaction, defragmentation and disarming', async () => {
  await using server = await startEtcd({ flags: ['--quota-backend-bytes=4194304'] });
  const store = new EtcdStore({ endpoints: server.endpoint });
  const maintenance = new EtcdMaintenance({ endpoints: server.endpoint });
  const half = 'x'.repeat(500_000);
  const fill = async () => {
    for (let i = 0; i < 20; i++) await store.commit(write(put('/full', half)));
  };
  await expect(fill()).rejects.toMatchObject({
    reason: 'Unavailable',
    message: expect.stringContaining('is full: compact, defragment'),
  });
  const [full] = await maintenance.status();
  expect(full).toMatchObject({ endpoint: server.endpoint, alarms: ['Nospace'] });
  expect(full?.version).toMatch(/^3\./);

  await store.compact(await store.revision());
  await waitFor(async () => ((await maintenance.status())[0]?.usedBytes ?? 0) < (full?.usedBytes ?? 0));
  await maintenance.defragment();
  await maintenance.disarm();
  expect((await store.commit(write(put('/full', 'room again')))).committed).toBe(true);
  const [roomy] = await maintenance.status();
  expect(roomy?.alarms).toEqual([]);
  expect(roomy?.diskBytes).toBeLessThan(full?.diskBytes ?? 0);
  await maintenance.close();
  await store.close();
}, 30_000);

test('a member out of reach is Unavailable, by name', async () => {
  const endpoint = `127.0.0.1:${await freePort()}`;
  const maintenance = new EtcdMaintenance({ endpoints: endpoint, deadlineMs: 300 });
  await expect(maintenance.status()).rejects.toMatchObject({
    reason: 'Unavailable',
    message: expect.stringContaining(endpoint),
  });
  await maintenance.close();
});

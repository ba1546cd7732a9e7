import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort, startEtcd, waitFor } from '@navarch/testing';
import { beforeAll, expect, test } from 'vitest';
import { EtcdMaintenance } from './etcd-maintenance.ts';
import { EtcdStore } from './etcd-store.ts';
import { put, write } from './observe.fixture.ts';

beforeAll(() => {
  // The tests run with the resolve condition `import`, with which the protobufjs behind etcd3 finds `long` in a form that
  // it can't use; it would then round member ids to what a double holds, and an alarm be disarmed of a member unknown.
  const require = createRequire(fileURLToPath(import.meta.resolve('etcd3')));
  const protobuf: { util: { Long: unknown }; configure(): void } = require('protobufjs');
  protobuf.util.Long ??= require('long').default;
  protobuf.configure();
});

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
  // etcd drops what is compacted in its own time, and only what is dropped can be given back.
  await waitFor(async () => {
    await maintenance.defragment();
    const [member] = await maintenance.status();
    return member && full && member.diskBytes < full.diskBytes / 2;
  });
  await maintenance.disarm();
  expect((await store.commit(write(put('/full', 'room again')))).committed).toBe(true);
  const [roomy] = await maintenance.status();
  expect(roomy?.alarms).toEqual([]);
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

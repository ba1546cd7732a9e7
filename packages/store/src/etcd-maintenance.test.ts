import { freePort, prepareEtcd3, startEtcd, startEtcdCluster, waitFor } from '@navarch/testing';
import { beforeAll, expect, test } from 'vitest';
import { EtcdMaintenance, type MemberReport, type MemberStatus } from './etcd-maintenance.ts';
import { EtcdStore } from './etcd-store.ts';
import { put, remove, when, write } from './observe.fixture.ts';

beforeAll(prepareEtcd3);

function answering(report: MemberReport | undefined): MemberStatus {
  if (report === undefined || 'unreachable' in report) throw new Error(`no answer: ${report?.unreachable}`);
  return report;
}

test('an etcd that is full still takes what makes room, and is well after compaction, defragmentation and disarming', async () => {
  await using server = await startEtcd({ flags: ['--quota-backend-bytes=4194304'] });
  const store = new EtcdStore({ endpoints: server.endpoint });
  const maintenance = new EtcdMaintenance({ endpoints: server.endpoint });
  const status = async () => answering((await maintenance.status())[0]);
  const half = 'x'.repeat(500_000);
  for (let i = 0; (await status()).alarms.length === 0; i++) await store.commit(write(put(`/full/${i % 4}`, half)));
  const full = await status();
  expect(full).toMatchObject({ endpoint: server.endpoint, alarms: ['NOSPACE'], leads: true });
  expect(full.version).toMatch(/^3\./);

  // Alone and with others, puts and deletes, and a compare that fails: all as ever.
  const { revision } = await store.commit(write(put('/small', 'x')));
  expect(await store.commit(when({ '/small': revision }, remove('/full/0'), put('/small', 'y')))).toMatchObject({
    committed: true,
  });
  expect(await store.commit(when({ '/small': revision }, put('/small', 'z')))).toMatchObject({
    committed: false,
    conflicts: [{ key: '/small', entry: { key: '/small' } }],
  });
  await Promise.all([1, 2, 3].map((i) => store.commit(write(remove(`/full/${i}`)))));

  await store.compact(await store.revision());
  // etcd drops what is compacted in its own time, and only what is dropped can be given back.
  await waitFor(async () => {
    await maintenance.defragment(server.endpoint);
    return (await status()).diskBytes < full.diskBytes / 2;
  });
  await maintenance.disarm();
  expect((await status()).alarms).toEqual([]);
  expect((await store.commit(write(put('/small', 'room again')))).committed).toBe(true);
  expect((await status()).alarms).toEqual([]);
  await maintenance.close();
  await store.close();
}, 30_000);

test('each member tells of itself; one out of reach does not hide the others', async () => {
  await using cluster = await startEtcdCluster(3);
  const nobody = `127.0.0.1:${await freePort()}`;
  const maintenance = new EtcdMaintenance({ endpoints: `${cluster.endpoints},${nobody}`, statusDeadlineMs: 1_000 });
  const reports = await maintenance.status();
  expect(
    reports
      .slice(0, 3)
      .map(answering)
      .filter(({ leads }) => leads),
  ).toHaveLength(1);
  expect(reports[3]).toEqual({ endpoint: nobody, unreachable: expect.any(String) });
  await expect(maintenance.defragment(nobody)).rejects.toMatchObject({
    reason: 'Unavailable',
    message: expect.stringContaining(nobody),
  });
  await maintenance.close();
}, 30_000);

import { EtcdMaintenance, EtcdStore } from '@navarch/store';
import { type EtcdCluster, prepareEtcd3, startEtcdCluster, waitFor } from '@navarch/testing';
import { beforeAll, expect, test } from 'vitest';
import { refusal, startApi } from '../api.fixture.ts';
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
};

async function start(etcd: EtcdCluster, quotaBytes: number) {
  const store = new EtcdStore({ endpoints: etcd.endpoints });
  const maintenance = new EtcdMaintenance({ endpoints: etcd.endpoints });
  const storageLimits = { quotaBytes, watermark: 0.8 };
  const running = await startApi({ store, more: { maintenance, storageLimits, careTimes: quick } });
  return {
    ...running,
    maintenance,
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await maintenance.close();
      await store.close();
    },
  };
}

const configMap = (name: string, data: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { data },
});

test('history alone fills the file: it is let go, and the members are defragmented one at a time while writes go on', async () => {
  await using etcd = await startEtcdCluster(3);
  await using running = await start(etcd, 64 * MiB);
  const { client } = running;
  // Ten objects of half a MiB, forty times over: of 20 MiB all but 5 are history.
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 10; i++) {
      await client.apply(configMap(`c${i}`, `${round}`.repeat(500_000)));
    }
  }
  let wrote = 0;
  await waitFor(
    async () => {
      await client.apply(configMap('during', String(wrote++)));
      const { members } = await client.storage();
      return members.every(({ defragmentedBytes, diskBytes }) => defragmentedBytes > 0n && diskBytes < 16n * 1048576n);
    },
    { timeoutMs: 20_000, what: 'all three members to be defragmented' },
  );
  const after = await client.storage();
  const times = after.members.map(({ defragmentedAt }) => defragmentedAt);
  expect(new Set(times).size).toBe(3);
  expect(after.members.find(({ leads }) => leads)?.defragmentedAt).toBe(times.toSorted().at(-1));
  expect(after).toMatchObject({ refusingCreates: false, alarms: [], defragmenting: '', waitingFor: '' });
  expect(after.compactedRevision).toBeGreaterThan(1n);
  expect(after.explanation).toMatch(/^Storage is \d+ % full: etcd uses .* of its quota of 64 MiB\./);
}, 60_000);

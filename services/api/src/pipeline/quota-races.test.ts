import { type ApiError, randomFrom } from '@navarch/machinery';
import { EtcdStore, type Store } from '@navarch/store';
import { type EtcdServer, startEtcd } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi } from '../api.fixture.ts';
import { LateStore } from '../late-store.fixture.ts';
import { configMap } from './manifests.fixture.ts';
import { quotaStory } from './quota-story.fixture.ts';

/** Two replicas of the api on one store. */
async function tell(store: Store, seed: number) {
  await using one = await startApi({ store });
  await using two = await startApi({ store, hub: one.hub });
  return await quotaStory([one.client, two.client], randomFrom(seed));
}

function expectKept({ faults, granted, refused, counted, used }: Awaited<ReturnType<typeof tell>>) {
  expect(faults).toEqual([]);
  expect(used).toEqual(counted);
  expect(granted).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(20);
}

test.each([1, 4])('no revision shows more used than allowed or other than counted, story %i', async (seed) => {
  expectKept(await tell(new LateStore(), seed));
});

describe('on real etcd', () => {
  let etcd: EtcdServer;
  let store: EtcdStore;
  beforeAll(async () => {
    etcd = await startEtcd();
    store = new EtcdStore({ endpoints: etcd.endpoint, deadlineMs: 5_000 });
  });
  afterAll(async () => {
    await store.close();
    await etcd.stop();
  });

  test('no revision shows more used than allowed or other than counted', async () => {
    expectKept(await tell(store, 5));
  });

  test('many writers of one quota wait for their turn, and none gives up', async () => {
    await using running = await startApi({ store });
    const { client } = running;
    await client.create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q', namespace: 'default' },
      spec: { hard: { configmaps: '250' } },
    });
    const made = await Promise.allSettled(Array.from({ length: 300 }, (_, i) => client.create(configMap(`c${i}`))));
    const outcomes = made.map((each) => (each.status === 'fulfilled' ? 'made' : (each.reason as ApiError).reason));
    expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(250);
    expect(new Set(outcomes)).toEqual(new Set(['made', 'Forbidden']));
  });
});

import { randomFrom } from '@navarch/machinery';
import { EtcdStore, type Store } from '@navarch/store';
import { type EtcdServer, startEtcd } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi } from '../api.fixture.ts';
import { LateStore } from '../late-store.fixture.ts';
import { type RoomStory, roomStory } from './room-story.fixture.ts';

/** Two replicas of the api on one store. */
async function tell(store: Store, seed: number): Promise<RoomStory> {
  await using one = await startApi({ store });
  await using two = await startApi({ store, hub: one.hub });
  return await roomStory([one.client, two.client], randomFrom(seed));
}

function expectKept({ faults, bound, refused }: RoomStory) {
  expect(faults).toEqual([]);
  expect(bound).toBeGreaterThan(15);
  expect(refused).toBeGreaterThan(20);
}

test.each([1, 2])('no node has more than it can take at any revision, story %i', async (seed) => {
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

  test('no node has more than it can take at any revision', async () => {
    expectKept(await tell(store, 3));
  });
});

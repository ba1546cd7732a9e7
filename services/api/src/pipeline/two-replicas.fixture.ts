/** For tests of races: two replicas of the api on one store, and real etcd. */
import { type Random, randomFrom } from '@navarch/machinery';
import { EtcdStore, type Store } from '@navarch/store';
import { type EtcdServer, startEtcd } from '@navarch/testing';
import { afterAll, beforeAll } from 'vitest';
import { startApi, type TestClient } from '../api.fixture.ts';

/** Tells a story with a client of each replica. */
export async function withTwoReplicas<T>(
  store: Store,
  seed: number,
  story: (clients: readonly [TestClient, TestClient], random: Random) => Promise<T>,
): Promise<T> {
  await using one = await startApi({ store });
  await using two = await startApi({ store, hub: one.hub });
  return await story([one.client, two.client], randomFrom(seed));
}

/** A store on an etcd of its own, for the tests of the block that it is called in. */
export function etcdForTests(): () => EtcdStore {
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
  return () => store;
}

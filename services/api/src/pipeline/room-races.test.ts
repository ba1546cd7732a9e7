import type { Store } from '@navarch/store';
import { describe, expect, test } from 'vitest';
import { LateStore } from '../late-store.fixture.ts';
import { type RoomStory, roomStory } from './room-story.fixture.ts';
import { etcdForTests, withTwoReplicas } from './two-replicas.fixture.ts';

const tell = (store: Store, seed: number) => withTwoReplicas(store, seed, roomStory);

function expectKept({ faults, bound, refused }: RoomStory) {
  expect(faults).toEqual([]);
  expect(bound).toBeGreaterThan(15);
  expect(refused).toBeGreaterThan(20);
}

test.each([1, 2])('no node has more than it can take at any revision, story %i', async (seed) => {
  expectKept(await tell(new LateStore(), seed));
});

describe('on real etcd', () => {
  const store = etcdForTests();

  test('no node has more than it can take at any revision', async () => {
    expectKept(await tell(store(), 3));
  });
});

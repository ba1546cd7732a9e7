import type { ApiError } from '@navarch/machinery';
import type { Store } from '@navarch/store';
import { describe, expect, test } from 'vitest';
import { startApi } from '../api.fixture.ts';
import { LateStore } from '../late-store.fixture.ts';
import { configMap } from './manifests.fixture.ts';
import { quotaStory } from './quota-story.fixture.ts';
import { etcdForTests, withTwoReplicas } from './two-replicas.fixture.ts';

const tell = (store: Store, seed: number) => withTwoReplicas(store, seed, quotaStory);

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
  const store = etcdForTests();

  test('no revision shows more used than allowed or other than counted', async () => {
    expectKept(await tell(store(), 5));
  });

  test('many writers of one quota wait for their turn, and none gives up', async () => {
    await using running = await startApi({ store: store() });
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

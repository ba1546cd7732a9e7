import { randomFrom } from '@navarch/machinery';
import type { Pod, PodDisruptionBudget } from '@navarch/proto';
import { expect, test } from 'vitest';
import { startApi, valueOf } from '../api.fixture.ts';
import { LateStore } from '../late-store.fixture.ts';
import { evictionStory } from './eviction-story.fixture.ts';

test.each([1, 2, 3])(
  'evictions that race at two replicas never leave fewer Pods than the budget says, story %i',
  async (seed) => {
    const store = new LateStore();
    await using one = await startApi({ store });
    await using two = await startApi({ store, hub: one.hub });
    const { faults, granted, refused } = await evictionStory([one.client, two.client], randomFrom(seed), 12);
    expect(faults).toEqual([]);
    expect(granted).toBeGreaterThan(5);
    expect(refused).toBeGreaterThan(20);
  },
);

test("an eviction and what it takes from the budget are one revision's", async () => {
  await using running = await startApi();
  const { client } = running;
  await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const labels = { app: 'web' };
  const spec = { containers: [{ name: 'c', image: 'x' }], nodeName: 'n1' };
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  for (const name of ['a', 'b']) {
    await client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels }, spec });
    const patch = JSON.stringify({ status });
    await client.patch({
      resource: 'pods',
      namespace: 'default',
      name,
      subresource: 'status',
      type: 'TYPE_MERGE',
      patch,
    });
  }
  const budget = await client.create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  });
  const value = valueOf<PodDisruptionBudget>(budget);
  const counted = {
    observedGeneration: 1,
    disruptedPods: {},
    disruptionsAllowed: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
  };
  const allowed = [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }];
  await client.patch({
    resource: 'poddisruptionbudgets.policy',
    namespace: 'default',
    name: value.metadata?.name,
    subresource: 'status',
    type: 'TYPE_MERGE',
    patch: JSON.stringify({ status: { ...counted, conditions: allowed } }),
  });
  const evict = (name: string, more: object = {}) =>
    client.evict({ eviction: { namespace: 'default', name }, ...more });
  const read = () => client.get({ resource: 'poddisruptionbudgets.policy', namespace: 'default', name: 'web' });

  await evict('a', { dryRun: true });
  expect(valueOf<PodDisruptionBudget>(await read()).status?.disruptionsAllowed).toBe(1);
  const { resource } = await evict('a');
  const after = await read();
  expect(after.revision).toBe(resource?.revision);
  const { deletionTimestamp } = valueOf<Pod>(resource).metadata ?? {};
  expect(valueOf<PodDisruptionBudget>(after).status).toMatchObject({
    disruptionsAllowed: 0,
    disruptedPods: { a: deletionTimestamp },
    conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
  });
  await expect(evict('b')).rejects.toMatchObject({ reason: 'TooManyRequests', retryAfterSeconds: 2 });
  // It is going already: asking again takes nothing.
  await evict('a');
  expect(valueOf<PodDisruptionBudget>(await read()).status?.disruptionsAllowed).toBe(0);
});

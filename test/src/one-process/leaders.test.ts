import { pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { History } from './history.ts';
import { deployment, untilAtRest, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
let history: History;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
  history = new History(cluster.store);
  await cluster.apply(deployment(web));
  await untilExactly(cluster, [web]);
});
afterAll(async () => {
  await history.stop();
  await cluster.stop();
});

const web = { name: 'web', replicas: 4, image: 'web:1' };

test('what a paused leader had sent is refused when it arrives in the time of the next', async () => {
  const { time, client } = cluster;
  // It still hears by the bus that a Pod has gone, and sends another.
  cluster.pauseLeader('controller-manager');
  const [gone] = (await client.list(podKind)).items;
  await client.delete(podKind, { namespace: 'default', name: gone?.metadata.name ?? '' });
  const pods = async () => (await client.list(podKind)).items.length;
  await time.until('the Pod to go', async () => (await pods()) === 3);
  await time.pass(3_000);
  expect(await pods()).toBe(3);
  await cluster.startLeader('controller-manager');
  await untilExactly(cluster, [web]);
  cluster.wakeLeaders();
  expect(await untilAtRest(cluster, [web])).toEqual([]);
  expect(history.wrongs).toEqual([]);
  expect(history.podsMade).toBe(5);
});

test('what a killed scheduler was to place is taken over once its lease has run out', async () => {
  const { time } = cluster;
  cluster.killLeader('scheduler');
  await cluster.startLeader('scheduler');
  const startMs = time.clock.monotonicMs();
  await cluster.apply(deployment({ ...web, replicas: 6 }));
  await untilExactly(cluster, [{ ...web, replicas: 6 }]);
  expect(time.clock.monotonicMs() - startMs).toBeLessThan(30_000);
});

import { pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 1 });
});
afterAll(() => cluster.stop());

const important = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'important', namespace: 'default' },
  spec: {
    priorityClassName: 'important',
    containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '7800m' } } }],
  },
};

test('an important Pod makes lesser ones go, as few as it must, and they say for whom', async () => {
  await cluster.apply(
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'important' }, value: 1000 },
    deployment({ name: 'web', replicas: 4, image: 'web:1' }),
  );
  await untilExactly(cluster, [{ name: 'web', replicas: 4, image: 'web:1' }]);
  const podNamed = async (name: string) =>
    (await cluster.client.list(podKind)).items.find(({ metadata }) => metadata.name === name);
  await cluster.apply(important);
  await cluster.time.until('the important Pod to run', async () => {
    return (await podNamed('important'))?.status.phase === 'Running';
  });
  const { out } = await cluster.navctl('events');
  expect(out.match(/Preempted/g)).toHaveLength(2);
  expect(out).toContain('Makes room for default/important, which is more important, on node n1');
  // The Deployment makes others in their place, for which there is no room.
  const { items } = await cluster.client.list(podKind);
  expect(items.filter(({ spec }) => spec.nodeName === '')).toHaveLength(2);
});

import { deployment as deploymentKind, pod as podKind, resourceQuota as quotaKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

const quota = (hard: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'team' },
  spec: { hard },
});
const apply = async (manifest: object) =>
  expect(await cluster.navctlWith(JSON.stringify(manifest), 'apply', '-f', '-')).toMatchObject({ code: 0 });
const used = async () => (await cluster.client.get(quotaKind, { namespace: 'default', name: 'team' })).status.used;
const pods = async () => (await cluster.client.list(podKind)).items.length;

test('a quota holds a Deployment back, says why, and lets it go on once there is room', async () => {
  await apply(quota({ pods: '3', 'requests.memory': '1Gi' }));
  await cluster.time.until('the new quota is counted', async () => (await used())['pods'] === '0');

  await apply(deployment({ name: 'web', replicas: 5, image: 'web:1' }));
  await cluster.time.until('as many Pods as there may be', async () => (await pods()) === 3);
  const failure = await cluster.time.until('the reason', async () => {
    const { status } = await cluster.client.get(deploymentKind, { namespace: 'default', name: 'web' });
    return status.conditions.find(({ type }) => type === 'ReplicaFailure');
  });
  expect(failure.message).toContain('exceeded quota: team, requested: pods=1, used: pods=3, limited: pods=3');
  expect(await used()).toEqual({ pods: '3', 'requests.memory': '96Mi' });

  await apply(quota({ pods: '4', 'count/deployments.apps': '9' }));
  await cluster.time.until('one more Pod', async () => (await pods()) === 4);
  await cluster.time.until('the new limits are counted', async () => (await used())['count/deployments.apps'] === '1');

  await cluster.navctl('delete', 'deploy', 'web');
  await cluster.time.until('all is given back', async () => (await used())['pods'] === '0');
  expect(await used()).toEqual({ pods: '0', 'count/deployments.apps': '0' });
});

import { pod as podKind, serviceAccount as serviceAccountKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 1 });
});
afterAll(() => cluster.stop());

const accounts = async (namespace: string) =>
  (await cluster.client.list(serviceAccountKind, { namespace })).items.map(({ metadata }) => metadata);
const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'team' },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'c:1' }], ...spec },
});

test('each namespace has a default account, which is made again, and which Pods have that name none', async () => {
  await cluster.navctl('create', 'namespace', 'team');
  const [made] = await cluster.time.until('the default account', async () => {
    const found = await accounts('team');
    return found.length === 1 ? found : undefined;
  });
  expect(made?.name).toBe('default');
  await cluster.navctl('delete', 'sa', 'default', '-n', 'team');
  await cluster.time.until('another one', async () => {
    const [again] = await accounts('team');
    return again !== undefined && again.uid !== made?.uid;
  });
  await cluster.apply(pod('web'));
  const { spec } = await cluster.client.get(podKind, { namespace: 'team', name: 'web' });
  expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' });
  // What the api has added is no difference to the manifest.
  expect(await cluster.navctlWith(JSON.stringify(pod('web')), 'diff', '-f', '-')).toMatchObject({ code: 0, out: '' });
});

test('a Pod that names an account needs it', async () => {
  await expect(cluster.apply(pod('robot', { serviceAccountName: 'robot' }))).rejects.toThrow(
    'there is no ServiceAccount "robot" in namespace "team"',
  );
  await cluster.navctl('create', 'serviceaccount', 'robot', '-n', 'team');
  await cluster.apply(pod('robot', { serviceAccount: 'robot' }));
  const { spec } = await cluster.client.get(podKind, { namespace: 'team', name: 'robot' });
  expect(spec.serviceAccountName).toBe('robot');
});

test('a namespace that is deleted goes with its accounts', async () => {
  expect(await cluster.navctl('delete', 'namespace', 'team')).toMatchObject({ code: 0 });
  expect(await accounts('team')).toEqual([]);
  expect((await accounts('default')).map(({ name }) => name)).toEqual(['default']);
});

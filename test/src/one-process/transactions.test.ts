import { configMap, deployment as deploymentKind, namespace, node, pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

const applyAtomic = (manifests: readonly object[], ...more: string[]) =>
  cluster.navctlWith(
    manifests.map((each) => JSON.stringify(each)).join('\n---\n'),
    'apply',
    '--atomic',
    '-f',
    '-',
    ...more,
  );
const settings = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
});

test('apply --atomic makes a whole application at one revision, or nothing of it', async () => {
  const web = { name: 'web', replicas: 2, image: 'web:1', namespace: 'shop' };
  const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const all = [deployment(web), settings('settings', { namespace: 'shop' }), shop];

  const wrong = [...all, settings('lost', { namespace: 'nowhere' }), settings('held', { finalizers: ['x/y/z'] })];
  const refused = await applyAtomic(wrong);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err.split('\n')).toEqual([
    'error: nothing was sent, because:',
    expect.stringMatching(/^ {2}stdin:9:\d+ metadata.finalizers\[0\]: /),
    '',
  ]);
  const late = await applyAtomic(wrong.slice(0, -1));
  expect(late).toMatchObject({ code: 1, out: '' });
  expect(late.err.split('\n')).toEqual([
    'error: nothing was changed, because:',
    expect.stringMatching(
      /^ {2}stdin:7:1 configmap\/lost: Error from server \(NotFound\): namespace "nowhere" not found/,
    ),
    '',
  ]);
  expect((await cluster.client.list(namespace)).items.map(({ metadata }) => metadata.name)).not.toContain('shop');

  expect((await applyAtomic(all, '--dry-run=server')).out).toContain('deployment.apps/web created (server dry run)\n');
  expect(await applyAtomic(all)).toEqual({
    code: 0,
    err: '',
    out: 'namespace/shop created\ndeployment.apps/web created\nconfigmap/settings created\n',
  });
  const made = await cluster.client.get(configMap, { namespace: 'shop', name: 'settings' });
  expect((await cluster.client.get(namespace, { name: 'shop' })).metadata.creationTimestamp).toBe(
    made.metadata.creationTimestamp,
  );
  await untilExactly(cluster, [web]);
  const again = await applyAtomic([deployment({ ...web, replicas: 3 }), ...all.slice(1)]);
  expect(again.out).toBe('namespace/shop unchanged\ndeployment.apps/web configured\nconfigmap/settings unchanged\n');
  await untilExactly(cluster, [{ ...web, replicas: 3 }]);

  const many = Array.from({ length: 101 }, (_, i) => settings(`many-${i}`));
  expect(await applyAtomic(many)).toMatchObject({ code: 1, err: expect.stringContaining('at most 100') as string });
  await cluster.navctl('delete', 'namespace', 'shop');
  await untilExactly(cluster, []);
});

test('scale is for every kind that can be, and only for what was seen', async () => {
  const web = { name: 'scaled', replicas: 1, image: 'web:1' };
  await cluster.apply(deployment(web));
  expect(await cluster.navctl('scale', 'deploy/scaled', '--replicas=3', '--current-replicas=2')).toMatchObject({
    code: 1,
    err: expect.stringContaining('has 1 replicas, not 2') as string,
  });
  expect(await cluster.navctl('scale', 'deploy/scaled', '--replicas=3', '--current-replicas=1')).toMatchObject({
    out: 'deployment.apps/scaled scaled\n',
  });
  await untilExactly(cluster, [{ ...web, replicas: 3 }]);
  const patch = ['patch', 'deploy', 'scaled', '--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":2}}'];
  expect(await cluster.navctl(...patch)).toMatchObject({ code: 0 });
  await untilExactly(cluster, [{ ...web, replicas: 2 }]);
  await cluster.navctl('delete', 'deploy/scaled');
  await untilExactly(cluster, []);
});

test('a drained node has no Pods, its Pods are made elsewhere, and what would be lost is asked about', async () => {
  const web = { name: 'moving', replicas: 4, image: 'web:1' };
  await cluster.apply(deployment(web));
  await untilExactly(cluster, [web]);
  const alone = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'alone' },
    spec: { nodeName: 'n1', terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'alone:1' }] },
  };
  await cluster.apply(alone);
  const refused = await cluster.navctl('drain', 'n1');
  expect(refused).toMatchObject({ code: 1, out: 'node/n1 cordoned\n' });
  expect(refused.err).toContain('default/alone');
  const drained = await cluster.navctl('drain', 'n1', '--force');
  expect(drained).toMatchObject({
    code: 0,
    err: 'Warning: evicting Pods that nobody will make again: default/alone\n',
  });
  expect(drained.out).toMatch(/^node\/n1 already cordoned\n(evicting pod default\/\S+\n)+node\/n1 drained\n$/);
  expect((await cluster.client.list(podKind, { fieldSelector: 'spec.nodeName=n1' })).items).toEqual([]);
  await untilExactly(cluster, [web]);
  expect((await cluster.client.get(node, { name: 'n1' })).spec.unschedulable).toBe(true);
  await cluster.navctl('uncordon', 'n1');
  await cluster.navctl('delete', 'deploy/moving');
  await untilExactly(cluster, []);
  expect((await cluster.client.list(deploymentKind)).items).toEqual([]);
});

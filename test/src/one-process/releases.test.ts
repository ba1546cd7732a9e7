import {
  configMap as configMapKind,
  deployment as deploymentKind,
  pod as podKind,
  replicaSet as replicaSetKind,
  secret as secretKind,
} from '@navarch/kinds';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, isReady, untilExactly, writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

const web = { name: 'web', replicas: 4, image: 'web:1' };
const key = { namespace: 'default', name: 'web' };
const sizes = async () => {
  const { items } = await cluster.client.list(replicaSetKind, { labelSelector: 'app=web' });
  return Object.fromEntries(items.map(({ spec }) => [spec.template?.spec?.containers[0]?.image, spec.replicas]));
};
const until = (what: string, done: () => Promise<boolean>) => cluster.time.until(what, done);
const manifest = (annotations: Record<string, string>, image = web.image) => {
  const object = deployment({ ...web, image }) as { metadata: object }; // it has a name
  return { ...object, metadata: { ...object.metadata, annotations } };
};
const reasonOf = async (type: string) => {
  const { status } = await cluster.client.get(deploymentKind, key);
  return status.conditions.find((condition) => condition.type === type)?.reason;
};

describe('a Deployment that goes back by itself', () => {
  const annotations = { 'navarch.io/auto-rollback': 'true' };

  test.each([
    { image: 'web:broken', why: /container "c" of Pod web-\w+-\w+ ended 3 times, the last time with exit code 1/ },
    {
      image: 'registry.invalid/web',
      why: /container "c" of Pod web-\w+-\w+ can't start \((ErrImagePull|ImagePullBackOff)\)/,
    },
  ])('runs its last good image again after $image, and says why', async ({ image, why }) => {
    await cluster.apply(manifest(annotations));
    await untilExactly(cluster, [web]);
    await until('it to be known as good', async () => {
      const { status } = await cluster.client.get(deploymentKind, key);
      return status.release?.lastGood !== undefined;
    });
    await cluster.navctl('set', 'image', 'deploy/web', `c=${image}`);
    await until('the rollback', async () => (await reasonOf('RolledBack')) === 'PodsFail');
    await untilExactly(cluster, [web]);
    const status = await cluster.navctl('rollout', 'status', 'deploy/web');
    expect(status).toMatchObject({ code: 1, err: expect.stringMatching(why) });
    expect((await cluster.navctl('describe', 'deploy/web')).out).toMatch(why);
    expect((await cluster.navctl('rollout', 'history', 'deploy/web')).out).toMatch(/failed: \d of \d new Pods fail/);
    expect((await cluster.navctl('events', '--for', 'deploy/web')).out).toContain('RolledBack');
    expect(await writesWithin(cluster, 20_000)).toEqual([]);
  });

  test('refuses the manifest that failed, in whose fields it has put what works', async () => {
    const { spec } = manifest(annotations, 'registry.invalid/web') as unknown as { spec: object };
    const again = { ...manifest(annotations), spec };
    await expect(cluster.apply(again)).rejects.toThrow(/conflict.*auto-rollback/i);
    // Whoever insists gets it back at once, without a Pod of it.
    const { items } = await cluster.client.list(podKind);
    await cluster.navctlWith(JSON.stringify(again), 'apply', '--force-conflicts', '-f', '-');
    await until('the old image', async () => {
      const { spec } = await cluster.client.get(deploymentKind, key);
      return spec.template?.spec?.containers[0]?.image === web.image;
    });
    await untilExactly(cluster, [web]);
    const names = (pods: typeof items) => pods.map(({ metadata }) => metadata.uid).sort();
    expect(names((await cluster.client.list(podKind)).items)).toEqual(names(items));
  });

  test('rolls out what is right', async () => {
    await cluster.navctl('set', 'image', 'deploy/web', 'c=web:2');
    expect(await cluster.navctl('rollout', 'status', 'deploy/web')).toMatchObject({ code: 0 });
    await untilExactly(cluster, [{ ...web, image: 'web:2' }]);
    expect(await reasonOf('RolledBack')).toBeUndefined();
    await cluster.navctl('delete', 'deploy/web');
    await untilExactly(cluster, []);
  });
});

test('a rollout by steps waits to be promoted, is aborted, and goes on past all steps', async () => {
  await cluster.apply(manifest({ 'navarch.io/canary': '1, pause, 50%, pause' }));
  await untilExactly(cluster, [web]);
  await cluster.navctl('set', 'image', 'deploy/web', 'c=web:2');
  await until('the first pause', async () => (await reasonOf('Progressing')) === 'CanaryPaused');
  expect((await cluster.navctl('rollout', 'status', 'deploy/web', '--watch=false')).out).toBe(
    'deployment "web" is at step 2 of 4: 1 new Pod, pauses until it is promoted; go on with: navctl rollout promote deploy/web\n',
  );
  await until('its size', async () => JSON.stringify(await sizes()) === '{"web:1":3,"web:2":1}');
  expect((await cluster.navctl('rollout', 'promote', 'deploy/web')).out).toContain('promoted past step 2 of 4');
  await until('half of the Pods', async () => (await sizes())['web:2'] === 2);
  expect(await cluster.navctl('rollout', 'abort', 'deploy/web')).toMatchObject({
    out: 'deployment.apps/web aborted\n',
  });
  await untilExactly(cluster, [web]);
  expect((await cluster.navctl('rollout', 'abort', 'deploy/web')).out).toContain('has no rollout to abort');
  expect(await cluster.navctl('rollout', 'promote', 'deploy/web')).toMatchObject({ code: 1 });

  await cluster.navctl('set', 'image', 'deploy/web', 'c=web:3');
  await until('the first pause', async () => (await reasonOf('Progressing')) === 'CanaryPaused');
  await cluster.navctl('rollout', 'promote', 'deploy/web', '--full');
  await untilExactly(cluster, [{ ...web, image: 'web:3' }]);
  expect(await writesWithin(cluster, 20_000)).toEqual([]);
  await cluster.navctl('delete', 'deploy/web');
  await untilExactly(cluster, []);
});

describe('a Deployment whose settings are a part of its releases', () => {
  const settings = (color: string) => [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'app' }, data: { COLOR: color } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { TOKEN: color } },
  ];
  /** The settings of the Pods that are ready, as `blue blue`. */
  const seen = async () => {
    const { items } = await cluster.client.list(podKind, { labelSelector: 'app=web' });
    const lines = await Promise.all(
      items.filter(isReady).map(async ({ spec }) => {
        const [{ configMapRef } = {}, { secretRef } = {}] = spec.containers[0]?.envFrom ?? [];
        const of = (name = '') => ({ namespace: 'default', name });
        const settings = await cluster.client.get(configMapKind, of(configMapRef?.name));
        const secrets = await cluster.client.get(secretKind, of(secretRef?.name));
        return `${settings.data['COLOR']} ${Buffer.from(secrets.data['TOKEN'] ?? []).toString()}`;
      }),
    );
    return lines.join();
  };
  const all = (color: string) => Array.from({ length: web.replicas }, () => `${color} ${color}`).join();

  test('rolls its Pods when they change, and an undo brings the old ones back', async () => {
    const object = structuredClone(manifest({ 'navarch.io/config-rollout': 'true' })) as unknown as {
      spec: { template: { spec: { containers: { envFrom?: object[] }[] } } };
    };
    const [container] = object.spec.template.spec.containers;
    if (container) container.envFrom = [{ configMapRef: { name: 'app' } }, { secretRef: { name: 'key' } }];
    await cluster.apply(...settings('blue'), object);
    await until('blue Pods', async () => (await seen()) === all('blue'));
    await cluster.apply(...settings('green'));
    await until('green Pods', async () => (await seen()) === all('green'));
    await until('the end of the rollout', async () => (await reasonOf('Progressing')) === 'NewReplicaSetAvailable');

    await cluster.navctl('rollout', 'undo', 'deploy/web');
    await until('blue Pods again', async () => (await seen()) === all('blue'));
    // A leader that knows less must not undo the undo.
    cluster.killLeader('controller-manager');
    await cluster.startLeader('controller-manager');
    await cluster.time.pass(30_000);
    expect(await seen()).toBe(all('blue'));

    await cluster.apply(...settings('red'));
    await until('red Pods', async () => (await seen()) === all('red'));
    await untilExactly(cluster, [web]);
    expect(await writesWithin(cluster, 20_000)).toEqual([]);
  });

  test('takes its copies along', async () => {
    await cluster.navctl('delete', 'deploy/web');
    await untilExactly(cluster, []);
    const names = async () =>
      [...(await cluster.client.list(configMapKind)).items, ...(await cluster.client.list(secretKind)).items].map(
        ({ metadata }) => metadata.name,
      );
    await until('the copies to go', async () => (await names()).length === 2);
    expect(await names()).toEqual(['app', 'key']);
  });
});

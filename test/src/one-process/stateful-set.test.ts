import { persistentVolumeClaim, pod as podKind, statefulSet as statefulSetKind } from '@navarch/kinds';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { commandLines } from './command-lines.fixture.ts';
import { isReady, writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 3 });
});
afterAll(() => cluster.stop());

const set = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    replicas: 3,
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'db:1' }] },
    },
    ...spec,
  },
});
const { navctl } = commandLines(() => cluster);
const pods = async (app: string) => {
  const { items } = await cluster.client.list(podKind, { namespace: 'default', labelSelector: `app=${app}` });
  return items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
};
/** `db-0 db:1`, of Pods that are ready. */
const serving = async (app: string) =>
  (await pods(app)).filter(isReady).map(({ metadata, spec }) => `${metadata.name} ${spec.containers[0]?.image}`);
const until = (app: string, ...wanted: string[]) =>
  cluster.time.until(
    wanted.join(', '),
    async () => (await serving(app)).join() === wanted.join() && (await pods(app)).length === wanted.length,
    async () => (await serving(app)).join(),
  );
/** Names of Pods that run on more than one node, or more than once. */
const twice = async () => {
  const names: string[] = [];
  for (const { runtime } of cluster.nodes) {
    const { sandboxes, containers } = await runtime.snapshot();
    const running = new Set(containers.filter(({ state }) => state === 'running').map(({ sandboxId }) => sandboxId));
    names.push(...sandboxes.filter(({ id }) => running.has(id)).map(({ pod }) => pod.name));
  }
  return names.filter((name, index) => names.indexOf(name) !== index);
};

const claims = {
  volumeClaimTemplates: [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    },
  ],
};

describe('a StatefulSet', () => {
  test('comes up in order, each Pod with its claim, and then nothing is written', async () => {
    await cluster.apply(set('db', claims));
    await until('db', 'db-0 db:1', 'db-1 db:1', 'db-2 db:1');
    const made = await pods('db');
    for (const [index, pod] of made.slice(1).entries()) {
      const before = made[index]?.status.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
      expect(Date.parse(pod.metadata.creationTimestamp)).toBeGreaterThanOrEqual(Date.parse(before));
    }
    const { items } = await cluster.client.list(persistentVolumeClaim, { namespace: 'default' });
    expect(items.map(({ metadata, status }) => `${metadata.name} ${status.phase}`).toSorted()).toEqual([
      'data-db-0 Bound',
      'data-db-1 Bound',
      'data-db-2 Bound',
    ]);
    await cluster.time.pass(5_000);
    expect(await writesWithin(cluster, 20_000)).toEqual([]);
  });

  test('is described with its revision, its Pods and its claims', async () => {
    const { out } = await navctl('describe sts db');
    expect(out).toMatch(/^Revision: +db-\w{10}$/m);
    expect(out).toMatch(/^Pods Status: +3 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m);
    expect(out).toMatch(/^Volume Claims:\n {2}data:\n/m);
    expect(out).toContain('create Pod db-2 in StatefulSet db successful');
  });

  test('is rolled from the last Pod to the first, each on the node of its data', async () => {
    const homes = (await pods('db')).map(({ spec }) => spec.nodeName);
    await navctl('set image sts/db c=db:2');
    const { out } = await navctl('rollout status sts/db');
    expect(out).toMatch(/statefulset rolling update complete 3 pods at revision db-\w{10}\.\.\.\n$/);
    await until('db', 'db-0 db:2', 'db-1 db:2', 'db-2 db:2');
    expect((await pods('db')).map(({ spec }) => spec.nodeName)).toEqual(homes);
  });

  test('that hangs on a broken image is healed by undo', async () => {
    await navctl('set image sts/db c=db:broken');
    await cluster.time.until('the last Pod to be the new one', async () => {
      const last = (await pods('db'))[2];
      return (
        last?.spec.containers[0]?.image === 'db:broken' && (last.status.containerStatuses[0]?.restartCount ?? 0) > 1
      );
    });
    expect(await serving('db')).toEqual(['db-0 db:2', 'db-1 db:2']);
    expect(await navctl('rollout undo sts/db')).toMatchObject({ code: 0, out: 'statefulset.apps/db rolled back\n' });
    await until('db', 'db-0 db:2', 'db-1 db:2', 'db-2 db:2');
    const { out } = await navctl('rollout history sts/db');
    expect(out.match(/^\d+ /gm)?.map(Number)).toEqual([1, 3, 4]);
  });

  test('is scaled down from the last Pod, and keeps the claims', async () => {
    expect(await navctl('scale sts/db --replicas=1')).toMatchObject({ code: 0 });
    await until('db', 'db-0 db:2');
    const { items } = await cluster.client.list(persistentVolumeClaim, { namespace: 'default' });
    expect(items).toHaveLength(3);
  });

  test('that is deleted takes its Pods along', async () => {
    await navctl('delete sts/db');
    await cluster.time.until('its Pods to be gone', async () => (await pods('db')).length === 0);
    const history = () => navctl('get controllerrevisions --no-headers');
    await cluster.time.until('its history to be gone', async () => (await history()).out === '');
    expect((await navctl('get pvc --no-headers')).out.match(/Bound/g)).toHaveLength(3);
  });
});

test('claims that are to go with Pods and with the set do', async () => {
  const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
  await cluster.apply(set('cache', { ...claims, persistentVolumeClaimRetentionPolicy }));
  await until('cache', 'cache-0 db:1', 'cache-1 db:1', 'cache-2 db:1');
  const left = async () => {
    const { items } = await cluster.client.list(persistentVolumeClaim, { namespace: 'default' });
    const names = items.map(({ metadata }) => metadata.name).filter((name) => name.includes('cache'));
    return names.toSorted((a, b) => (a < b ? -1 : 1)).join();
  };
  const become = (names: string) => cluster.time.until(`claims ${names}`, async () => (await left()) === names, left);
  await navctl('scale sts/cache --replicas=2');
  await become('data-cache-0,data-cache-1');
  await navctl('scale sts/cache --replicas=3');
  await until('cache', 'cache-0 db:1', 'cache-1 db:1', 'cache-2 db:1');
  await become('data-cache-0,data-cache-1,data-cache-2');
  await navctl('delete sts/cache');
  await become('');
  expect(await pods('cache')).toEqual([]);
});

test('the Pod of a node that is cut off is started nowhere else while the old one may run', async () => {
  await cluster.apply(set('log', { podManagementPolicy: 'Parallel' }));
  await until('log', 'log-0 db:1', 'log-1 db:1', 'log-2 db:1');
  const [victim] = await pods('log');
  const node = cluster.nodes.find(({ name }) => name === victim?.spec.nodeName);
  if (victim === undefined || node === undefined) throw new Error('no Pod');
  node.cutOff();
  await cluster.time.until('its eviction', async () => (await pods('log'))[0]?.metadata.deletionTimestamp !== '');
  // Far longer than any grace period.
  for (let minutes = 0; minutes < 4; minutes++) {
    await cluster.time.pass(60_000);
    expect(await twice()).toEqual([]);
    expect((await pods('log')).map(({ metadata }) => metadata.uid)).toContain(victim.metadata.uid);
  }
  node.reconnect();
  await cluster.time.until('another Pod of the name', async () => {
    expect(await twice()).toEqual([]);
    const [first] = await pods('log');
    return first !== undefined && first.metadata.uid !== victim.metadata.uid && isReady(first);
  });
  await until('log', 'log-0 db:1', 'log-1 db:1', 'log-2 db:1');
  const status = (await cluster.client.get(statefulSetKind, { namespace: 'default', name: 'log' })).status;
  expect(status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3 });
});

test('a Pod that somebody removes by force comes back to the node of its data, once the old one has ended', async () => {
  await cluster.apply(set('vault', { ...claims, replicas: 1 }));
  await until('vault', 'vault-0 db:1');
  const [victim] = await pods('vault');
  const node = cluster.nodes.find(({ name }) => name === victim?.spec.nodeName);
  if (victim === undefined || node === undefined) throw new Error('no Pod');
  node.cutOff();
  await cluster.time.pass(60_000);
  await navctl('delete pod vault-0 --force --grace-period=0 --wait=false');
  await cluster.time.until('another Pod of the name', async () => {
    const [next] = await pods('vault');
    return next !== undefined && next.metadata.uid !== victim.metadata.uid;
  });
  await cluster.time.pass(60_000);
  expect(await serving('vault')).toEqual([]);
  node.reconnect();
  await cluster.time.until('it to serve', async () => {
    expect(await twice()).toEqual([]);
    return (await serving('vault')).length === 1;
  });
  const [next] = await pods('vault');
  expect(next?.spec.nodeName).toBe(victim.spec.nodeName);
  expect(next?.metadata.uid).not.toBe(victim.metadata.uid);
});

test('the Pod of a machine that somebody says is gone, by deleting its Node, is started on another', async () => {
  await cluster.apply(set('queue', { replicas: 1 }));
  await until('queue', 'queue-0 db:1');
  const [victim] = await pods('queue');
  const home = victim?.spec.nodeName ?? '';
  const node = cluster.nodes.find(({ name }) => name === home);
  node?.cutOff();
  await navctl(`delete node ${home}`);
  await cluster.time.until('another Pod of the name to serve', async () => {
    const [next] = await pods('queue');
    return (
      next !== undefined && isReady(next) && next.metadata.uid !== victim?.metadata.uid && next.spec.nodeName !== home
    );
  });
  node?.reconnect();
  await cluster.time.until('what ran there to have ended', async () => {
    return node !== undefined && !(await node.running()).includes(victim?.metadata.uid ?? '');
  });
  expect(await twice()).toEqual([]);
});

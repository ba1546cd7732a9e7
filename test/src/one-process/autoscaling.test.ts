import { join } from 'node:path';
import { horizontalPodAutoscaler, pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, isReady, writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

let cluster: ClusterInProcess;
/** What each container uses, in thousandths of a core. The Pods request 50. */
let cpuMillis = 0;

beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
  for (const { runtime } of cluster.nodes) runtime.use(() => ({ cpuMillis, memoryBytes: 20 * 2 ** 20 }));
  await cluster.apply(
    deployment({ name: 'web', replicas: 1, image: 'web:1' }),
    deployment({ name: 'worker', replicas: 1, image: 'worker:1' }),
  );
});
afterAll(() => cluster?.stop());

function autoscaler(name: string, spec: object): object {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: { scaleTargetRef, behavior, ...spec },
  };
}

async function readyPods(name: string): Promise<number> {
  const { items } = await cluster.client.list(podKind, { namespace: 'default', labelSelector: `app=${name}` });
  return items.filter(isReady).length === items.length ? items.length : -1;
}

const untilPods = (name: string, count: number) =>
  cluster.time.until(
    `${count} Pods of ${name}`,
    async () => (await readyPods(name)) === count,
    async () => `${(await cluster.navctl('describe', 'hpa', name)).out}${(await cluster.navctl('get', 'pods')).out}`,
  );

/** The status is as of the last look. */
const untilShown = (name: string, line: RegExp) =>
  cluster.time.until(
    `${name} to be shown as ${line.source}`,
    async () => line.test((await cluster.navctl('get', 'hpa', name)).out),
    async () => (await cluster.navctl('get', 'hpa', name)).out,
  );

async function active(name: string) {
  const { status } = await cluster.client.get(horizontalPodAutoscaler, { namespace: 'default', name });
  return status.conditions.find(({ type }) => type === 'ScalingActive');
}

test('what Pods use is there to be read', async () => {
  cpuMillis = 12;
  await cluster.time.until('usage', async () => (await cluster.navctl('top', 'pods')).out.includes('12m'));
  expect((await cluster.navctl('top', 'pods', '-l', 'app=web', '--no-headers')).out).toMatch(/^web-\S+ +12m +20Mi\n$/);
  expect((await cluster.navctl('top', 'pods', '--containers', '--sum')).out).toMatch(/c +12m +20Mi[^]* 24m +40Mi\n$/);
  const everywhere = (await cluster.navctl('top', 'pods', '-A', '--sort-by=memory', '--no-headers')).out;
  expect(everywhere).toMatch(/^default +\S+ +12m +20Mi\ndefault +\S+ +12m +20Mi\n$/);
  expect(await cluster.navctl('top', 'pod', 'none')).toMatchObject({ code: 1, out: '' });
  expect((await cluster.navctl('top', 'nodes')).out).toMatch(/n1 +1000m +12% +1024Mi +6%\nn2 +1000m +12%/);
});

test('more Pods while they have much to do, fewer when they have not', async () => {
  cpuMillis = 50;
  const { out } = await cluster.navctl('autoscale', 'deploy/web', '--max=6', '--cpu-percent=50');
  expect(out).toBe('horizontalpodautoscaler.autoscaling/web autoscaled\n');
  await untilPods('web', 6);
  await untilShown('web', /web +Deployment\/web +cpu: 100%\/50% +1 +6 +6 /);
  expect((await cluster.navctl('events', '--for=hpa/web')).out).toContain('cpu of the Pods above target');
  await cluster.apply(autoscaler('web', { maxReplicas: 6, metrics: [cpu] }));
  cpuMillis = 2;
  await untilPods('web', 1);
});

const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } };

test('a new leader takes a whole window to scale down, as if it had watched all the time', async () => {
  cpuMillis = 50;
  await untilPods('web', 6);
  cpuMillis = 2;
  await cluster.time.pass(45_000);
  cluster.killLeader('controller-manager');
  await cluster.startLeader('controller-manager');
  // The window that the one before began is over by then.
  await cluster.time.pass(45_000);
  expect(await readyPods('web')).toBe(6);
  await untilPods('web', 1);
});

test('while NATS is stopped it holds still and says so; nothing else breaks', async () => {
  cpuMillis = 25;
  await cluster.time.until('it to be active', async () => (await active('web'))?.status === 'True');
  cluster.hub.stop();
  await cluster.time.until('it to say so', async () => (await active('web'))?.status === 'False');
  expect((await active('web'))?.message).toContain('NATS');
  expect((await cluster.navctl('top', 'pods')).err).toContain('NATS');
  expect((await cluster.navctl('metrics', 'push', 'n=1')).err).toContain('NATS');
  await cluster.navctl('scale', 'deploy/web', '--replicas=3');
  await untilPods('web', 3);
  cluster.hub.start();
  await cluster.time.until('it to be active again', async () => (await active('web'))?.status === 'True');
});

test('to nothing and back, by the length of a queue', async () => {
  const target = { type: 'AverageValue', averageValue: '10' };
  const metrics = [{ type: 'External', external: { metric: { name: 'queue_length' }, target } }];
  const push = (length: number) => cluster.navctl('metrics', 'push', `queue_length=${length}`, '--ttl=10m');
  expect((await push(35)).out).toBe('queue_length=35 (external) pushed\n');
  await cluster.apply(autoscaler('worker', { minReplicas: 0, maxReplicas: 5, metrics }));
  await untilPods('worker', 4);
  expect((await cluster.navctl('metrics', 'list')).out).toMatch(/\nqueue_length +<external> +<none> +35 +\d+/);
  await push(0);
  await untilPods('worker', 0);
  await untilShown('worker', /queue_length: 0\/10 \(avg\) +0 +5 +0 /);
  await push(12);
  await untilPods('worker', 2);
});

test('a kind of its own is scaled like any other', async () => {
  const examples = join(import.meta.dirname, '../../../examples/custom');
  expect(await cluster.navctl('apply', '-f', examples)).toMatchObject({ code: 0 });
  const scaleTargetRef = { apiVersion: 'example.com/v1', kind: 'Website', name: 'shop' };
  const target = { type: 'AverageValue', averageValue: '10' };
  const metrics = [{ type: 'External', external: { metric: { name: 'visitors' }, target } }];
  await cluster.navctl('metrics', 'push', 'visitors=85', '--ttl=10m');
  await cluster.apply(autoscaler('shop', { scaleTargetRef, maxReplicas: 9, metrics }));
  const conditions = async () => (await cluster.navctl('describe', 'hpa', 'shop')).out;
  await cluster.time.until('it to miss the selector', async () => (await conditions()).includes('InvalidSelector'));
  const status = JSON.stringify({ status: { replicas: 2, selector: 'app=shop' } });
  await cluster.navctl('patch', 'website', 'shop', '--subresource=status', '--type=merge', '-p', status);
  await cluster.time.until(
    'it to be scaled',
    async () => (await cluster.navctl('get', 'website', 'shop', '-o', 'yaml')).out.includes('replicas: 9'),
    conditions,
  );
});

test('when nothing changes nothing is written', async () => {
  await cluster.time.pass(150_000);
  await cluster.navctl('metrics', 'push', 'queue_length=15', '--ttl=10m');
  await cluster.time.pass(30_000);
  expect(await writesWithin(cluster, 90_000)).toEqual([]);
});

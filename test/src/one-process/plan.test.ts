import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanJson } from '@navarch/cli';
import { pod as podKind } from '@navarch/kinds';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { isReady } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 3 });
  // With weights there are no equals between which chance decides.
  for (const [node, weight, zone] of [
    ['n1', '1', 'east'],
    ['n2', '1.3', 'east'],
    ['n3', '1.7', 'west'],
  ]) {
    await cluster.navctl('annotate', `node/${node}`, `scheduling.navarch.io/weight=${weight}`);
    await cluster.navctl('label', `node/${node}`, `topology.kubernetes.io/zone=${zone}`);
  }
});
afterAll(() => cluster.stop());
afterEach(async () => {
  await cluster.navctl('delete', 'deploy,sts,ds,job,pod,pdb,pvc,priorityclass', '--all');
  await cluster.time.until('nothing to be left', async () => (await cluster.client.list(podKind)).items.length === 0);
});

const template = (app: string, cpu: string, more: object = {}) => ({
  metadata: { labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu } } }],
    ...more,
  },
});
const workload = (kind: string, name: string, cpu: string, spec: object = {}, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: { app: name } }, template: template(name, cpu, more), ...spec },
});
const deployment = (name: string, replicas: number, cpu: string, more: object = {}) =>
  workload('Deployment', name, cpu, { replicas }, more);

async function planned(...args: string[]) {
  return await parsed(cluster.navctl('plan', ...args, '-o', 'json'));
}

async function plannedFor(...manifests: object[]) {
  return await parsed(cluster.navctlWith(text(manifests), 'plan', '-f', '-', '-o', 'json'));
}

const text = (manifests: readonly object[]) => manifests.map((each) => JSON.stringify(each)).join('\n---\n');

async function parsed(result: ReturnType<ClusterInProcess['navctl']>) {
  const { code, out, err } = await result;
  if (code === 2) throw new Error(err);
  return { code, plan: JSON.parse(out) as PlanJson }; // what navctl prints
}

/** How many Pods of each app are on which node. */
async function places(): Promise<readonly string[]> {
  const { items } = await cluster.client.list(podKind);
  return counted(items.map(({ metadata, spec }) => `${metadata.labels['app'] ?? ''} ${spec.nodeName || 'nowhere'}`));
}

const counted = (keys: readonly string[]) =>
  [...Map.groupBy(keys, (key) => key)].map(([key, { length }]) => `${key}: ${length}`).toSorted();

/** Where the plan has Pods, without those that stay where they are. */
const placesOf = ({ pods }: PlanJson) =>
  counted(
    pods
      .filter(({ fate }) => fate !== 'removed')
      .map(({ owner, to }) => `${owner.split('/')[1] ?? ''} ${to || 'nowhere'}`),
  );

/** Waits until there are so many Pods, all ready: which of them go first no longer changes by itself. */
const running = (count: number) =>
  cluster.time.until(`${count} Pods to be ready`, async () => {
    const { items } = await cluster.client.list(podKind);
    return items.length === count && items.every(isReady);
  });

const settled = (what: string, places_: readonly string[]) =>
  cluster.time.until(what, async () => JSON.stringify(await places()) === JSON.stringify(places_));

test('a plan of new Deployments is what then happens, and touches nothing', async () => {
  const manifests = [deployment('web', 5, '1'), deployment('db', 3, '2'), deployment('huge', 2, '5')];
  const together = await plannedFor(...manifests);
  expect((await cluster.navctl('get', 'deploy,pods')).out).toBe('');
  expect(together.plan.pods).toHaveLength(10);
  expect(together.code).toBe(1);
  // One after the other: what is made at the same time comes in an order that nobody knows before.
  const there: string[] = [];
  for (const manifest of manifests) {
    const { code, plan } = await plannedFor(manifest);
    there.push(...placesOf(plan));
    await cluster.apply(manifest);
    await settled('what was planned', there.toSorted());
    expect(code).toBe(plan.pods.some(({ fate }) => fate === 'pending') ? 1 : 0);
  }
  // Nothing is left to be done; what waits would go on waiting.
  expect(await plannedFor(deployment('web', 5, '1'))).toMatchObject({ code: 0, plan: { pods: [] } });
  const big = await plannedFor(deployment('huge', 2, '5'));
  expect([big.code, counted(big.plan.pods.map(({ fate }) => fate))]).toEqual([1, ['pending: 1']]);
});

test('a change of template counts as rolled out, a smaller number as scaled down', async () => {
  await cluster.apply(deployment('web', 4, '1'));
  await running(4);
  const { plan } = await plannedFor(deployment('web', 3, '2'));
  expect(counted(plan.pods.map(({ fate }) => fate))).toEqual(['moved: 3', 'removed: 1']);
  const down = await plannedFor(deployment('web', 1, '1'));
  expect(counted(down.plan.pods.map(({ fate }) => fate))).toEqual(['removed: 3']);
  await cluster.apply(deployment('web', 1, '1'));
  await cluster.time.until('one to be left', async () => (await cluster.client.list(podKind)).items.length === 1);
  const [left] = (await cluster.client.list(podKind)).items;
  expect(down.plan.pods.map(({ name }) => name)).not.toContain(left?.metadata.name);
});

test('sets, daemons, jobs and claims are planned by their own rules', async () => {
  const claims = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  const manifests = [
    workload('StatefulSet', 'db', '1', { replicas: 2, volumeClaimTemplates: claims }),
    workload('DaemonSet', 'log', '100m', {}, { nodeSelector: { 'topology.kubernetes.io/zone': 'east' } }),
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'sum', namespace: 'default' },
      spec: { parallelism: 3, completions: 2, template: template('sum', '1', { restartPolicy: 'Never' }) },
    },
  ];
  const { code, plan } = await plannedFor(...manifests);
  expect(plan.refusals).toEqual([]);
  expect(code).toBe(0);
  expect(plan.pods.map(({ owner, name }) => `${owner} ${name}`)).toEqual([
    'daemonset/log log on n1',
    'daemonset/log log on n2',
    'job/sum sum #1',
    'job/sum sum #2',
    'statefulset/db db-0',
    'statefulset/db db-1',
  ]);
  const there: string[] = [];
  for (const manifest of manifests) {
    there.push(...placesOf((await plannedFor(manifest)).plan));
    await cluster.apply(manifest);
    await settled('what was planned', there.toSorted());
  }
});

test('a new namespace and its content are planned together, and what is refused is told', async () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'shop' },
    spec: { hard: { 'requests.cpu': '1' } },
  };
  const inShop = (cpu: string) => {
    const made = deployment('web', 1, cpu);
    return { ...made, metadata: { ...made.metadata, namespace: 'shop' } };
  };
  expect(await plannedFor(namespace, inShop('2'))).toMatchObject({
    code: 0,
    plan: { pods: [{ namespace: 'shop', fate: 'placed' }] },
  });
  await cluster.apply(namespace, quota);
  await cluster.time.until('the quota to be counted', async () =>
    (await cluster.navctl('get', 'quota', '-n', 'shop')).out.includes('0/1'),
  );
  const { code, plan } = await plannedFor({ ...inShop('400m'), spec: deployment('web', 5, '400m').spec });
  expect(code).toBe(1);
  expect(plan.pods.map(({ fate }) => fate)).toEqual(['placed', 'placed']);
  expect(plan.refusals).toEqual([expect.stringMatching(/^3 Pods of deployment\/web: .*exceeded quota: q/)]);
});

test('a drain moves what the node has, and names the budget that would stop it', async () => {
  await cluster.navctl('cordon', 'n1', 'n2');
  await cluster.apply(deployment('web', 2, '1'), deployment('db', 1, '1'), {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'db', namespace: 'default' },
    spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'db' } } },
  });
  await settled('all to be on n3', ['db n3: 1', 'web n3: 2']);
  await running(3);
  await cluster.navctl('uncordon', 'n1', 'n2');
  const { code, plan } = await planned('drain', 'n3');
  expect(code).toBe(1);
  expect(plan.pods.map(({ owner, fate, to }) => `${owner} ${fate} ${to}`)).toEqual([
    'deployment/db blocked n3',
    'deployment/web moved n2',
    'deployment/web moved n2',
  ]);
  expect(plan.warnings).toEqual([expect.stringContaining('the budget default/db allows none')]);
  await cluster.navctl('delete', 'pdb/db');
  const free = await planned('drain', 'n3');
  expect(free.code).toBe(0);
  await cluster.navctl('drain', 'n3');
  await settled('what was planned', placesOf(free.plan));
  await cluster.navctl('uncordon', 'n3');
});

test('losing a zone moves what others make again, and leaves pending what then has no room', async () => {
  await cluster.apply(deployment('web', 4, '3'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'alone' },
    spec: template('', '1', { nodeName: 'n1' }).spec,
  });
  await running(5);
  const { code, plan } = await planned('lose', 'east');
  const there = (await cluster.client.list(podKind)).items.filter(({ spec }) => spec.nodeName === 'n3').length;
  expect(code).toBe(1);
  expect(plan.pods.filter(({ fate }) => fate === 'pending')).toHaveLength(4 - 2);
  expect(plan.pods.filter(({ to }) => to === 'n3')).toHaveLength(2 - there);
  expect(plan.warnings).toEqual(['nobody makes default/alone again']);
  expect((await cluster.navctl('plan', 'lose', 'nowhere')).code).toBe(2);
});

test('what is more important pushes out what is less, and where that goes is told', async () => {
  await cluster.navctl('cordon', 'n1', 'n2');
  await cluster.apply(deployment('web', 2, '3'));
  await settled('both to be on n3', ['web n3: 2']);
  const vip = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'vip' }, value: 1000 };
  const { code, plan } = await plannedFor(vip, deployment('urgent', 1, '4', { priorityClassName: 'vip' }));
  expect(code).toBe(1);
  expect(plan.pods.map(({ owner, fate, to }) => [owner, fate, to])).toEqual([
    ['deployment/urgent', 'placed', 'n3'],
    ['deployment/web', 'pending', ''],
  ]);
  await cluster.navctl('uncordon', 'n1', 'n2');
});

test('apply goes by a plan as long as it holds, and says what differs once it does not', async () => {
  const manifests = [deployment('web', 2, '1')];
  const first = await plannedFor(...manifests);
  expect((await plannedFor(...manifests)).plan.hash).toBe(first.plan.hash);
  const file = join(tmpdir(), `nv-plan-${process.pid}.json`);
  await writeFile(file, JSON.stringify(first.plan));
  const apply = (what: readonly object[], plan: string) =>
    cluster.navctlWith(text(what), 'apply', '-f', '-', '--plan', plan);
  const other = await apply([deployment('web', 3, '1')], first.plan.hash);
  expect(other).toMatchObject({ code: 1, out: '' });
  expect(other.err).toContain('the plan is not of these manifests');
  await cluster.navctl('cordon', 'n3');
  const changed = await apply(manifests, file);
  expect(changed).toMatchObject({ code: 1, out: '' });
  expect(changed.err).toContain('- default deployment/web web #1: placed to n3');
  expect(changed.err).toContain('+ default deployment/web web #1: placed to n2');
  expect((await cluster.navctl('get', 'deploy')).out).toBe('');
  await cluster.navctl('uncordon', 'n3');
  expect(await apply(manifests, first.plan.hash)).toMatchObject({
    err: '',
    code: 0,
    out: 'deployment.apps/web created\n',
  });
  await settled('what was planned', placesOf(first.plan));
});

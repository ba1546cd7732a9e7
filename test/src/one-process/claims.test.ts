import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claimNodeAnnotation, node as nodeKind, persistentVolumeClaim, pod as podKind } from '@navarch/kinds';
import { isApiError } from '@navarch/machinery';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { isReady } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 3 });
});
afterAll(() => cluster.stop());

const key = (name: string) => ({ namespace: 'default', name });
const claim = (name: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});
const db = (name: string, claimName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    containers: [{ name: 'c', image: 'db:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
  },
});
const present = async (name: string) => cluster.client.get(persistentVolumeClaim, key(name));
const isGone = async (kind: typeof podKind | typeof persistentVolumeClaim, name: string) =>
  cluster.client.get(kind as typeof podKind, key(name)).then(
    () => false,
    (error: unknown) => isApiError(error, 'NotFound'),
  );
const runs = async (name: string) =>
  cluster.time.until(`${name} to run`, async () => {
    const pod = await cluster.client.get(podKind, key(name));
    return isReady(pod) ? pod.spec.nodeName : undefined;
  });
const removed = async (name: string) => {
  await cluster.navctl('delete', 'pod', name, '--wait=false');
  await cluster.time.until(`${name} to be gone`, () => isGone(podKind, name));
};
const machine = (name: string) => {
  const node = cluster.nodes.find((each) => each.name === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
};
/** uids of the claims whose data is on a node. */
const onDisk = async (node: string) => readdir(join(machine(node).stateDir, 'claims')).catch(() => []);

test('a claim keeps its data and its node while Pods come and go, and both end with it', async () => {
  await cluster.apply(db('first', 'data'));
  const waiting = await cluster.time.until('the reason why it waits', async () => {
    const { status } = await cluster.client.get(podKind, key('first'));
    return status.conditions.find(({ type }) => type === 'PodScheduled');
  });
  expect(waiting.message).toBe('0/3 nodes are available: 3 claim data is not there.');
  await cluster.apply(claim('data'));
  const home = await runs('first');
  const { metadata, status } = await present('data');
  expect(metadata.annotations[claimNodeAnnotation]).toBe(home);
  expect(status).toMatchObject({ phase: 'Bound', nodeName: home, capacity: { storage: '1Gi' } });
  const file = join(machine(home).stateDir, 'claims', metadata.uid, 'data/x');
  await writeFile(file, 'kept');

  await removed('first');
  await cluster.apply(db('second', 'data'));
  expect(await runs('second')).toBe(home);
  expect(await readFile(file, 'utf8')).toBe('kept');

  await cluster.navctl('delete', 'pvc', 'data', '--wait=false');
  await cluster.time.pass(5_000);
  expect((await cluster.navctl('why', 'pvc/data')).out).toContain('1 Pod that uses it to go: second');
  expect(await isGone(persistentVolumeClaim, 'data')).toBe(false);
  await removed('second');
  await cluster.time.until('the claim to be gone', () => isGone(persistentVolumeClaim, 'data'));
  await cluster.time.until('its data to be gone', async () => (await onDisk(home)).length === 0);
});

test('the data of a claim that is deleted while its agent is away goes when that is back', async () => {
  await cluster.apply(claim('left'), db('user', 'left'));
  const home = await runs('user');
  const node = machine(home);
  await removed('user');
  node.killAgent();
  await cluster.navctl('delete', 'pvc', 'left');
  await cluster.time.until('the claim to be gone', () => isGone(persistentVolumeClaim, 'left'));
  await cluster.time.pass(2_000);
  expect(await onDisk(home)).toHaveLength(1);
  await node.startAgent();
  await cluster.time.until('its data to be gone', async () => (await onDisk(home)).length === 0);
});

test('a claim is lost with its Node, its Pods wait for that, and come up once it is back', async () => {
  await cluster.apply(claim('lost'), db('holder', 'lost'));
  const home = await runs('holder');
  const node = machine(home);
  node.killAgent();
  await cluster.client.delete(nodeKind, { name: home });
  await cluster.time.until('the claim to be lost', async () => (await present('lost')).status.phase === 'Lost');
  await cluster.time.until('its Pod to be gone', () => isGone(podKind, 'holder'));
  await cluster.apply(db('heir', 'lost'));
  await cluster.time.until('the reason why it waits', async () => {
    const { status } = await cluster.client.get(podKind, key('heir'));
    return status.conditions[0]?.message.includes(`claim lost lives on node ${home}`);
  });
  await node.startAgent();
  expect(await runs('heir')).toBe(home);
  expect((await present('lost')).status.phase).toBe('Bound');
});

test('Pods that share a new claim are all put on one node', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `peer-${index}`);
  await cluster.apply(claim('shared'), ...names.map((name) => db(name, 'shared')));
  const homes = await Promise.all(names.map(runs));
  expect(new Set(homes).size).toBe(1);
});

test('no Pod is where its data is not, while answers get lost and schedulers die in the middle', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `torn-${index}`);
  const pods = names.flatMap((name) => [db(`${name}-a`, name), db(`${name}-b`, name)]);
  await cluster.apply(...pods);
  await cluster.apply(...names.map(claim));
  cluster.loseAnswers(6);
  await cluster.time.pass(1_500);
  cluster.killLeader('scheduler');
  await cluster.startLeader('scheduler');
  for (const name of names) {
    const homes = [await runs(`${name}-a`), await runs(`${name}-b`), (await present(name)).status.nodeName];
    expect(new Set(homes).size, homes.join(' ')).toBe(1);
  }
});

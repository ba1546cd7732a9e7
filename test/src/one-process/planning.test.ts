import { pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 3 });
});
afterAll(() => cluster.stop());

const pod = (name: string, cpu: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu } } }], ...more },
});
const nodeOf = async (name: string) =>
  (await cluster.client.get(podKind, { namespace: 'default', name })).spec.nodeName;

test('why a Pod waits, and the smallest change, which then does place it', async () => {
  await cluster.navctl('cordon', 'n2', 'n3');
  await cluster.apply(pod('first', '5'), pod('big', '6'));
  await cluster.time.until('the first to be placed', async () => (await nodeOf('first')) === 'n1');
  const { code, out } = await cluster.navctl('why', 'pod/big');
  expect(code).toBe(0);
  expect(out).toContain('pod/big waits for a node: 0 of 3 nodes can have it (revision ');
  expect(out).toContain('  2 nodes: cordoned\n');
  expect(out).toContain('n1   cpu: needs 6, 2900m free of 7900m: 3100m short');
  expect(out).toContain('- uncordon node n2: it would be on node n2\n      navctl uncordon n2\n');
  expect(out).toContain('let the Pod ask for 2900m of cpu instead of 6, 3100m less: it would be on node n1');
  await cluster.navctl('uncordon', 'n2');
  await cluster.time.until('the big one to be placed', async () => (await nodeOf('big')) === 'n2');
  const placed = await cluster.navctl('why', 'pod/big');
  expect(placed.out).toContain('pod/big: it is on node n2; decided now, it would be the best place');
  expect(placed.out).toMatch(/\* n2/);
  await cluster.navctl('uncordon', 'n3');
});

test('a question about what was applied a moment ago is answered from a cache that shows it', async () => {
  await cluster.apply(pod('gated', '1', { schedulingGates: [{ name: 'x.io/wait' }] }));
  const { out } = await cluster.navctl('why', 'pod/gated');
  expect(out).toContain('nobody looks for a node until its scheduling gates are taken off: x.io/wait');
});

test('without a scheduler navctl says so, and what it knows besides', async () => {
  cluster.killLeader('scheduler');
  await cluster.time.until('the api to know', async () => (await cluster.navctl('why', 'pod/big')).code === 1);
  const { out, err } = await cluster.navctl('why', 'pod/big');
  expect(err).toContain('no scheduler is connected to the api: it is down, or on its way back');
  expect(out).toContain('Nobody has asked pod/big to go.');
  await cluster.startLeader('scheduler');
  await cluster.time.until('it to be back', async () => (await cluster.navctl('why', 'pod/big')).code === 0);
});

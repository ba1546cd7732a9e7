import {
  daemonSet as daemonSetKind,
  namedNodes,
  node as nodeKind,
  pod as podKind,
  requiredTerms,
} from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { isReady } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 4 });
});
afterAll(() => cluster.stop());

const daemons = (image: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'logs' },
  spec: {
    selector: { matchLabels: { app: 'logs' } },
    template: {
      metadata: { labels: { app: 'logs' } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image }] },
    },
    ...more,
  },
});
/** `n1=logs:1 n2=logs:1`: the Pods that are Ready. */
const picture = async () => {
  const { items } = await cluster.client.list(podKind, { labelSelector: 'app=logs' });
  return items
    .map((pod) => `${pod.spec.nodeName}=${pod.spec.containers[0]?.image}${isReady(pod) ? '' : '?'}`)
    .sort()
    .join(' ');
};
const untilIs = async (wanted: string) => cluster.time.until(wanted, async () => (await picture()) === wanted);
const edit = async (name: string, change: object) => {
  const patch = JSON.stringify(change);
  expect(await cluster.navctl('patch', 'node', name, '-p', patch)).toMatchObject({ code: 0 });
};

test('each node has one, cordoned or not, and those that should have none have none', async () => {
  await edit('n4', { spec: { unschedulable: true } });
  await cluster.apply(daemons('logs:1'));
  await untilIs('n1=logs:1 n2=logs:1 n3=logs:1 n4=logs:1');
  await edit('n4', { spec: { unschedulable: false } });

  await edit('n2', { spec: { taints: [{ key: 'for', value: 'others', effect: 'NoExecute' }] } });
  await untilIs('n1=logs:1 n3=logs:1 n4=logs:1');
  await edit('n2', { spec: { taints: null } });
  await untilIs('n1=logs:1 n2=logs:1 n3=logs:1 n4=logs:1');
  const { out } = await cluster.navctl('get', 'ds');
  expect(out).toMatch(
    /NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE\nlogs +4 +4 +4 +4 +4 +<none>/,
  );
});

test('a template is rolled out, and undone, with never more than one missing', async () => {
  const missing: number[] = [];
  const watch = async () => {
    const { items } = await cluster.client.list(podKind, { labelSelector: 'app=logs' });
    missing.push(4 - items.filter(isReady).length);
  };
  const rolled = async (image: string) => {
    const wanted = ['n1', 'n2', 'n3', 'n4'].map((name) => `${name}=${image}`).join(' ');
    await cluster.time.until(wanted, async () => {
      await watch();
      return (await picture()) === wanted;
    });
  };
  await cluster.apply(daemons('logs:2'));
  await rolled('logs:2');
  const status = await cluster.navctl('rollout', 'status', 'ds/logs');
  expect(status.out).toContain('daemon set "logs" successfully rolled out');
  expect((await cluster.navctl('rollout', 'undo', 'ds/logs')).code).toBe(0);
  await rolled('logs:1');
  expect(Math.max(...missing)).toBeLessThanOrEqual(1);
  expect((await cluster.navctl('rollout', 'history', 'ds/logs')).out).toMatch(/\n2 [^\n]*\n3 /);
  const { out } = await cluster.navctl('describe', 'ds', 'logs');
  expect(out).toContain('Desired Number of Nodes Scheduled:');
  expect(out).toContain('4 Running / 0 Waiting / 0 Succeeded / 0 Failed');
});

test('a node that is lost keeps its Pod, counts as none that should have one, and is as before when it is back', async () => {
  const node = cluster.nodes[0];
  node?.cutOff();
  await cluster.time.until('the node to be given up', async () => {
    const { status } = await cluster.client.get(nodeKind, { name: 'n1' });
    return status.conditions.some(({ type, status: is }) => type === 'Ready' && is !== 'True');
  });
  await cluster.time.pass(200_000);
  const { status } = await cluster.client.get(daemonSetKind, { namespace: 'default', name: 'logs' });
  expect(status).toMatchObject({ desiredNumberScheduled: 3, numberAvailable: 3, numberMisscheduled: 1 });
  expect((await picture()).split(' ').filter((text) => text.startsWith('n1='))).toHaveLength(1);
  node?.reconnect();
  await untilIs('n1=logs:1 n2=logs:1 n3=logs:1 n4=logs:1');
});

test('while the controller-manager is killed, no node gets a second one', async () => {
  await cluster.apply(daemons('logs:3', { updateStrategy: { rollingUpdate: { maxUnavailable: '50%' } } }));
  let most = 0;
  const crowd = async () => {
    const { items } = await cluster.client.list(podKind, { labelSelector: 'app=logs' });
    // Those that are not bound yet name their nodes all the same.
    const nodeOf = ({ spec }: (typeof items)[number]) =>
      spec.nodeName || [...(namedNodes(requiredTerms(spec.affinity) ?? []) ?? [])].join();
    // One whose containers have ended is only on its way out of the store.
    const alive = items.filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed');
    for (const [, pods] of Map.groupBy(alive, nodeOf)) most = Math.max(most, pods.length);
  };
  await cluster.time.until('the first new one', async () => (await picture()).includes('logs:3'));
  cluster.killLeader('controller-manager');
  await cluster.startLeader('controller-manager');
  const wanted = 'n1=logs:3 n2=logs:3 n3=logs:3 n4=logs:3';
  await cluster.time.until(wanted, async () => {
    await crowd();
    return (await picture()) === wanted;
  });
  expect(most).toBe(1);
  await cluster.navctl('delete', 'ds', 'logs', '--wait=false');
  await untilIs('');
});

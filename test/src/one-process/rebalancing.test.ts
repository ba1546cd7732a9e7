import { pod as podKind } from '@navarch/kinds';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  const rebalancing = {
    goals: ['spread'],
    intervalMs: 10_000,
    maxMoves: 2,
    minimumGain: 0.1,
    settleMs: 60_000,
  } as const;
  cluster = await ClusterInProcess.start({ nodes: 2, rebalancing });
});
afterAll(() => cluster.stop());

const web = (cpu: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu } } }],
      },
    },
  },
});
const budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace: 'default' },
  spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } },
};
async function perNode(): Promise<string> {
  const { items } = await cluster.client.list(podKind);
  const running = items.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === '' && status.phase === 'Running',
  );
  return ['n1', 'n2'].map((name) => running.filter(({ spec }) => spec.nodeName === name).length).join(' and ');
}
const moved = async () => {
  const { out } = await cluster.navctl('events', '--reason', 'Rebalanced', '--no-headers');
  return out.split('\n').filter((line) => line.includes('Rebalanced'));
};

test('Pods move to a node that came back, as budgets allow, as few as it takes, and stay there', async () => {
  await cluster.navctl('cordon', 'n2');
  await cluster.apply(web('1500m'), budget);
  await cluster.time.until('all to be on n1', async () => (await perNode()) === '4 and 0');
  await cluster.navctl('uncordon', 'n2');
  await cluster.time.pass(200_000);
  expect(await perNode()).toBe('4 and 0');
  await cluster.navctl('delete', 'pdb/web');
  await cluster.time.until('both to have as many', async () => (await perNode()) === '2 and 2');
  const events = await moved();
  expect(events.length).toBeGreaterThanOrEqual(2);
  expect(events[0]).toMatch(/Moves from n1 to n2 \(spread\): the fuller of n1 and n2 goes from \d+ % to \d+ %/);
  await cluster.time.pass(300_000);
  expect(await perNode()).toBe('2 and 2');
  expect(await moved()).toHaveLength(events.length);
});

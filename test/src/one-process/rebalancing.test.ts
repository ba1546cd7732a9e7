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

const states = async () => {
  const { out } = await cluster.navctl('rebalance', 'list', '-o', 'json');
  const { items } = JSON.parse(out) as { items: readonly { id: number; state: string; why?: string }[] };
  return items.map(({ state }) => state);
};
const listed = async () => (await cluster.navctl('rebalance', 'list')).out;
const stateOf = async (id: number) => (await states())[id - 1];

test('what a budget keeps is not moved back, and that is said', async () => {
  expect(await states()).toEqual(['moved', 'moved']);
  await cluster.apply(budget);
  await cluster.time.until('the budget to be counted', async () => {
    const { out } = await cluster.navctl('get', 'pdb/web', '-o', 'json');
    const { status } = JSON.parse(out) as { status?: { expectedPods?: number } };
    return status?.expectedPods === 4;
  });
  await cluster.navctl('rebalance', 'undo', '2');
  await cluster.time.until('it to be refused', async () =>
    (await listed()).includes('not undone: the budget default/web lets none of its Pods go now'),
  );
  expect(await perNode()).toBe('2 and 2');
  await cluster.navctl('delete', 'pdb/web');
});

test('what does not fit on its old node any more is not moved back, and that is said', async () => {
  await cluster.navctl('cordon', 'n1');
  await cluster.navctl('rebalance', 'undo', '2');
  await cluster.time.until('it to be refused', async () =>
    (await listed()).includes('not undone: it does not fit on n1: it is cordoned'),
  );
  expect(await perNode()).toBe('2 and 2');
  await cluster.navctl('uncordon', 'n1');
});

test('a move that is undone brings a Pod back, also with another leader, and is not made again', async () => {
  // By itself the scheduler would place it where fewer are: on n2, from where it comes.
  const { out } = await cluster.navctl('rebalance', 'undo', '2');
  expect(out).toContain('a Pod of deployment/web goes back from n2 to n1');
  cluster.killLeader('scheduler');
  await cluster.startLeader('scheduler');
  await cluster.time.until('a Pod to be back', async () => (await perNode()) === '3 and 1');
  await cluster.time.until('that to be known', async () => (await stateOf(2)) === 'undone');
  await cluster.navctl('rebalance', 'undo', '--last');
  await cluster.time.until('the undo to be begun', async () => (await stateOf(1)) !== 'asked');
  cluster.killLeader('scheduler');
  await cluster.startLeader('scheduler');
  await cluster.time.until('both to be back', async () => (await perNode()) === '4 and 0');
  await cluster.time.until('both to be known', async () => (await states()).every((state) => state === 'undone'));
  await cluster.time.pass(600_000);
  expect(await perNode()).toBe('4 and 0');
  expect(await states()).toEqual(['undone', 'undone']);
  const again = await cluster.navctl('rebalance', 'undo', '1');
  expect(again.code).not.toBe(0);
  expect(again.err).toContain("move 1 can't be undone now: it is undone");
});

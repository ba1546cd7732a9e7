import { pod as podKind, podGroup as podGroupKind, podGroupLabel } from '@navarch/kinds';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 3 });
});
afterEach(async () => {
  await cluster.navctl('delete', 'pods', '--all');
  await cluster.navctl('delete', 'podgroups', '--all');
  await cluster.time.until('all to be gone', async () => (await pods()).length === 0);
});
afterAll(() => cluster.stop());

const pods = async () => (await cluster.client.list(podKind)).items;
const group = (name: string, minMember: number) => ({
  apiVersion: 'scheduling.x-k8s.io/v1alpha1',
  kind: 'PodGroup',
  metadata: { name },
  spec: { minMember },
});
const members = (name: string, count: number, cpu: string, spec: object = {}) =>
  Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index}`, labels: { [podGroupLabel]: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu } } }],
      ...spec,
    },
  }));
const bound = async (name: string) =>
  (await pods()).filter(({ metadata, spec }) => metadata.labels[podGroupLabel] === name && spec.nodeName !== '').length;

/** The scheduler is killed at the first change of a group that `when` tells, and another takes its place. */
function killAt(when: (phase: string) => boolean): { readonly killed: Promise<void>; readonly stop: () => void } {
  const stop = new AbortController();
  const killed = (async () => {
    for await (const { events } of cluster.client.watch(podGroupKind, { signal: stop.signal })) {
      if (!events.some(({ object }) => when(object.status.reservation?.phase ?? ''))) continue;
      cluster.killLeader('scheduler');
      await cluster.startLeader('scheduler');
      return;
    }
  })();
  return { killed, stop: () => stop.abort() };
}

/** How many members of each group had a node at each revision from now on. */
function watchCounts(): AsyncDisposable & { readonly counts: ReadonlyMap<string, ReadonlySet<number>> } {
  const stop = new AbortController();
  const nodes = new Map<string, string>();
  const counts = new Map<string, Set<number>>();
  const watching = (async () => {
    for await (const { events } of cluster.client.watch(podKind, { signal: stop.signal })) {
      for (const { type, object } of events) {
        const name = `${object.metadata.labels[podGroupLabel]}/${object.metadata.name}`;
        if (type === 'deleted' || object.spec.nodeName === '') nodes.delete(name);
        else nodes.set(name, object.spec.nodeName);
      }
      const changed = new Set(events.map(({ object }) => object.metadata.labels[podGroupLabel] ?? ''));
      for (const name of changed) {
        const count = [...nodes.keys()].filter((key) => key.startsWith(`${name}/`)).length;
        counts.set(name, (counts.get(name) ?? new Set()).add(count));
      }
    }
  })();
  return {
    counts,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}

test.each(['MakingRoom', 'Binding'])(
  'a leader dies when the places of a group larger than a transaction are kept (%s): the next goes on',
  async (phase) => {
    const { killed, stop } = killAt((each) => each === phase);
    await cluster.apply(group('wide', 110), ...members('wide', 110, '20m'));
    await cluster.time.passes(killed);
    stop();
    await cluster.time.until('all to be bound', async () => (await bound('wide')) === 110);
    await cluster.time.until('nothing to be kept any more', async () => {
      const { status } = await cluster.client.get(podGroupKind, { namespace: 'default', name: 'wide' });
      return status.reservation === undefined && status.phase === 'Running';
    });
    expect(await bound('wide')).toBe(110);
  },
);

test('a leader dies while others leave for a group: the next goes on, and nobody is asked for nothing', async () => {
  const importance = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 9,
  };
  await cluster.apply(importance, group('low', 6), ...members('low', 6, '3500m'));
  await cluster.time.until('the lesser to be there', async () => (await bound('low')) === 6);
  const { killed, stop } = killAt((phase) => phase === 'MakingRoom');
  await cluster.apply(group('vip', 3), ...members('vip', 3, '3500m', { priorityClassName: 'high' }));
  await cluster.time.passes(killed);
  stop();
  await cluster.time.until('it to have its places', async () => (await bound('vip')) === 3);
  await cluster.time.until('the other to be gone whole', async () => (await bound('low')) === 0);
  expect(await bound('vip')).toBe(3);
});

test('groups and single Pods on a cluster that is too small, answers that get lost, leaders that die: no group ever in part', async () => {
  const { time } = cluster;
  // Two replicas place Pods at once; one of them places groups.
  await cluster.startLeader('scheduler');
  {
    await using watched = watchCounts();
    const names = ['a', 'b', 'c', 'd'];
    // Six places of this size: each group fits alone, no two do, and single Pods are in between.
    await cluster.apply(
      ...names.flatMap((name) => [group(name, 4), ...members(name, 4, '3500m')]),
      ...members('', 2, '3500m').map((pod, index) => ({ ...pod, metadata: { name: `single-${index}` } })),
    );
    for (const round of names.keys()) {
      if (round % 2 === 0) cluster.loseAnswers(2);
      else {
        cluster.killLeader('scheduler');
        await cluster.startLeader('scheduler');
      }
      await time.until(`group ${round + 1} to have its places`, async () => {
        return (await Promise.all(names.map(bound))).some((count) => count === 4);
      });
      const placed = await Promise.all(names.map(async (each) => ((await bound(each)) === 4 ? each : '')));
      const done = placed.find((each) => each !== '');
      expect(placed.filter((each) => each !== '')).toHaveLength(1);
      await cluster.navctl('delete', 'pods', '-l', `${podGroupLabel}=${done}`, '--wait=false');
      await time.until('it to be gone', async () => (await bound(done ?? '')) === 0);
    }
    // Whole at the revision at which they were bound; less only as they ended, which all of them do at their own time.
    for (const name of names) expect(watched.counts.get(name)).toContain(4);
    for (const name of names) {
      const [first, second] = [...(watched.counts.get(name) ?? [])];
      expect([first, second]).toEqual([0, 4]);
    }
  }
});

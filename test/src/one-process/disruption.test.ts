import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, isReady, untilAtRest, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const web = { name: 'web', replicas: 6, image: 'web:1' };
const zoneLabel = 'topology.kubernetes.io/zone';

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 6 });
  for (const [number, zone] of ['a', 'a', 'b', 'b', 'b', 'b'].entries()) {
    await cluster.navctl('label', 'node', `n${number + 1}`, `${zoneLabel}=${zone}`);
  }
});
afterEach(async () => {
  await cluster.navctl('delete', 'pdb', '--all');
  await cluster.navctl('delete', 'deploy', '--all');
  await cluster.navctl('uncordon', ...cluster.nodes.map(({ name }) => name));
  await untilExactly(cluster, []);
});
afterAll(() => cluster.stop());

const budget = (spec: object) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web' },
  spec: { ...spec, selector: { matchLabels: { app: 'web' } } },
});
const pods = async () => (await cluster.client.list(podKind)).items;
const on = (names: readonly string[]) => (pod: Live<Pod>) => names.includes(pod.spec.nodeName);
/** The nodes with a taint that ends Pods. */
const givenUp = async () =>
  (await cluster.client.list(nodeKind)).items
    .filter(({ spec }) => spec.taints.some(({ effect }) => effect === 'NoExecute'))
    .map(({ metadata }) => metadata.name);

describe('a drain under a budget', () => {
  test('moves all Pods, never more at a time than may be missing, and says what it waits for', async () => {
    // The two nodes of the small zone have them all.
    await cluster.navctl('cordon', 'n3', 'n4', 'n5', 'n6');
    await cluster.apply(deployment(web), budget({ maxUnavailable: 1 }));
    await untilExactly(cluster, [web]);
    await cluster.navctl('uncordon', '-l', `${zoneLabel}=b`);
    await using seen = watchReady();
    const drained = await cluster.navctl('drain', '-l', `${zoneLabel}=a`);
    expect(drained).toMatchObject({ code: 0 });
    expect(drained.out).toContain('node/n1 drained\nevicting pod');
    expect(drained.err).toMatch(
      /^waiting to evict: the disruption budget web needs 5 healthy pods and has 5 currently \(\d Pods? waits?\)\n/,
    );
    expect((await pods()).filter(on(['n1', 'n2']))).toEqual([]);
    await untilExactly(cluster, [web]);
    expect(seen.fewest()).toBe(5);
    expect((await cluster.navctl('get', 'pdb', 'web', '--no-headers')).out).toMatch(/^web +N\/A +1 +1 /);
  });

  test('gives up when its time is up, says for which budget it waited, and can be told not to ask', async () => {
    await cluster.apply(deployment(web), budget({ minAvailable: '100%' }));
    await untilExactly(cluster, [web]);
    const [kept] = (await pods()).map(({ spec }) => spec.nodeName);
    const refused = await cluster.navctl('drain', kept ?? '', '--timeout=5s');
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(
      /error: the time is up, and \d Pods were not evicted: the disruption budget web needs 6/,
    );
    const forced = await cluster.navctl('drain', kept ?? '', '--disable-eviction');
    expect(forced).toMatchObject({ code: 0, err: '' });
    expect(forced.out).toMatch(/^node\/n\d already cordoned\n(deleting pod default\/web-\S+\n)+node\/n\d drained\n$/);
    await untilExactly(cluster, [web]);
  });
});

test('a taint ends Pods when they no longer tolerate it, at the same moment whoever leads then', async () => {
  const patient = { name: 'patient', replicas: 2, image: 'patient:1' };
  const manifest = deployment(patient) as { spec: { template: { spec: object } } };
  const tolerations = [{ key: 'soon', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 90 }];
  manifest.spec.template.spec = { ...manifest.spec.template.spec, tolerations };
  await cluster.navctl('cordon', 'n2', 'n3', 'n4', 'n5', 'n6');
  await cluster.apply(manifest, deployment({ ...web, replicas: 2 }));
  await untilExactly(cluster, [patient, { ...web, replicas: 2 }]);
  await cluster.navctl('uncordon', '-l', `${zoneLabel}=b`);

  const startMs = cluster.time.clock.monotonicMs();
  const named = async (name: string) => (await pods()).filter(({ metadata }) => metadata.labels['app'] === name);
  const left = (name: string) => async () => (await named(name)).every(({ spec }) => spec.nodeName !== 'n1');
  expect(await cluster.navctl('taint', 'nodes', 'n1', 'soon:NoExecute')).toMatchObject({ out: 'node/n1 tainted\n' });
  await cluster.time.until('the others to leave', left('web'));
  expect(cluster.time.clock.monotonicMs() - startMs).toBeLessThan(30_000);
  await cluster.time.pass(30_000);
  cluster.killLeader('controller-manager');
  await cluster.startLeader('controller-manager');
  expect((await named('patient')).every(on(['n1']))).toBe(true);
  await cluster.time.until('the patient to leave', left('patient'));
  const tookMs = cluster.time.clock.monotonicMs() - startMs;
  expect(tookMs).toBeGreaterThan(88_000);
  expect(tookMs).toBeLessThan(115_000);
  expect(await cluster.navctl('taint', 'nodes', 'n1', 'soon-')).toMatchObject({ out: 'node/n1 untainted\n' });
  await untilExactly(cluster, [patient, { ...web, replicas: 2 }]);
});

test('a zone that is gone loses its Pods node by node; when most nodes seem gone, none loses any', async () => {
  const { time, nodes } = cluster;
  const wide = { ...web, replicas: 12 };
  await cluster.apply(deployment(wide));
  await untilExactly(cluster, [wide]);
  const zone = nodes.slice(0, 2);
  for (const node of zone) node.cutOff();
  await time.until('the first to be given up', async () => (await givenUp()).length === 1);
  const firstMs = time.clock.monotonicMs();
  await time.until('both to be given up', async () => (await givenUp()).length === 2);
  expect(time.clock.monotonicMs() - firstMs).toBeGreaterThan(8_000);
  await time.until('the Pods to be elsewhere', async () => {
    return (await pods()).filter((pod) => isReady(pod) && !on(['n1', 'n2'])(pod)).length === 12;
  });
  // Nobody knows whether they run: they stay until the zone is back.
  expect((await pods()).filter(on(['n1', 'n2'])).every(({ metadata }) => metadata.deletionTimestamp !== '')).toBe(true);
  expect((await pods()).filter(on(['n1', 'n2'])).length).toBeGreaterThan(0);

  for (const node of nodes.slice(2, 4)) node.cutOff();
  await time.until('nobody to be given up any more', async () => (await givenUp()).length === 0);
  await time.pass(200_000);
  expect(await givenUp()).toEqual([]);
  expect((await pods()).filter(on(['n3', 'n4'])).every(({ metadata }) => metadata.deletionTimestamp === '')).toBe(true);
  expect((await cluster.navctl('events', '-n', 'navarch-system')).out).toContain('EvictionsStopped');

  for (const node of nodes) node.reconnect();
  expect(await untilAtRest(cluster, [wide])).toEqual([]);
});

test('the Pods of a silent node go without its word only when somebody says that the machine is off', async () => {
  const { time, nodes } = cluster;
  const [off, removed] = nodes;
  if (off === undefined || removed === undefined) throw new Error('no nodes');
  const wide = { ...web, replicas: 12 };
  await cluster.apply(deployment(wide));
  await untilExactly(cluster, [wide]);
  const ranOn = await Promise.all([off, removed].map((node) => node.running()));
  for (const node of [off, removed]) node.cutOff();
  await time.until('their Pods to be asked to go', async () =>
    (await pods()).filter(on([off.name, removed.name])).every(({ metadata }) => metadata.deletionTimestamp !== ''),
  );
  // Far longer than any grace period.
  await time.pass(120_000);
  expect(
    (await pods())
      .filter(on([off.name]))
      .map(({ metadata }) => metadata.uid)
      .sort(),
  ).toEqual(ranOn[0]?.toSorted());
  const outOfService = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
  expect((await cluster.navctl('taint', 'nodes', off.name, outOfService)).code).toBe(0);
  await time.until('the Pods of the one to be gone', async () => (await pods()).filter(on([off.name])).length === 0);
  expect(
    (await pods())
      .filter(on([removed.name]))
      .map(({ metadata }) => metadata.uid)
      .sort(),
  ).toEqual(ranOn[1]?.toSorted());
  expect((await cluster.navctl('delete', 'node', removed.name)).code).toBe(0);
  await time.until(
    'the Pods of the other to be gone',
    async () => (await pods()).filter(on([removed.name])).length === 0,
  );
  // They knew nothing of it, and end what ran on.
  expect(await Promise.all([off, removed].map((node) => node.running()))).toEqual(ranOn);
  for (const node of [off, removed]) node.reconnect();
  await time.until(
    'what ran on to end',
    async () => (await off.running()).length + (await removed.running()).length === 0,
  );
  await cluster.navctl('taint', 'nodes', off.name, 'node.kubernetes.io/out-of-service-');
  expect(await untilAtRest(cluster, [wide])).toEqual([]);
});

/** How many Pods are ready, at every revision from now on. */
function watchReady(): AsyncDisposable & { readonly fewest: () => number } {
  const stop = new AbortController();
  const ready = new Map<string, boolean>();
  let fewest = Number.POSITIVE_INFINITY;
  const watching = (async () => {
    for await (const { events, initial } of cluster.client.watch(podKind, { signal: stop.signal })) {
      for (const { type, object } of events) ready.set(object.metadata.uid, type !== 'deleted' && isReady(object));
      if (!initial) fewest = Math.min(fewest, [...ready.values()].filter(Boolean).length);
    }
  })();
  return {
    fewest: () => fewest,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}

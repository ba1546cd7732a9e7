import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, isReady, untilAtRest, untilExactly, writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 3 });
  await cluster.apply(deployment(web));
  await untilExactly(cluster, [web]);
});
afterAll(() => cluster.stop());

const web = { name: 'web', replicas: 9, image: 'web:1' };

test('the Pods of a node that falls silent are moved; when it is back its old containers go', async () => {
  const { time, client, nodes } = cluster;
  const [lost, ...others] = nodes;
  if (!lost) throw new Error('no node');
  const before = await lost.running();
  const startMs = time.clock.monotonicMs();
  await using seen = watchReadiness(lost.name);
  lost.cutOff();
  await time.until('the node to be Unknown', async () => (await readiness(lost.name)) === 'Unknown');
  expect(time.clock.monotonicMs() - startMs).toBeGreaterThan(30_000);
  await time.until('the Pods to be elsewhere', async () => {
    const { items } = await client.list(podKind);
    return items.filter((pod) => isReady(pod) && pod.spec.nodeName !== lost.name).length === 9;
  });
  expect(time.clock.monotonicMs() - startMs).toBeGreaterThan(90_000);
  expect(time.clock.monotonicMs() - startMs).toBeLessThan(300_000);
  // It doesn't know, and its containers run on.
  expect(await lost.running()).toEqual(before);
  lost.reconnect();
  await time.until('the node to be Ready', async () => (await readiness(lost.name)) === 'True');
  expect(await untilAtRest(cluster, [web])).toEqual([]);
  // Nobody contradicted anybody meanwhile.
  expect(seen.states).toEqual(['True', 'Unknown', 'True']);
  expect(await lost.running()).toEqual([]);
  expect((await Promise.all(others.map((node) => node.running()))).flat()).toHaveLength(9);
});

test('a node that is silent for a short while keeps its Pods and containers', async () => {
  const { time, client, nodes } = cluster;
  const [, node] = nodes;
  if (!node) throw new Error('no node');
  const before = await node.running();
  node.cutOff();
  await time.until('the node to be Unknown', async () => (await readiness(node.name)) === 'Unknown');
  const { items } = await client.list(podKind, { fieldSelector: `spec.nodeName=${node.name}` });
  node.reconnect();
  await time.until('the node to be Ready', async () => (await readiness(node.name)) === 'True');
  await untilExactly(cluster, [web]);
  expect(items.length).toBeGreaterThan(0);
  expect(await node.running()).toEqual(before);
});

test('an agent that was killed takes over what runs', async () => {
  const [, node] = cluster.nodes;
  if (!node) throw new Error('no node');
  const before = await node.running();
  node.killAgent();
  await node.startAgent();
  await untilExactly(cluster, [web]);
  expect(await node.running()).toEqual(before);
  expect(await writesWithin(cluster, 20_000)).toEqual([]);
});

async function readiness(name: string): Promise<string> {
  return readyStatus(await cluster.client.get(nodeKind, { name }));
}

function readyStatus({ status }: Live<Node>): string {
  return status.conditions.find(({ type }) => type === 'Ready')?.status ?? '';
}

/** What the node's readiness is and becomes. */
function watchReadiness(name: string): AsyncDisposable & { readonly states: readonly string[] } {
  const stop = new AbortController();
  const states: string[] = [];
  const watching = (async () => {
    const fieldSelector = `metadata.name=${name}`;
    for await (const { events } of cluster.client.watch(nodeKind, { fieldSelector, signal: stop.signal })) {
      for (const status of events.map(({ object }) => readyStatus(object))) {
        if (status !== states.at(-1)) states.push(status);
      }
    }
  })();
  return {
    states,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}

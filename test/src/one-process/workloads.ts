import { deployment as deploymentKind, node as nodeKind, nodeTaints, pod as podKind, taintText } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { ClusterInProcess } from './cluster-in-process.ts';

export interface Wanted {
  readonly name: string;
  readonly replicas: number;
  readonly image: string;
  readonly namespace?: string;
}

/** A Deployment's manifest. Its Pods request a little, so that there is something to score. */
export function deployment({ name, replicas, image, namespace = 'default' }: Wanted, strategy: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy,
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'c', image, resources: { requests: { cpu: '50m', memory: '32Mi' } } }],
        },
      },
    },
  };
}

export function isReady({ metadata, status }: Live<Pod>): boolean {
  const ready = status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready && metadata.deletionTimestamp === '';
}

/**
 * In what the cluster differs from exactly these Deployments in all namespaces: '' when each has its Pods, all of them are
 * Ready, there is no other Pod, every node runs one container for each of its Pods and no other, and every status says so.
 */
export async function amiss(cluster: ClusterInProcess, wanted: readonly Wanted[]): Promise<string> {
  const { items: pods } = await cluster.client.list(podKind);
  const { items: deployments } = await cluster.client.list(deploymentKind);
  const found: string[] = [];
  const expect = (what: string, is: unknown, should: unknown) => {
    if (is !== should) found.push(`${what}: ${String(is)} instead of ${String(should)}`);
  };
  expect('Deployments', deployments.length, wanted.length);
  expect(
    'Pods',
    pods.length,
    wanted.reduce((sum, { replicas }) => sum + replicas, 0),
  );
  for (const { name, replicas, image, namespace = 'default' } of wanted) {
    const own = pods.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels['app'] === name);
    const good = own.filter((pod) => isReady(pod) && pod.spec.containers[0]?.image === image);
    expect(`${name}: Pods Ready with ${image}`, good.length, replicas);
    const object = deployments.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    expect(`${name}: generation seen`, object?.status.observedGeneration, object?.metadata.generation);
    expect(`${name}: replicas seen`, object?.status.replicas, replicas);
    expect(`${name}: available`, object?.status.availableReplicas, replicas);
    expect(`${name}: updated`, object?.status.updatedReplicas, replicas);
  }
  for (const { metadata, spec, status } of (await cluster.client.list(nodeKind)).items) {
    const failing = spec.taints.filter(({ key }) => key === nodeTaints.notReady || key === nodeTaints.unreachable);
    expect(`${metadata.name}: taints of a node that fails`, failing.map(taintText).join(), '');
    expect(`${metadata.name}: Ready`, status.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  }
  for (const node of cluster.nodes) {
    const bound = pods.filter(({ spec }) => spec.nodeName === node.name).map(({ metadata }) => metadata.uid);
    expect(`containers on ${node.name}`, (await node.running()).sort().join(), bound.sort().join());
    const { sandboxes } = await node.runtime.snapshot();
    expect(`sandboxes on ${node.name}`, sandboxes.filter(({ ready }) => ready).length, bound.length);
  }
  return found.join('; ');
}

/** Waits until there is nothing amiss. */
export async function untilExactly(cluster: ClusterInProcess, wanted: readonly Wanted[]): Promise<void> {
  const { time } = cluster;
  await time.until(
    'exactly what was asked',
    async () => (await amiss(cluster, wanted)) === '',
    () => amiss(cluster, wanted),
  );
}

/** A node looks at its images with each heartbeat (10 s), and tells at once of new ones: that is news, and no unrest. */
const newsMs = 15_000;

/** The keys that were written in `ms`, after all news is told, but for Leases, which are renewed for ever. */
export async function writesWithin(cluster: ClusterInProcess, ms: number): Promise<string[]> {
  const { store, time } = cluster;
  await time.pass(newsMs);
  const after = await store.revision();
  await time.pass(ms);
  const until = await store.revision();
  const keys: string[] = [];
  const enough = new AbortController();
  for await (const { revision, events } of store.watch('/navarch/', { after, bookmarkMs: 0, signal: enough.signal })) {
    keys.push(...events.map((event) => (event.type === 'put' ? event.entry.key : event.key)));
    if (revision >= until) enough.abort();
  }
  return keys.filter((key) => !key.startsWith('/navarch/coordination.k8s.io/leases/'));
}

/**
 * Waits until there is nothing amiss and nobody writes any more. An agent that was cut off may have something to tell of
 * the time between, even where all is well by now: hence several looks. Gives what was written in the last of them.
 */
export async function untilAtRest(cluster: ClusterInProcess, wanted: readonly Wanted[]): Promise<string[]> {
  let written: string[] = [];
  for (let looks = 0; looks < 10; looks++) {
    await untilExactly(cluster, wanted);
    written = await writesWithin(cluster, 20_000);
    if (written.length === 0) break;
  }
  return written;
}

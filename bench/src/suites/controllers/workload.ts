import { deployment as deploymentKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Deployment, Pod } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import type { SimulatedCluster } from '../simulated-cluster.ts';

export function deploymentOf(name: string, replicas: number): Deployment {
  return Deployment.fromJSON({
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: templateOf(name),
    },
  });
}

/** What one Pod of such a Deployment is, without an owner or a node. */
export function podOf(app: string, name: string): Pod {
  const { spec } = templateOf(app);
  return Pod.fromJSON({ metadata: { name, namespace: 'default', labels: { app } }, spec });
}

function templateOf(app: string) {
  return {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: 'example.org/app:1', resources: { requests: { cpu: '10m', memory: '16Mi' } } }],
    },
  };
}

/** Waits until the Deployments are all available in today's template. Gives the seconds since `sinceMs`. */
export async function untilAvailable(
  cluster: SimulatedCluster,
  count: number,
  sinceMs: number,
  timeoutMs = 600_000,
): Promise<number> {
  const left = await leftOver(cluster, count, timeoutMs);
  if (left > 0) throw new Error(`${left} Deployments did not become available within ${timeoutMs / 1000} s`);
  return (performance.now() - sinceMs) / 1000;
}

/** Follows them by a watch: asking again and again would be a load of its own. */
async function leftOver({ client }: SimulatedCluster, count: number, timeoutMs: number): Promise<number> {
  const waiting = new Set<string>();
  let seen = 0;
  const enough = new AbortController();
  const late = setTimeout(() => enough.abort(), timeoutMs);
  try {
    for await (const { events } of client.watch(deploymentKind, { signal: enough.signal })) {
      for (const { type, object } of events) {
        const { name } = object.metadata;
        if (type === 'added') seen++;
        if (type !== 'deleted' && !isComplete(object)) waiting.add(name);
        else waiting.delete(name);
      }
      if (seen >= count && waiting.size === 0) return 0;
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(late);
    enough.abort();
  }
  return Math.max(waiting.size, count - seen);
}

function isComplete({ metadata, spec, status }: Live<Deployment>): boolean {
  const wanted = spec.replicas ?? 1;
  return (
    status.observedGeneration >= metadata.generation &&
    status.updatedReplicas === wanted &&
    status.availableReplicas === wanted &&
    status.replicas === wanted
  );
}

/** Removes everything that the part made, and waits until it is gone. */
export async function clearAway({ client }: SimulatedCluster): Promise<void> {
  await client.deleteCollection(deploymentKind, { namespace: 'default' });
  await client.deleteCollection(podKind, { namespace: 'default' }, { gracePeriodSeconds: 0 });
  await waitFor(
    async () => {
      const [deployments, pods] = await Promise.all([client.list(deploymentKind), client.list(podKind)]);
      return deployments.items.length + pods.items.length === 0;
    },
    { what: 'everything to be gone', timeoutMs: 300_000, intervalMs: 1_000 },
  );
}

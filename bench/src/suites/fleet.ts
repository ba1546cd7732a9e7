import { deployment as deploymentKind, node as nodeKind } from '@navarch/kinds';
import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { peakMiB, residentMiB } from '../frame/process-usage.ts';
import { createAll } from './cluster/in-batches.ts';
import { deploymentOf, untilAvailable } from './controllers/workload.ts';
import { isReady, SimulatedCluster } from './simulated-cluster.ts';

const nodes = 5_000;
const deployments = 500;
const replicas = 100;
const pods = deployments * replicas;
/** Containers that start at once show what the control plane takes; a real runtime's time comes on top. */
const startMs = 1;
const atMostMiB = 8 * 1024;

/** A large cluster on this machine: whether it comes up, how long that takes, and what memory it wants. */
export const fleet: Suite = {
  name: 'fleet',
  summary: `${pods} Pods on ${nodes} simulated nodes, and the memory of it all`,
  async *run({ say, profileDir }: SuiteOptions): AsyncIterable<Figure> {
    const beganMs = performance.now();
    const cluster = await SimulatedCluster.start({ nodes, startMs, say, profileDir });
    try {
      yield { name: `${nodes} nodes, until all are Ready`, value: (performance.now() - beganMs) / 1000, unit: 's' };
      const before = cluster.cpuSeconds();
      yield* fill(cluster, say);
      const ready = (await cluster.client.list(nodeKind)).items.filter(isReady).length;
      yield { name: 'nodes that are Ready with them', value: ready, unit: '', goal: { atLeast: nodes } };
      for (const [name, cpu] of cluster.cpuSeconds()) {
        const micros = ((cpu - (before.get(name) ?? 0)) * 1e6) / pods;
        yield { name: `processor time of ${name} for each Pod`, value: micros, unit: 'µs' };
      }
      yield* memory(cluster);
    } finally {
      await cluster.stop();
    }
  },
};

async function* fill(cluster: SimulatedCluster, say: (line: string) => void): AsyncIterable<Figure> {
  say(`creating ${deployments} Deployments of ${replicas} Pods …`);
  const sinceMs = performance.now();
  const wanted = Array.from({ length: deployments }, (_, number) => deploymentOf(`web-${number}`, replicas));
  await createAll(cluster, deploymentKind, wanted);
  const seconds = await untilAvailable(cluster, deployments, sinceMs, 1_200_000);
  yield { name: `${pods} Pods, until all are Running and available`, value: seconds, unit: 's' };
  yield { name: 'Pods made available', value: pods / seconds, unit: 'Pods/s' };
}

/** The nodes are counted too. What processes share is counted for each of them. */
async function* memory(cluster: SimulatedCluster): AsyncIterable<Figure> {
  let sum = 0;
  let peaks = 0;
  for (const [name, pid] of cluster.pids()) {
    const resident = residentMiB(pid);
    sum += resident;
    peaks += peakMiB(pid);
    yield { name: `resident memory of ${name}`, value: resident, unit: 'MiB' };
  }
  yield { name: 'resident memory of all', value: sum, unit: 'MiB', goal: { atMost: atMostMiB } };
  yield { name: 'their peaks together', value: peaks, unit: 'MiB', goal: { atMost: atMostMiB } };
}

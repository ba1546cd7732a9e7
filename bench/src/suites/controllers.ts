import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { idle } from './controllers/idle.ts';
import { manyDeployments } from './controllers/many-deployments.ts';
import { largeRollout } from './controllers/large-rollout.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

const nodes = 200;
/** Containers that start at once show what the control plane takes; a real runtime's time comes on top. */
const startMs = 1;

const parts: Readonly<Record<string, (cluster: SimulatedCluster, say: SuiteOptions['say']) => AsyncIterable<Figure>>> =
  {
    create: manyDeployments,
    idle,
    rollout: largeRollout,
  };

/** What the controllers do for large workloads, and how still they are when there is nothing to do. */
export const controllers: Suite = {
  name: 'controllers',
  summary: `1,000 Deployments at once, a rolling update of 5,000 Pods, and rest, on ${nodes} simulated nodes`,
  parts: Object.keys(parts),
  async *run({ say, signal, only, profileDir }: SuiteOptions): AsyncIterable<Figure> {
    const cluster = await SimulatedCluster.start({ nodes, startMs, say, profileDir });
    try {
      for (const [name, part] of Object.entries(parts)) {
        if (only !== undefined && !only.includes(name)) continue;
        signal.throwIfAborted();
        yield* part(cluster, say);
      }
    } finally {
      await cluster.stop();
    }
  },
};

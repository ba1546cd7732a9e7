import { createWrite, updateStatusWrite } from '@navarch/client';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { ControlPlane } from './cluster/control-plane.ts';
import { createAll, inBatches } from './cluster/in-batches.ts';
import { nodeOf, partOf, podOf, type Workload, workloads } from './scheduler/workloads.ts';

/** What goes through the api. 100,000 nodes are for decisions alone, and victims would have to end. */
const measured = workloads.filter(({ clusterGoal }) => clusterGoal !== undefined);

/** From the creation of Pods to their binding in etcd, with everything on this machine. */
export const cluster: Suite = {
  name: 'cluster',
  summary: 'Pods created and bound through api, scheduler and etcd',
  parts: measured.map(({ name }) => partOf(name)),
  async *run({ say, signal, only, profileDir }: SuiteOptions): AsyncIterable<Figure> {
    for (const workload of measured) {
      if (only !== undefined && !only.includes(partOf(workload.name))) continue;
      signal.throwIfAborted();
      say(`${workload.name}: ${workload.nodes} nodes, ${workload.pods} Pods …`);
      yield* measure(workload, profileDir);
    }
  },
};

async function* measure(workload: Workload, profileDir: string | undefined): AsyncIterable<Figure> {
  const { name, nodes, initial, initialPod = {}, pods, pod, clusterGoal = 0, refused = 0 } = workload;
  const plane = await ControlPlane.start(profileDir);
  try {
    await makeNodes(plane, nodes);
    await createAndBind(plane, 'initial', initial, () => initialPod, 0);
    const before = plane.cpuSeconds();
    const seconds = await createAndBind(plane, 'pod', pods, pod, refused);
    const costs = [...plane.cpuSeconds()].map(
      ([service, cpu]) => `${service} ${(((cpu - (before.get(service) ?? 0)) * 1e6) / pods).toFixed(0)} µs`,
    );
    yield { name, value: pods / seconds, unit: 'Pods/s', goal: { atLeast: clusterGoal } };
    for (const cost of costs) process.stderr.write(`  processor time for each Pod: ${cost}\n`);
  } finally {
    await plane.stop();
  }
}

/** Nobody stands behind these nodes: what Pods do once they are bound is not measured here. */
async function makeNodes({ client }: ControlPlane, count: number): Promise<void> {
  const wanted = Array.from({ length: count }, (_, number) => nodeOf(number));
  await inBatches(wanted, async (batch) => {
    const made = await client.transact(batch.map((node) => createWrite(nodeKind, node)));
    const statuses = made.flatMap((outcome, index) => {
      const node = batch[index];
      if (!outcome.ok || node === undefined) throw new Error('a Node was refused');
      return [updateStatusWrite(nodeKind, { ...node, metadata: outcome.object.metadata ?? node.metadata })];
    });
    await client.transact(statuses);
  });
}

/** Gives the seconds from the first creation until all but `refused` of the Pods are seen bound. */
async function createAndBind(
  plane: ControlPlane,
  prefix: string,
  count: number,
  shape: Workload['pod'],
  refused: number,
): Promise<number> {
  if (count === 0) return 0;
  const enough = new AbortController();
  const bound = (async () => {
    const names = new Set<string>();
    for await (const { events } of plane.client.watch(podKind, { signal: enough.signal })) {
      for (const { object } of events) {
        const { metadata, spec } = object;
        if (spec.nodeName !== '' && metadata.name.startsWith(`${prefix}-`)) names.add(metadata.name);
      }
      if (names.size >= count - refused) return;
    }
  })();
  const startedMs = performance.now();
  const pods = Array.from({ length: count }, (_, number) => podOf(`${prefix}-${number}`, shape(number)));
  const made = createAll(plane, podKind, pods);
  try {
    await Promise.all([bound, made]);
    return (performance.now() - startedMs) / 1000;
  } finally {
    enough.abort();
  }
}

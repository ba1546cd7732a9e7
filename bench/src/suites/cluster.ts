import { pod as podKind, priorityClass as priorityClassKind } from '@navarch/kinds';
import { PriorityClass } from '@navarch/proto';
import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { churn } from './cluster/churn.ts';
import { ControlPlane } from './cluster/control-plane.ts';
import { createAll } from './cluster/in-batches.ts';
import { nodeArrival } from './cluster/node-arrival.ts';
import { readyNodes } from './cluster/nodes.ts';
import { untilBound } from './cluster/until-bound.ts';
import { importantClass, nodeOf, partOf, podOf, type Workload, workloads } from './scheduler/workloads.ts';

/** What goes through the api: 100,000 nodes are for decisions alone. */
const measured = workloads.filter(({ clusterGoal }) => clusterGoal !== undefined);
const arrival = 'node-arrival';

/** From the creation of Pods to their binding in etcd, with everything on this machine. */
export const cluster: Suite = {
  name: 'cluster',
  summary: 'Pods created and bound through api, scheduler and etcd',
  parts: [...measured.map(({ name }) => partOf(name)), arrival],
  async *run({ say, signal, only, profileDir }: SuiteOptions): AsyncIterable<Figure> {
    for (const workload of measured) {
      if (only !== undefined && !only.includes(partOf(workload.name))) continue;
      signal.throwIfAborted();
      say(`${workload.name}: ${workload.nodes} nodes, ${workload.pods} Pods …`);
      yield* measure(workload, say, profileDir);
    }
    if (only !== undefined && !only.includes(arrival)) return;
    say('Pods wait for nodes …');
    yield* nodeArrival(profileDir);
  },
};

async function* measure(
  workload: Workload,
  say: (line: string) => void,
  profileDir: string | undefined,
): AsyncIterable<Figure> {
  const { name, nodes, cpu, initial, initialPod = {}, pods, pod, clusterGoal = 0, refused = 0 } = workload;
  const plane = await ControlPlane.start(profileDir);
  const over = new AbortController();
  try {
    await createAll(plane, priorityClassKind, [priorityClassOf(importantClass)]);
    await readyNodes(
      plane,
      Array.from({ length: nodes }, (_, number) => nodeOf(number, cpu)),
    );
    await createAndBind(plane, 'initial', initial, () => initialPod, 0);
    const before = plane.cpuSeconds();
    const ownBefore = process.cpuUsage();
    const [seconds] = await Promise.all([
      createAndBind(plane, 'pod', pods, pod, refused).finally(() => over.abort()),
      workload.churn === true && churn(plane, over.signal),
    ]);
    const own = process.cpuUsage(ownBefore);
    yield { name, value: pods / seconds, unit: 'Pods/s', goal: { atLeast: clusterGoal } };
    const spent = [...plane.cpuSeconds()].map(([name, cpu]) => [name, (cpu - (before.get(name) ?? 0)) * 1e6] as const);
    const costs = [...spent, ['this benchmark', own.user + own.system] as const];
    say(
      `  processor time for each Pod: ${costs.map(([who, all]) => `${who} ${(all / pods).toFixed(0)} µs`).join(', ')}`,
    );
  } finally {
    over.abort();
    await plane.stop();
  }
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
  const over = new AbortController();
  const names = new Set<string>();
  const enough = ({ metadata: { name } }: { metadata: { name: string } }) => {
    if (name.startsWith(`${prefix}-`)) names.add(name);
    return names.size >= count - refused;
  };
  const bound = untilBound(plane, enough, over.signal);
  const pods = Array.from({ length: count }, (_, number) => podOf(`${prefix}-${number}`, shape(number)));
  const startedMs = performance.now();
  const made = createAll(plane, podKind, pods);
  try {
    await Promise.all([bound, made]);
    return (performance.now() - startedMs) / 1000;
  } finally {
    over.abort();
  }
}

function priorityClassOf({ name, value }: { readonly name: string; readonly value: number }): PriorityClass {
  return PriorityClass.fromJSON({ metadata: { name }, value });
}

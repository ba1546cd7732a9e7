import {
  defaultProfiles,
  nodeFacts,
  type PodInfo,
  preemption,
  type Profile,
  schedule,
  Snapshot,
  toPodInfo,
} from '@navarch/scheduler';
import type { Figure, Suite, SuiteOptions } from '../frame/figure.ts';
import { measureMemory } from './scheduler/memory.ts';
import { measureQuality } from './scheduler/quality.ts';
import { nodeOf, partOf, passingNode, passingPod, podOf, type Workload, workloads } from './scheduler/workloads.ts';

/** So many Pods are made, and then decided on while the clock runs. */
const chunk = 1_000;

/** What is measured beside speed. */
const others: Readonly<Record<string, () => Iterable<Figure>>> = { memory: measureMemory, quality: measureQuality };

/** How fast the scheduler decides: no api, no etcd, one core. */
export const scheduler: Suite = {
  name: 'scheduler',
  summary: "decisions alone, on kube-scheduler's own workloads",
  parts: [...workloads.map(({ name }) => partOf(name)), ...Object.keys(others)],
  async *run({ say, signal, only }: SuiteOptions): AsyncIterable<Figure> {
    for (const workload of workloads) {
      if (only !== undefined && !only.includes(partOf(workload.name))) continue;
      signal.throwIfAborted();
      say(`${workload.name}: ${workload.nodes} nodes, ${workload.pods} Pods …`);
      yield* measure(workload);
    }
    for (const [name, measureIt] of Object.entries(others)) {
      if (only !== undefined && !only.includes(name)) continue;
      signal.throwIfAborted();
      say(`${name} …`);
      yield* measureIt();
    }
  },
};

function* measure({
  name,
  nodes,
  cpu,
  profile: profileName = 'default-scheduler',
  initial,
  initialPod = {},
  pods,
  pod,
  goal,
  refused = 0,
  churn = false,
}: Workload): Iterable<Figure> {
  const profile = defaultProfiles.find(({ schedulerName }) => schedulerName === profileName);
  if (profile === undefined) throw new Error(`there is no profile ${profileName}`);
  const snapshot = new Snapshot();
  for (let number = 0; number < nodes; number++) snapshot.putNode(nodeFacts(nodeOf(number, cpu)));
  decideAll(
    snapshot,
    profile,
    Array.from({ length: initial }, (_, number) => toPodInfo(podOf(`initial-${number}`, initialPod))),
  );
  let left = 0;
  let micros = 0;
  for (let made = 0; made < pods; made += chunk) {
    const count = Math.min(chunk, pods - made);
    const infos = Array.from({ length: count }, (_, at) => toPodInfo(podOf(`pod-${made + at}`, pod(made + at))));
    const passing = churn ? { node: nodeFacts(passingNode(made)), pod: toPodInfo(passingPod(made)) } : undefined;
    const before = process.cpuUsage();
    if (passing !== undefined) {
      snapshot.putNode(passing.node);
      decideAll(snapshot, profile, [passing.pod]);
    }
    left += decideAll(snapshot, profile, infos);
    if (passing !== undefined) snapshot.removeNode(passing.node.name);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
  }
  if (left !== refused) throw new Error(`${left} Pods were refused instead of ${refused}`);
  yield { name, value: (pods * 1e6) / micros, unit: 'decisions/s', goal: { atLeast: goal } };
}

/** Places them one after another, each decision counting for the next, and victims leaving at once. Gives how many no node could have. */
function decideAll(snapshot: Snapshot, profile: Profile, pods: readonly PodInfo[]): number {
  let refused = 0;
  for (const [seed, pod] of pods.entries()) {
    const decision = schedule(pod, snapshot, profile, seed);
    const made = decision.type === 'place' ? undefined : preemption(pod, snapshot, [], seed);
    for (const victim of made?.victims ?? []) snapshot.take(victim);
    const nodeName = decision.type === 'place' ? decision.nodeName : made?.nodeName;
    if (nodeName === undefined) refused++;
    else snapshot.place(pod.key, nodeName, pod);
  }
  return refused;
}

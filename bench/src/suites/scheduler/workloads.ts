import { liveObject, node as nodeKind, pod as podKind, toResource } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Node, Pod } from '@navarch/proto';

/** Nodes, Pods that are there already, and Pods to place: after kube-scheduler's own performance tests, with their sizes. */
export interface Workload {
  readonly name: string;
  readonly nodes: number;
  /** Placed before the clock starts. */
  readonly initial: number;
  readonly initialPod?: PodShape;
  /** The cores of each node. Default 32. */
  readonly cpu?: string;
  /** How its Pods are placed. Default: the founding paper's score. */
  readonly profile?: string;
  readonly pods: number;
  /** The nth of them. */
  readonly pod: (number: number) => PodShape;
  /** Decisions a second. */
  readonly goal: number;
  /** Pods created and bound a second, through api and etcd; undefined where that is not measured. */
  readonly clusterGoal?: number;
  /** How many of the Pods no node can have. */
  readonly refused?: number;
  /** Nodes come and go meanwhile, and important Pods that no node can have: see `passingNode` and `passingPod`. */
  readonly churn?: boolean;
}

export interface PodShape {
  readonly labels?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly memory?: string;
  readonly spec?: object;
}

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
const zone = 'topology.kubernetes.io/zone';
const hostname = 'kubernetes.io/hostname';
const plain: PodShape = {};
/** There has to be such a PriorityClass where Pods go through the api. */
export const importantClass = { name: 'important', value: 100 };
const important = { priorityClassName: importantClass.name, priority: importantClass.value };

const blue = { matchLabels: { color: 'blue' } };
const spread = (whenUnsatisfiable: string): PodShape => ({
  labels: { color: 'blue' },
  spec: { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: zone, whenUnsatisfiable, labelSelector: blue }] },
});
const affine = (affinity: object): PodShape => ({ labels: { color: 'blue' }, spec: { affinity } });
const liked = (topologyKey: string) => [{ weight: 1, podAffinityTerm: { topologyKey, labelSelector: blue } }];

export const workloads: readonly Workload[] = [
  {
    name: 'basic, 10,000 Pods',
    nodes: 5_000,
    initial: 1_000,
    pods: 10_000,
    pod: () => plain,
    goal: 20_000,
    clusterGoal: 3_000,
  },
  {
    name: 'basic, 50,000 Pods',
    nodes: 5_000,
    initial: 1_000,
    pods: 50_000,
    pod: () => plain,
    goal: 20_000,
    clusterGoal: 3_000,
  },
  {
    name: 'required topology spread',
    nodes: 5_000,
    initial: 5_000,
    pods: 5_000,
    pod: () => spread('DoNotSchedule'),
    goal: 10_000,
    clusterGoal: 2_500,
  },
  {
    name: 'preferred topology spread',
    nodes: 5_000,
    initial: 5_000,
    pods: 5_000,
    pod: () => spread('ScheduleAnyway'),
    goal: 8_000,
    clusterGoal: 2_500,
  },
  {
    name: 'node affinity',
    nodes: 5_000,
    initial: 5_000,
    pods: 10_000,
    pod: () => ({
      spec: {
        affinity: {
          nodeAffinity: {
            [required]: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'In', values: ['zone-0', 'zone-1'] }] }],
            },
          },
        },
      },
    }),
    goal: 10_000,
    clusterGoal: 2_500,
  },
  {
    name: 'Pod affinity, required',
    nodes: 5_000,
    initial: 5_000,
    pods: 5_000,
    pod: () => affine({ podAffinity: { [required]: [{ topologyKey: zone, labelSelector: blue }] } }),
    goal: 5_000,
    clusterGoal: 2_000,
  },
  {
    name: 'Pod anti-affinity, required',
    nodes: 5_000,
    initial: 1_000,
    pods: 4_000,
    pod: () => affine({ podAntiAffinity: { [required]: [{ topologyKey: hostname, labelSelector: blue }] } }),
    goal: 5_000,
    clusterGoal: 2_000,
  },
  {
    name: 'Pod affinity, preferred',
    nodes: 5_000,
    initial: 5_000,
    pods: 5_000,
    pod: () => affine({ podAffinity: { [preferred]: liked(hostname) } }),
    goal: 5_000,
    clusterGoal: 2_000,
  },
  {
    name: 'Pod anti-affinity, preferred',
    nodes: 5_000,
    initial: 5_000,
    pods: 5_000,
    pod: () => affine({ podAntiAffinity: { [preferred]: liked(hostname) } }),
    goal: 5_000,
    clusterGoal: 2_000,
  },
  {
    name: 'unschedulable Pods mixed in',
    nodes: 5_000,
    initial: 1_000,
    pods: 10_000,
    pod: (number) => (number % 10 === 0 ? { cpu: '64' } : plain),
    goal: 10_000,
    clusterGoal: 2_500,
    refused: 1_000,
  },
  {
    name: 'churn',
    nodes: 5_000,
    initial: 1_000,
    pods: 10_000,
    pod: () => plain,
    goal: 10_000,
    clusterGoal: 2_500,
    churn: true,
  },
  {
    name: 'preemption',
    nodes: 5_000,
    cpu: '4',
    initial: 20_000,
    // As there, victims are gone as soon as they are asked to go: how long they take to end is not the scheduler's doing.
    initialPod: { cpu: '900m', spec: { terminationGracePeriodSeconds: 0 } },
    pods: 5_000,
    pod: () => ({ cpu: '3', spec: important }),
    goal: 3_000,
    clusterGoal: 1_500,
  },
  {
    name: 'usual plugins, basic, 10,000 Pods',
    nodes: 5_000,
    initial: 1_000,
    profile: 'kubernetes-defaults',
    pods: 10_000,
    pod: () => plain,
    goal: 20_000,
  },
  {
    name: 'usual plugins, preferred topology spread',
    nodes: 5_000,
    initial: 5_000,
    profile: 'kubernetes-defaults',
    pods: 5_000,
    pod: () => spread('ScheduleAnyway'),
    goal: 8_000,
  },
  { name: '100,000 nodes, 500,000 Pods', nodes: 100_000, initial: 0, pods: 500_000, pod: () => plain, goal: 5_000 },
];

/** Comes and goes in a workload with churn. */
export function passingNode(round: number): Live<Node> {
  return namedNode(`passing-${round}`, { [zone]: 'zone-0' });
}

/** As that; no node can have it, whoever leaves. */
export function passingPod(round: number): Live<Pod> {
  return podOf(`passing-${round}`, { cpu: '64', spec: important });
}

export function nodeOf(number: number, cpu?: string): Live<Node> {
  return namedNode(`node-${String(number).padStart(6, '0')}`, { [zone]: `zone-${number % 3}` }, cpu);
}

export function namedNode(name: string, labels: Readonly<Record<string, string>>, cpu = '32'): Live<Node> {
  const object = Node.fromJSON({
    metadata: { name, labels: { [hostname]: name, ...labels } },
    spec: {},
    status: {
      allocatable: { cpu, memory: '256Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  });
  return liveObject<Node>(toResource(nodeKind, object));
}

export function podOf(name: string, { labels = {}, cpu = '100m', memory = '500Mi', spec = {} }: PodShape): Live<Pod> {
  const object = Pod.fromJSON({
    metadata: { name, namespace: 'default', uid: name, labels },
    spec: { ...spec, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory } } }] },
    status: {},
  });
  return liveObject<Pod>(toResource(podKind, object));
}

/** How `--only` names the workload. */
export function partOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

/** Random Pods, nodes and what happens to them, for the test against the plain scheduler. */
import { liveObject, node as nodeKind, pod as podKind, toResource } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Node, Pod } from '@navarch/proto';
import * as fc from 'fast-check';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3, nil: undefined });

const key = fc.constantFrom('zone', 'host', 'rack');
const labels = fc.record(
  { app: fc.constantFrom('a', 'b', 'c'), hash: fc.constantFrom('1', '2') },
  { requiredKeys: [] },
);
const labelSelector = fc.oneof(
  fc.record({ matchLabels: labels }),
  fc.record({
    matchExpressions: fc.tuple(
      fc.record({
        key: fc.constantFrom('app', 'hash'),
        operator: fc.constantFrom('In', 'NotIn'),
        values: fc.constantFrom(['a'], ['b', 'c'], ['1']),
      }),
    ),
  }),
);
const podTerm = fc.record(
  {
    topologyKey: key,
    labelSelector,
    namespaces: fc.constantFrom(['default'], ['other', 'default']),
    namespaceSelector: fc.constantFrom({}, { matchLabels: { team: 'x' } }),
    matchLabelKeys: fc.constantFrom(['hash'], []),
    mismatchLabelKeys: fc.constantFrom(['app'], []),
  },
  { requiredKeys: ['topologyKey'] },
);
const weight = fc.integer({ min: 1, max: 100 });
const wishes = fc.array(fc.record({ weight, podAffinityTerm: podTerm }), { minLength: 1, maxLength: 2 });
const podAffinity = fc.record(
  { [required]: fc.array(podTerm, { minLength: 1, maxLength: 2 }), [preferred]: wishes },
  { requiredKeys: [] },
);
const nodeTerm = fc.record({
  matchExpressions: fc.tuple(
    fc.record({
      key,
      operator: fc.constantFrom('In', 'NotIn'),
      values: fc.constantFrom(['z0'], ['z1', 'r0'], ['h1', 'h2', 'h3']),
    }),
  ),
});
const nodeAffinity = fc.record(
  {
    [required]: fc.record({ nodeSelectorTerms: fc.array(nodeTerm, { minLength: 1, maxLength: 2 }) }),
    [preferred]: fc.array(fc.record({ weight, preference: nodeTerm }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const constraint = fc.record(
  {
    maxSkew: fc.integer({ min: 1, max: 3 }),
    topologyKey: key,
    whenUnsatisfiable: fc.constantFrom('DoNotSchedule', 'ScheduleAnyway'),
    labelSelector,
    minDomains: fc.integer({ min: 1, max: 4 }),
    nodeAffinityPolicy: fc.constantFrom('Honor', 'Ignore'),
    nodeTaintsPolicy: fc.constantFrom('Honor', 'Ignore'),
    matchLabelKeys: fc.constantFrom(['hash'], []),
  },
  { requiredKeys: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'] },
);
const podShape = fc.record({
  namespace: fc.constantFrom('default', 'default', 'other'),
  labels,
  requests: fc.constantFrom<Record<string, string>[]>(
    {},
    { cpu: '500m' },
    { cpu: '1', memory: '1Gi' },
    { cpu: '0', memory: '0' },
    { memory: '700Mi', 'ephemeral-storage': '3Gi' },
    { cpu: '300m', 'example.com/gpu': '1' },
  ),
  image: fc.constantFrom('none', 'app:1', 'large', 'docker.io/library/app:1'),
  hostPort: rarely(fc.constantFrom(80, 443)),
  nodeSelector: fc.constantFrom({}, {}, {}, { zone: 'z0' }),
  tolerations: fc.constantFrom([], [{ key: 'soft', operator: 'Exists' }], [{ operator: 'Exists' }]),
  nodeAffinity: rarely(nodeAffinity),
  podAffinity: rarely(podAffinity),
  podAntiAffinity: rarely(podAffinity),
  topologySpreadConstraints: fc.oneof(
    fc.constant([]),
    fc.uniqueArray(constraint, {
      maxLength: 2,
      selector: ({ topologyKey, whenUnsatisfiable }) => topologyKey + whenUnsatisfiable,
    }),
  ),
});
export type PodShape = typeof podShape extends fc.Arbitrary<infer Shape> ? Shape : never;
export const nodeShape = fc.record({
  zone: rarely(fc.constantFrom('z0', 'z1', 'z2')),
  rack: fc.constantFrom(undefined, 'r0', 'r1'),
  cpu: fc.constantFrom('2', '4'),
  weight: fc.constantFrom('1', '1', '2'),
  gpus: fc.constantFrom('0', '0', '2'),
  images: fc.subarray(['docker.io/library/app:1', 'docker.io/library/large:latest']),
  ready: fc.constantFrom(true, true, true, false),
  unschedulable: fc.constantFrom(false, false, false, true),
  taints: fc.constantFrom(
    [],
    [],
    [{ key: 'soft', effect: 'PreferNoSchedule' }],
    [
      { key: 'soft', effect: 'PreferNoSchedule' },
      { key: 'other', effect: 'PreferNoSchedule' },
    ],
    [{ key: 'hard', effect: 'NoSchedule' }],
  ),
});
export type NodeShape = typeof nodeShape extends fc.Arbitrary<infer Shape> ? Shape : never;

const imageBytes: Readonly<Record<string, number>> = {
  'docker.io/library/app:1': 300 * 1024 * 1024,
  'docker.io/library/large:latest': 2_000 * 1024 * 1024,
};

export const namespaces = { default: { team: 'x' }, other: { team: 'y' } };

export function nodeOf(
  { zone, rack, cpu, weight, ready, gpus, images, ...spec }: NodeShape,
  number: number,
): Live<Node> {
  const object = Node.fromJSON({
    metadata: {
      name: `n${number}`,
      labels: { host: `h${number}`, ...(zone && { zone }), ...(rack && { rack }) },
      annotations: { 'scheduling.navarch.io/weight': weight },
    },
    spec,
    status: {
      allocatable: {
        cpu,
        memory: '8Gi',
        pods: '6',
        'ephemeral-storage': '10Gi',
        ...(gpus !== '0' && { 'example.com/gpu': gpus }),
      },
      images: images.map((name) => ({ names: [name], sizeBytes: imageBytes[name] })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  });
  return liveObject<Node>(toResource(nodeKind, object));
}

export function podOf(shape: PodShape, number: number, nodeName = ''): Live<Pod> {
  const { namespace, labels, requests, image, hostPort, nodeAffinity, podAffinity, podAntiAffinity, ...spec } = shape;
  const ports = hostPort === undefined ? [] : [{ containerPort: 80, hostPort }];
  const object = Pod.fromJSON({
    metadata: { name: `p${number}`, namespace, uid: `u${number}`, labels },
    spec: {
      ...spec,
      nodeName,
      affinity: { nodeAffinity, podAffinity, podAntiAffinity },
      containers: [{ name: 'c', image, resources: { requests }, ports }],
    },
    status: {},
  });
  return liveObject<Pod>(toResource(podKind, object));
}

const stepOf = (pod: fc.Arbitrary<PodShape>, node: fc.Arbitrary<NodeShape>) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ pod }) },
    { weight: 2, arbitrary: fc.record({ ends: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ node, at: fc.nat({ max: 7 }) }) },
    { weight: 1, arbitrary: fc.record({ loses: fc.nat({ max: 7 }) }) },
  );
/** What happens between decisions. */
export const step = stepOf(podShape, nodeShape);
export type Step = typeof step extends fc.Arbitrary<infer Happening> ? Happening : never;

export interface Story {
  readonly nodes: readonly NodeShape[];
  readonly steps: readonly Step[];
}

const storyOf = (pod: fc.Arbitrary<PodShape>, node: fc.Arbitrary<NodeShape>): fc.Arbitrary<Story> =>
  fc.record({
    nodes: fc.array(node, { minLength: 1, maxLength: 8 }),
    steps: fc.array(stepOf(pod, node), { minLength: 5, maxLength: 40 }),
  });

/** Pods that mean something to one another, and Pods of which each node by itself is judge. */
export const stories: Readonly<Record<'of all sorts' | 'without wishes', fc.Arbitrary<Story>>> = {
  'of all sorts': storyOf(podShape, nodeShape),
  'without wishes': storyOf(
    podShape.map((shape) => {
      const alone = { podAffinity: undefined, podAntiAffinity: undefined, topologySpreadConstraints: [] };
      return { ...shape, ...alone, nodeAffinity: undefined };
    }),
    nodeShape.map((shape) => ({ ...shape, taints: [] })),
  ),
};

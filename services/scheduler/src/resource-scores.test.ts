import { describe, expect, test } from 'vitest';
import { type NodeShape, nodeInfo, type PodShape, podInfo, snapshotOf } from './objects.fixture.ts';
import type { ScoringStrategy, ShapePoint, WeightedResource } from './profiles.ts';
import { balance, resourceFit } from './resource-scores.ts';

const Gi = 1024 ** 3;
const cpuAndMemory = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** The node `n`, with its Pods on it. */
function nodeWith(shape: NodeShape, pods: readonly PodShape[] = []) {
  const placed = pods.map((each, number) => podInfo(`p${number}`, each));
  const [node] = snapshotOf([nodeInfo('n', shape, placed)]).nodes;
  if (node === undefined) throw new Error('no node');
  return node;
}

describe('resource fit', () => {
  test.each<{
    name: string;
    type: ScoringStrategy['type'];
    resources?: WeightedResource[];
    shape?: ShapePoint[];
    node?: NodeShape;
    has?: PodShape[];
    pod: PodShape;
    points: number;
  }>([
    {
      // cpu: (4000 - 1000) × 100 / 4000 = 75; memory: (8 - 2) × 100 / 8 = 75.
      name: 'least: what is left',
      type: 'LeastAllocated',
      pod: { cpu: '1', memory: '2Gi' },
      points: 75,
    },
    {
      // cpu: (4000 - 1000 - 1500) × 100 / 4000 = 37.5 → 37; memory: (8 - 2 - 1) × 100 / 8 = 62.5 → 62; (37 + 62) / 2 = 49.5 → 49.
      name: 'least: with those that are there, in whole points at each step',
      type: 'LeastAllocated',
      has: [{ cpu: '1500m', memory: '1Gi' }],
      pod: { cpu: '1', memory: '2Gi' },
      points: 49,
    },
    {
      // cpu: 75; memory: 50; (75 × 3 + 50) / 4 = 68.75 → 68.
      name: 'least: by weights',
      type: 'LeastAllocated',
      resources: [
        { name: 'cpu', weight: 3 },
        { name: 'memory', weight: 1 },
      ],
      pod: { cpu: '1', memory: '4Gi' },
      points: 68,
    },
    {
      // cpu: (4000 - 100) × 100 / 4000 = 97.5 → 97; memory: (8192 - 200) × 100 / 8192 = 97.56 → 97.
      name: 'least: a Pod that requests nothing counts as 100m and 200Mi',
      type: 'LeastAllocated',
      pod: {},
      points: 97,
    },
    {
      // cpu: (4000 - 300) × 100 / 4000 = 92.5 → 92; memory: (8192 - 600) × 100 / 8192 = 92.68 → 92.
      name: 'least: and so do those that are there',
      type: 'LeastAllocated',
      has: [{}, {}],
      pod: {},
      points: 92,
    },
    {
      // cpu: 4000 + 100 of 4000 → 0; memory: (8192 - 200 - 200) × 100 / 8192 = 95.1 → 95; (0 + 95) / 2 → 47.
      name: 'least: more than there is gets nothing',
      type: 'LeastAllocated',
      has: [{ cpu: '4' }],
      pod: {},
      points: 47,
    },
    {
      // cpu: 1000 × 100 / 4000 = 25; memory: 2 × 100 / 8 = 25.
      name: 'most: what is taken',
      type: 'MostAllocated',
      pod: { cpu: '1', memory: '2Gi' },
      points: 25,
    },
    {
      // cpu: 4000 of 4000 → 100; memory: (200 + 200) × 100 / 8192 = 4.88 → 4; (100 + 4) / 2 = 52.
      name: 'most: more than there is gets no more than all',
      type: 'MostAllocated',
      has: [{ cpu: '4' }],
      pod: {},
      points: 52,
    },
    {
      // (100 - 30) × 100 / 100 = 70.
      name: 'least: of ephemeral storage',
      type: 'LeastAllocated',
      resources: [{ name: 'ephemeral-storage', weight: 1 }],
      has: [{ disk: '10Gi' }],
      pod: { disk: '20Gi' },
      points: 70,
    },
    {
      // 3 of 4 → 75; the cpu: 100 × 100 / 4000 = 2.5 → 2; (75 × 9 + 2) / 10 = 67.7 → 67.
      name: 'most: of a resource out of the ordinary',
      type: 'MostAllocated',
      resources: [
        { name: 'example.com/gpu', weight: 9 },
        { name: 'cpu', weight: 1 },
      ],
      node: { more: { 'example.com/gpu': '4' } },
      has: [{ more: { 'example.com/gpu': '2' }, cpu: '0' }],
      pod: { more: { 'example.com/gpu': '1' } },
      points: 67,
    },
    {
      name: 'most: but not for a Pod that requests none',
      type: 'MostAllocated',
      resources: [{ name: 'example.com/gpu', weight: 1 }],
      node: { more: { 'example.com/gpu': '4' } },
      has: [{ more: { 'example.com/gpu': '2' } }],
      pod: { cpu: '1' },
      points: 0,
    },
    {
      // Of 50 % taken: 0 → 0, 100 → 10 gives 50.
      name: 'ratio: on the line between two points',
      type: 'RequestedToCapacityRatio',
      resources: [{ name: 'cpu', weight: 1 }],
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 100, score: 10 },
      ],
      pod: { cpu: '2' },
      points: 50,
    },
    {
      // Of 62 % (2500 / 4000 = 62.5): 100 + (20 - 100) × (62 - 40) / (80 - 40) = 100 - 44 = 56.
      name: 'ratio: going down',
      type: 'RequestedToCapacityRatio',
      resources: [{ name: 'cpu', weight: 1 }],
      shape: [
        { utilization: 40, score: 10 },
        { utilization: 80, score: 2 },
      ],
      pod: { cpu: '2500m' },
      points: 56,
    },
    {
      name: 'ratio: level before the first point',
      type: 'RequestedToCapacityRatio',
      resources: [{ name: 'cpu', weight: 1 }],
      shape: [
        { utilization: 40, score: 7 },
        { utilization: 80, score: 2 },
      ],
      pod: { cpu: '1' },
      points: 70,
    },
    {
      name: 'ratio: and after the last',
      type: 'RequestedToCapacityRatio',
      resources: [{ name: 'cpu', weight: 1 }],
      shape: [
        { utilization: 40, score: 7 },
        { utilization: 80, score: 2 },
      ],
      pod: { cpu: '3900m' },
      points: 20,
    },
    {
      // cpu: 25 % → 25; nothing is taken of the storage, which gets 0 and is left out of the mean.
      name: 'ratio: a resource that gets nothing is left out',
      type: 'RequestedToCapacityRatio',
      resources: [
        { name: 'cpu', weight: 1 },
        { name: 'ephemeral-storage', weight: 1 },
      ],
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 100, score: 10 },
      ],
      pod: { cpu: '1' },
      points: 25,
    },
    {
      // cpu: 25 % → 25; memory: 50 % → 50; (25 × 2 + 50) / 3 = 33.3 → 33.
      name: 'ratio: by weights',
      type: 'RequestedToCapacityRatio',
      resources: [
        { name: 'cpu', weight: 2 },
        { name: 'memory', weight: 1 },
      ],
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 100, score: 10 },
      ],
      pod: { cpu: '1', memory: '4Gi' },
      points: 33,
    },
    {
      // cpu: 25; memory: 26 % (2.1 / 8 = 26.25) → 26; 25.5 → 26.
      name: 'ratio: rounded',
      type: 'RequestedToCapacityRatio',
      shape: [
        { utilization: 0, score: 0 },
        { utilization: 100, score: 10 },
      ],
      pod: { cpu: '1', memory: String(2.1 * Gi) },
      points: 26,
    },
    {
      // The neediest at a time: 1000m of the init container, 100m + 100m of the two that say nothing … 1000m.
      name: 'least: an init container counts where it needs more',
      type: 'LeastAllocated',
      resources: [{ name: 'cpu', weight: 1 }],
      pod: { init: { cpu: '1' } },
      points: 75,
    },
  ])('$name', ({ type, resources = cpuAndMemory, shape, node = {}, has = [], pod, points }) => {
    const strategy = { type, resources, ...(shape && { requestedToCapacityRatio: { shape } }) };
    expect(resourceFit(strategy, podInfo('new', pod))(nodeWith(node, has))).toBe(points);
  });
});

describe('balanced allocation', () => {
  test.each<{
    name: string;
    resources?: WeightedResource[];
    has?: PodShape[];
    pod: PodShape;
    points: number | undefined;
  }>([
    // cpu 0.25, memory 0.25.
    { name: 'like parts get all', pod: { cpu: '1', memory: '2Gi' }, points: 100 },
    // cpu 0.75, memory 0.25: half of the difference, 0.25.
    { name: 'unlike ones less', pod: { cpu: '3', memory: '2Gi' }, points: 75 },
    // cpu 0.5 + 0.25, memory 0 + 0.5: 0.125 → 87.5 → 87.
    { name: 'with those that are there', has: [{ cpu: '2' }], pod: { cpu: '1', memory: '4Gi' }, points: 87 },
    // cpu 0.5 alone; what isn't requested is not made up here: memory 0: 0.25.
    { name: 'by what is requested alone', pod: { cpu: '2' }, points: 75 },
    { name: 'nothing for a Pod that requests nothing', has: [{ cpu: '2' }], pod: {}, points: undefined },
    {
      // 0.5, 0.25, 0.25: mean 1/3; deviation √((1/36 + 1/144 + 1/144) / 3) = 0.1178…: 88.2 → 88.
      name: 'of three resources',
      resources: [...cpuAndMemory, { name: 'ephemeral-storage', weight: 1 }],
      pod: { cpu: '2', memory: '2Gi', disk: '25Gi' },
      points: 88,
    },
    {
      name: 'of one resource all',
      resources: [{ name: 'cpu', weight: 1 }],
      pod: { cpu: '3' },
      points: 100,
    },
  ])('$name', ({ resources = cpuAndMemory, has = [], pod, points }) => {
    expect(balance(resources, podInfo('new', pod))?.(nodeWith({}, has))).toBe(points);
  });
});

/** The plugins that score a node by itself, by the words of their documentation: the plain scheduler's half of that. */
import { byteCount, cpuMillis, type Live } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import type { Score, ScoringStrategy, WeightedResource } from './profiles.ts';

/** From 0 to 100; 0 for plugins that compare nodes. */
export function pointsOf(
  score: Score,
  pod: Live<Pod>,
  node: Live<Node>,
  guests: readonly Live<Pod>[],
  nodes: readonly Live<Node>[],
): number {
  switch (score.name) {
    case 'NodeResourcesFit':
      return fit(score.scoringStrategy, pod, node, guests);
    case 'NodeResourcesBalancedAllocation':
      return balanced(score.resources, pod, node, guests);
    case 'ImageLocality':
      return locality(pod, node, nodes);
    default:
      return 0;
  }
}

function fit(strategy: ScoringStrategy, pod: Live<Pod>, node: Live<Node>, guests: readonly Live<Pod>[]): number {
  const each = strategy.resources
    .filter(({ name }) => has(node, name) > 0 && (!name.includes('/') || asks(pod, name) > 0))
    .map(({ name, weight }) => {
      const all = [...guests, pod].reduce((sum, other) => sum + asks(other, name, counted[name] ?? 0), 0);
      return { weight, points: pointsAt(strategy, all, has(node, name)) };
    })
    .filter(({ points }) => points > 0 || strategy.type !== 'RequestedToCapacityRatio');
  const weights = each.reduce((sum, { weight }) => sum + weight, 0);
  const mean = weights === 0 ? 0 : each.reduce((sum, { weight, points }) => sum + weight * points, 0) / weights;
  return strategy.type === 'RequestedToCapacityRatio' ? Math.round(mean) : Math.floor(mean);
}

/** What a container counts as that does not say. */
const counted: Readonly<Record<string, number>> = { cpu: 100, memory: 200 * 1024 * 1024 };

function pointsAt({ type, requestedToCapacityRatio }: ScoringStrategy, taken: number, capacity: number): number {
  const bounded = Math.min(taken, capacity);
  if (type === 'LeastAllocated') return Math.floor(((capacity - bounded) * 100) / capacity);
  if (type === 'MostAllocated') return Math.floor((bounded * 100) / capacity);
  const at = Math.floor((bounded * 100) / capacity);
  const shape = requestedToCapacityRatio?.shape ?? [];
  const before = shape.findLast(({ utilization }) => utilization < at);
  const after = shape.find(({ utilization }) => utilization >= at);
  if (before === undefined) return 10 * (after?.score ?? 0);
  if (after === undefined) return 10 * before.score;
  const share =
    (10 * (after.score - before.score) * (at - before.utilization)) / (after.utilization - before.utilization);
  return 10 * before.score + Math.trunc(share);
}

function balanced(
  resources: readonly WeightedResource[],
  pod: Live<Pod>,
  node: Live<Node>,
  guests: readonly Live<Pod>[],
): number {
  if (resources.every(({ name }) => asks(pod, name) === 0)) return 0;
  const fractions = resources
    .filter(({ name }) => has(node, name) > 0 && (!name.includes('/') || asks(pod, name) > 0))
    .map(({ name }) => {
      const all = [...guests, pod].reduce((sum, other) => sum + asks(other, name), 0);
      return Math.min(1, all / has(node, name));
    });
  if (fractions.length < 2) return 100;
  const [one = 0, two = 0] = fractions;
  const mean = fractions.reduce((sum, each) => sum + each, 0) / fractions.length;
  const variance = fractions.reduce((sum, each) => sum + (each - mean) ** 2, 0) / fractions.length;
  const deviation = fractions.length === 2 ? Math.abs((one - two) / 2) : Math.sqrt(variance);
  return Math.trunc((1 - deviation) * 100);
}

function locality(pod: Live<Pod>, node: Live<Node>, nodes: readonly Live<Node>[]): number {
  const MiB = 1024 * 1024;
  const images = pod.spec.containers.map(({ image }) => spelled[image] ?? image);
  const sum = images.reduce((total, image) => {
    const holders = nodes.filter((each) => bytes(each, image) > 0).length;
    return total + Math.floor(bytes(node, image) * (holders / nodes.length));
  }, 0);
  const most = 1_000 * MiB * images.length;
  return Math.floor((100 * (Math.min(Math.max(sum, 23 * MiB), most) - 23 * MiB)) / (most - 23 * MiB));
}

/** The names in the stories, in full. */
const spelled: Readonly<Record<string, string>> = {
  'app:1': 'docker.io/library/app:1',
  large: 'docker.io/library/large:latest',
};

function bytes({ status }: Live<Node>, image: string): number {
  return Number(status.images.find(({ names }) => names.includes(image))?.sizeBytes ?? 0);
}

function has({ status }: Live<Node>, resource: string): number {
  return amount(resource, status.allocatable[resource]);
}

function asks({ spec }: Live<Pod>, resource: string, otherwise = 0): number {
  return spec.containers.reduce((sum, { resources }) => {
    const text = resources?.requests[resource];
    return sum + (text === undefined ? otherwise : amount(resource, text));
  }, 0);
}

function amount(resource: string, text: string | undefined): number {
  return resource === 'cpu' ? cpuMillis(text) : byteCount(text);
}

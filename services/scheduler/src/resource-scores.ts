import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { ScoringStrategy, ShapePoint, WeightedResource } from './profiles.ts';

/** Points from 0 to 100 for a node by itself. */
export type NodeScore = (node: NodeInfo) => number;

type Asking = Pick<PodInfo, 'requests' | 'nominal'>;

const most = 100;
/** What points of a shape are given in; 100 are ten of them. */
const perPoint = 10;

/**
 * How good it is, by the profile's `scoringStrategy`, how much of the node would be taken with the Pod on it: the mean over
 * resources of what each gets, by their weights; in whole points, fractions cut off, but rounded where points make the line. A
 * resource that the node lacks does not count, nor does one out of the ordinary that the Pod does not request. Pods that
 * request no cpu or memory count as if they took a little.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/
 */
export function resourceFit({ type, resources, requestedToCapacityRatio }: ScoringStrategy, pod: Asking): NodeScore {
  const parts = partsOf(resources, pod, true);
  const shape = requestedToCapacityRatio?.shape ?? [];
  const line = type === 'RequestedToCapacityRatio';
  return (node) => {
    let [sum, weights] = [0, 0];
    for (const part of parts) {
      const capacity = node.allocatable[part.name] ?? 0;
      if (capacity <= 0) continue;
      const taken = takenOf(node, part);
      const points = line ? onLine(shape, utilization(taken, capacity)) : pointsOf(type, taken, capacity);
      // Kubernetes leaves resources without points out of this mean alone.
      if (line && points === 0) continue;
      sum += points * part.weight;
      weights += part.weight;
    }
    if (weights === 0) return 0;
    return line ? Math.round(sum / weights) : Math.floor(sum / weights);
  };
}

/**
 * How alike the fractions of the node's resources are that would be taken with the Pod on it: 100 less their standard
 * deviation in hundredths. Undefined for a Pod that requests none of them: it changes no fraction.
 * Source: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
export function balance(resources: readonly WeightedResource[], pod: Asking): NodeScore | undefined {
  if (resources.every(({ name }) => (pod.requests[name] ?? 0) === 0)) return undefined;
  const parts = partsOf(resources, pod, false);
  const fractions = new Float64Array(parts.length);
  return (node) => {
    let [count, sum] = [0, 0];
    for (const part of parts) {
      const capacity = node.allocatable[part.name] ?? 0;
      if (capacity <= 0) continue;
      const fraction = Math.min(1, takenOf(node, part) / capacity);
      fractions[count++] = fraction;
      sum += fraction;
    }
    return Math.trunc((1 - deviation(fractions, count, sum)) * most);
  };
}

interface Part {
  readonly name: string;
  readonly weight: number;
  /** What the Pod adds. */
  readonly adds: number;
  /** Whose sums are looked at. */
  readonly nominal: 'cpu' | 'memory' | undefined;
}

function partsOf(resources: readonly WeightedResource[], { requests, nominal }: Asking, counted: boolean): Part[] {
  return resources.flatMap(({ name, weight }): Part[] => {
    if (counted && (name === 'cpu' || name === 'memory')) return [{ name, weight, adds: nominal[name], nominal: name }];
    const adds = requests[name] ?? 0;
    return adds === 0 && !ordinary.has(name) ? [] : [{ name, weight, adds, nominal: undefined }];
  });
}

/** Every other resource is one that only some nodes have. */
const ordinary: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);

function takenOf(node: NodeInfo, { name, adds, nominal }: Part): number {
  return adds + (nominal === undefined ? (node.requested[name] ?? 0) : node.nominal[nominal]);
}

function pointsOf(type: ScoringStrategy['type'], taken: number, capacity: number): number {
  // Pods that request nothing count, so that it may be more than there is.
  const bounded = Math.min(taken, capacity);
  return Math.floor(((type === 'MostAllocated' ? bounded : capacity - bounded) * most) / capacity);
}

function utilization(taken: number, capacity: number): number {
  return taken > capacity ? most : Math.floor((taken * most) / capacity);
}

/** The line through the points, level before the first and after the last. */
function onLine(shape: readonly ShapePoint[], at: number): number {
  const next = shape.findIndex(({ utilization }) => at <= utilization);
  const [left, right] = [shape[next - 1] ?? shape[0], shape[next] ?? shape.at(-1)];
  if (left === undefined || right === undefined) return 0;
  if (next <= 0) return perPoint * (next === 0 ? left : right).score;
  const rise = perPoint * (right.score - left.score) * (at - left.utilization);
  return perPoint * left.score + Math.trunc(rise / (right.utilization - left.utilization));
}

function deviation(fractions: Float64Array, count: number, sum: number): number {
  if (count < 2) return 0;
  const [first = 0, second = 0] = fractions;
  // The same for two, but without rounding errors.
  if (count === 2) return Math.abs((first - second) / 2);
  const mean = sum / count;
  let squares = 0;
  for (let at = 0; at < count; at++) squares += ((fractions[at] ?? 0) - mean) ** 2;
  return Math.sqrt(squares / count);
}

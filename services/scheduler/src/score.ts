import { available, type NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { podsResource } from '@navarch/kinds';

/**
 * The founding paper's score: Σ over resources r of weight(node) × available_r / requested_r. A resource that the Pod does
 * not request does not score, nor does its place among the node's Pods.
 */
export function score(pod: Pick<PodInfo, 'needs'>, node: NodeInfo): number {
  return node.weight * room(pod, node);
}

/** The same without the weight: how often the Pod would fit, summed over what it requests. */
export function room({ needs }: Pick<PodInfo, 'needs'>, node: NodeInfo): number {
  let sum = 0;
  for (const { resource, amount } of needs) {
    if (resource !== podsResource) sum += available(node, resource) / amount;
  }
  return sum;
}

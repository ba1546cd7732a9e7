import { allocatable, type Nominal, type Resources } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node, Taint } from '@navarch/proto';
import { type ImageSizes, imageSizes } from './images.ts';
import type { Footprint } from './pod-info.ts';

/** What is known of a node by itself. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
  /** How much the node is preferred: its annotation `scheduling.navarch.io/weight`. */
  readonly weight: number;
  readonly allocatable: Resources;
  readonly images: ImageSizes;
}

/** A Pod on a node. */
export type Guest = readonly [key: string, footprint: Footprint];

/** A node with what its Pods take. The snapshot that has it keeps it up to date. */
export interface NodeInfo extends NodeFacts {
  /** What the Pods that are bound to the node request. */
  readonly requested: Resources;
  readonly nominal: Nominal;
  /** By key. */
  readonly pods: ReadonlyMap<string, Footprint>;
  /** How many Pods have each port; no more than one, unless somebody bypassed the scheduler. */
  readonly hostPorts: ReadonlyMap<string, number>;
}

/** Kubernetes has no such annotation; ours is design.md's. */
export const weightAnnotation = 'scheduling.navarch.io/weight';

export function nodeFacts(node: Live<Node>): NodeFacts {
  const { name, labels, annotations } = node.metadata;
  return {
    name,
    labels,
    ready: node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    unschedulable: node.spec.unschedulable || node.metadata.deletionTimestamp !== '',
    taints: node.spec.taints,
    weight: weight(annotations[weightAnnotation]),
    allocatable: allocatable(node),
    images: imageSizes(node),
  };
}

/** What a node has left of a resource. */
export function available(node: Pick<NodeInfo, 'allocatable' | 'requested'>, resource: string): number {
  return (node.allocatable[resource] ?? 0) - (node.requested[resource] ?? 0);
}

function weight(text: string | undefined): number {
  const value = text === undefined || text.trim() === '' ? 1 : Number(text);
  // What is no weight must not keep Pods from being placed.
  return Number.isFinite(value) && value >= 0 ? value : 1;
}

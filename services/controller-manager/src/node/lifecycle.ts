import type { ClientWrite } from '@navarch/client';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition } from '../conditions.ts';
import { nothingToDo, type Plan } from '../plan.ts';
import { isReady } from '../pod-state.ts';

/** What is known of a node beside its object. */
export interface NodeSigns {
  /** How long ago it was last heard of, or since when we listen. */
  readonly silentForMs: number;
  /** What it said of itself; undefined when only its Lease was renewed. */
  readonly said: { readonly ready: boolean; readonly message: string } | undefined;
}

export interface NodeObserved {
  readonly node: Live<Node>;
  readonly signs: NodeSigns;
  /** The Pods bound to it. */
  readonly pods: readonly Live<Pod>[];
  /** Most nodes are silent: then it is rather us who don't hear. */
  readonly blind: boolean;
}

export interface NodeSettings {
  /** Without a sign for so long a node counts as silent. */
  readonly graceMs: number;
  /** Silent for so long, its Pods are moved. */
  readonly evictionMs: number;
}

const silentReason = 'NodeStatusUnknown';

/** Whether its silence was written into the Node. */
export function isMarkedSilent({ status }: Live<Node>): boolean {
  const ready = conditionOf(status.conditions, 'Ready');
  return ready?.status === 'Unknown' && ready.reason === silentReason;
}

/**
 * What a node's silence, or its word, means for it and its Pods. First nothing is sent there any more (Ready becomes
 * Unknown, its Pods' Ready False); later its Pods are deleted without waiting for the node, so that others take their
 * place. A node that is heard of again is Ready again; its Pods' states it reports itself.
 */
export function reconcileNode({ node, signs, pods, blind }: NodeObserved, settings: NodeSettings, now: number): Plan {
  if (node.metadata.deletionTimestamp !== '') return nothingToDo;
  if (signs.silentForMs < settings.graceMs) return writeReady(node, heard(node, signs), now);

  const claim: ConditionClaim = {
    type: 'Ready',
    status: 'Unknown',
    reason: silentReason,
    message: 'node-agent stopped posting node status.',
  };
  const marked = writeReady(node, claim, now);
  // Taking all the silent nodes' Pods away would stop the whole cluster for a fault of our own network.
  if (blind) return marked;
  if (signs.silentForMs < settings.graceMs + settings.evictionMs) {
    return { writes: [...marked.writes, ...pods.flatMap((pod) => notReady(pod, now))], events: marked.events };
  }
  const evictions = pods.map(({ metadata: { namespace, name, uid } }): ClientWrite => {
    return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid, gracePeriodSeconds: 0 } };
  });
  const events = pods.map((pod) => ({
    kind: podKind,
    object: pod,
    type: 'Warning' as const,
    reason: 'TaintManagerEviction',
    message: `deleted: its node ${node.metadata.name} has been silent for ${Math.round(signs.silentForMs / 1000)} s`,
  }));
  return { writes: [...marked.writes, ...evictions], events: [...marked.events, ...events] };
}

/**
 * Whether so many nodes are silent that the fault is more likely ours: all of them, or more than 55 % of at least three,
 * the share at which Kubernetes stops evicting in a small cluster.
 */
export function isBlind(silent: number, all: number): boolean {
  if (silent === 0) return false;
  return silent === all || (all >= 3 && silent / all > 0.55);
}

/**
 * What being heard again means for a node that was marked as silent. Otherwise the node-agent itself says in the Node
 * whether it is ready: a heartbeat is up to one interval old, and must not contradict what the agent wrote since.
 */
function heard(node: Live<Node>, { said }: NodeSigns): ConditionClaim | undefined {
  if (!isMarkedSilent(node)) return undefined;
  if (said === undefined) {
    return { type: 'Ready', status: 'True', reason: 'NodeAgentReady', message: 'node-agent renews its lease' };
  }
  return said.ready
    ? { type: 'Ready', status: 'True', reason: 'NodeAgentReady', message: 'node-agent is posting ready status' }
    : { type: 'Ready', status: 'False', reason: 'NodeAgentNotReady', message: said.message };
}

function writeReady(node: Live<Node>, claim: ConditionClaim | undefined, now: number): Plan {
  const present = conditionOf(node.status.conditions, 'Ready');
  if (claim === undefined || (present?.status === claim.status && present.reason === claim.reason)) return nothingToDo;
  const object = { ...node, status: { ...node.status, conditions: withCondition(node.status.conditions, claim, now) } };
  const reason = claim.status === 'True' ? 'NodeReady' : 'NodeNotReady';
  const message = `Node ${node.metadata.name} status is now: ${reason}`;
  return {
    writes: [{ type: 'updateStatus', kind: nodeKind, object }],
    events: [{ kind: nodeKind, object: node, type: claim.status === 'True' ? 'Normal' : 'Warning', reason, message }],
  };
}

function notReady(pod: Live<Pod>, now: number): readonly ClientWrite[] {
  if (!isReady(pod)) return [];
  const claim: ConditionClaim = {
    type: 'Ready',
    status: 'False',
    reason: 'NodeNotReady',
    message: 'The node is not heard of.',
  };
  const object = { ...pod, status: { ...pod.status, conditions: withCondition(pod.status.conditions, claim, now) } };
  return [{ type: 'updateStatus', kind: podKind, object }];
}

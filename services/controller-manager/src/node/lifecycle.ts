import type { ClientWrite } from '@navarch/client';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition } from '../conditions.ts';
import { nothingToDo, type Plan } from '../plan.ts';
import { isReady } from '../pod-state.ts';
import { parseTimestamp } from '../time.ts';
import type { Failing } from './taints.ts';

/** What is known of a node beside its object. */
export interface NodeSigns {
  /** How long ago it was last heard of, or since when we listen. */
  readonly silentForMs: number;
  /** Whether it was heard of at all since we listen. */
  readonly heard: boolean;
  /** What it said of itself; undefined when only its Lease was renewed. */
  readonly said: { readonly ready: boolean; readonly message: string } | undefined;
}

export interface NodeObserved {
  readonly node: Live<Node>;
  readonly signs: NodeSigns;
  /** The Pods bound to it. */
  readonly pods: readonly Live<Pod>[];
  /** Most nodes seem gone: then it is rather us who don't hear. */
  readonly stopped: boolean;
}

export interface NodeSettings {
  /** Without a sign for so long a node counts as silent. */
  readonly graceMs: number;
}

const silentReason = 'NodeStatusUnknown';

/** Whether its silence was written into the Node. */
export function isMarkedSilent({ status }: Live<Node>): boolean {
  const ready = conditionOf(status.conditions, 'Ready');
  return ready?.status === 'Unknown' && ready.reason === silentReason;
}

/**
 * What a node's silence, or its word, means for it and its Pods: nothing is sent there any more (Ready becomes Unknown, its
 * Pods' Ready False). A node that is heard of again is Ready again; its Pods' states it reports itself. Whether its Pods are
 * moved is another matter, that of its taints.
 */
export function reconcileNode({ node, signs, pods, stopped }: NodeObserved, settings: NodeSettings, now: number): Plan {
  if (node.metadata.deletionTimestamp !== '') return nothingToDo;
  if (signs.silentForMs < settings.graceMs) return writeReady(node, heard(node, signs), now);
  const claim: ConditionClaim = {
    type: 'Ready',
    status: 'Unknown',
    reason: silentReason,
    message: 'node-agent stopped posting node status.',
  };
  const marked = writeReady(node, claim, now);
  // No endpoint would be left for a fault of our own network.
  if (stopped) return marked;
  return { writes: [...marked.writes, ...pods.flatMap((pod) => notReady(pod, now))], events: marked.events };
}

/** Ready, and heard of. */
export function isWell({ status }: Live<Node>, { silentForMs }: NodeSigns, { graceMs }: NodeSettings): boolean {
  return silentForMs < graceMs && conditionOf(status.conditions, 'Ready')?.status === 'True';
}

/** An agent that is started anew says for a moment that its node isn't ready. Kubernetes, too, looks every five seconds. */
const lastsMs = 5_000;

/** How the node is as far as its Pods are concerned: by what is written, and, where it is silent, heard of as such by us. */
export function failingOf(
  node: Live<Node>,
  { silentForMs }: NodeSigns,
  { graceMs }: NodeSettings,
  now: number,
): Failing {
  const ready = conditionOf(node.status.conditions, 'Ready');
  switch (ready?.status) {
    case 'True':
      return 'well';
    case 'False':
      return now - (parseTimestamp(ready.lastTransitionTime) ?? 0) < lastsMs ? 'unclear' : 'not-ready';
    case 'Unknown':
      // A new leader, or one whose bus was away, listens for a while before it speaks.
      return silentForMs < graceMs ? 'unclear' : 'unreachable';
    default:
      return 'unclear';
  }
}

/**
 * What being heard again means for a node that was marked as silent. Otherwise the node-agent itself says in the Node
 * whether it is ready: a heartbeat is up to one interval old, and must not contradict what the agent wrote since.
 */
function heard(node: Live<Node>, signs: NodeSigns): ConditionClaim | undefined {
  if (!isMarkedSilent(node) || !signs.heard) return undefined;
  const { said } = signs;
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

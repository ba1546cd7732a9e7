import type { ClientWrite } from '@navarch/client';
import { pod as podKind, tolerates } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node, Pod, Taint } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition } from '../conditions.ts';
import { nothingToDo, type Plan, type PlannedEvent, sooner } from '../plan.ts';
import { isActive } from '../pod-state.ts';
import { parseTimestamp } from '../time.ts';

export interface TaintedNode {
  readonly node: Live<Node>;
  /** The Pods bound to it. */
  readonly pods: readonly Live<Pod>[];
}

/** So many Pods are ended in one step; their changes bring about the next. */
const mostPerStep = 100;

/**
 * Ends the Pods that don't tolerate a NoExecute taint of their node, when the time is over for which they do. That time
 * counts from when the taint was added, as the taint itself says, or from when the Pod came to the node, if that was later:
 * who looks at it, and since when, changes nothing. The node is asked to end them gracefully: one that can't hear keeps its
 * Pods, ending, until it is back. Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export function reconcileTaintedNode({ node, pods }: TaintedNode, now: number): Plan {
  const taints = node.spec.taints.filter(({ effect }) => effect === 'NoExecute');
  if (taints.length === 0) return nothingToDo;
  const writes: ClientWrite[] = [];
  const events: PlannedEvent[] = [];
  let againAfterMs: number | undefined;
  for (const pod of pods) {
    if (!isActive(pod)) continue;
    const due = dueAt(pod, taints);
    if (due === undefined) continue;
    if (due.atMs > now) {
      againAfterMs = sooner(againAfterMs, due.atMs - now);
    } else if (writes.length < mostPerStep) {
      const write = ending(pod, due.taint, now);
      writes.push(write);
      if (write.type === 'delete') events.push(eviction(pod, node, due.taint, write));
    }
  }
  return { writes, events, ...(againAfterMs !== undefined && { againAfterMs }) };
}

/** When the Pod has to go, and which taint says so; undefined when it may stay for ever. */
function dueAt(pod: Live<Pod>, taints: readonly Taint[]): { atMs: number; taint: Taint } | undefined {
  const cameMs = parseTimestamp(
    conditionOf(pod.status.conditions, 'PodScheduled')?.lastTransitionTime || pod.metadata.creationTimestamp,
  );
  let due: { atMs: number; taint: Taint } | undefined;
  for (const taint of taints) {
    const fitting = pod.spec.tolerations.filter((each) => tolerates(each, taint));
    const seconds = fitting.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    // Tolerated for ever, by all that tolerate it.
    if (fitting.length > 0 && seconds.length === 0) continue;
    const startMs = Math.max(parseTimestamp(taint.timeAdded) ?? 0, cameMs ?? 0);
    const atMs = fitting.length === 0 ? 0 : startMs + Math.max(0, Math.min(...seconds)) * 1000;
    if (due === undefined || atMs < due.atMs) due = { atMs, taint };
  }
  return due;
}

/** First the Pod says why it ends, then it is asked to. */
function ending(pod: Live<Pod>, taint: Taint, now: number): ClientWrite {
  const { namespace, name, uid } = pod.metadata;
  if (conditionOf(pod.status.conditions, 'DisruptionTarget')?.status === 'True') {
    return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid } };
  }
  const claim: ConditionClaim = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: `Its node has the taint ${taint.key}, which it does not tolerate any longer`,
  };
  const object = { ...pod, status: { ...pod.status, conditions: withCondition(pod.status.conditions, claim, now) } };
  return { type: 'updateStatus', kind: podKind, object };
}

function eviction(pod: Live<Pod>, { metadata }: Live<Node>, { key }: Taint, after: ClientWrite): PlannedEvent {
  const message = `Marking for deletion: its node ${metadata.name} has the taint ${key}, which it does not tolerate any longer`;
  return { kind: podKind, object: pod, type: 'Normal', reason: 'TaintManagerEviction', message, after };
}

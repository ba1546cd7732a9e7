import type { ClientWrite } from '@navarch/client';
import { nodeTaints, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Condition, Node, Pod } from '@navarch/proto';
import { type ConditionClaim, conditionOf, withCondition } from '../conditions.ts';
import type { Plan, PlannedEvent } from '../plan.ts';
import { isOver } from '../pod-state.ts';

export interface PodGarbageObserved {
  readonly pods: readonly Live<Pod>[];
  readonly nodeOf: (name: string) => Live<Node> | undefined;
  /** How long the node has been gone; undefined while it is there, or may be. */
  readonly nodeGoneForMs: (name: string) => number | undefined;
}

export interface PodGarbageSettings {
  /** So many Pods that are over are kept for people to look at; of more the oldest go. */
  readonly mostOver: number;
  /** A node that was deleted by mistake registers again; after so long it won't. */
  readonly nodeGoneMs: number;
}

/** Kubernetes keeps 12,500 that are over. */
export const usualPodGarbage: PodGarbageSettings = { mostOver: 1_000, nodeGoneMs: 40_000 };

/** Why nobody ends a Pod any more. */
type Lost = 'node-gone' | 'out-of-service' | 'never-placed';

const because: Readonly<Record<Lost, string>> = {
  'node-gone': 'its node no longer exists',
  'out-of-service': 'its node is out of service',
  'never-placed': 'it was asked to go before it had a node',
};

/**
 * Pods that nobody ends any more: the oldest of those that are over, those of a Node that no longer exists, those that are
 * ending on a node that somebody has declared out of service, and those that are ending and have no node. A node that is
 * only silent is not enough: its Pods may run on, and another with the same identity must not run beside them. Source:
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export function collectPods(observed: PodGarbageObserved, settings: PodGarbageSettings, now: number): Plan {
  const writes: ClientWrite[] = [];
  const events: PlannedEvent[] = [];
  const over: Live<Pod>[] = [];
  for (const pod of observed.pods) {
    const lost = lostBecause(pod, observed, settings);
    if (isOnItsWay(pod)) {
      // What its finalizers wait for may be to know how it ended: a Job counts its Pods.
      if (lost !== undefined && !isOver(pod.status.phase)) writes.push(failing(pod, lost, now));
    } else if (lost !== undefined) {
      const write = ending(pod, lost, now);
      writes.push(write);
      if (write.type === 'delete') events.push(told(pod, lost, write));
    } else if (isOver(pod.status.phase) && pod.metadata.deletionTimestamp === '') over.push(pod);
  }
  const excess = over.toSorted(evictedThenOldest).slice(0, Math.max(0, over.length - settings.mostOver));
  return { writes: [...writes, ...excess.map(remove)], events };
}

/** Only its finalizers keep it. */
function isOnItsWay({ metadata: { deletionTimestamp, deletionGracePeriodSeconds } }: Live<Pod>): boolean {
  return deletionTimestamp !== '' && deletionGracePeriodSeconds === 0;
}

function lostBecause(pod: Live<Pod>, observed: PodGarbageObserved, settings: PodGarbageSettings): Lost | undefined {
  const { nodeName } = pod.spec;
  const isEnding = pod.metadata.deletionTimestamp !== '';
  if (nodeName === '') return isEnding ? 'never-placed' : undefined;
  const node = observed.nodeOf(nodeName);
  if (node === undefined) {
    const goneForMs = observed.nodeGoneForMs(nodeName);
    return goneForMs !== undefined && goneForMs >= settings.nodeGoneMs ? 'node-gone' : undefined;
  }
  return isEnding && isOutOfService(node) ? 'out-of-service' : undefined;
}

/** Said so by somebody who knows; a node that is Ready contradicts that, and ends its Pods itself. */
function isOutOfService({ spec, status }: Live<Node>): boolean {
  const isReady = conditionOf(status.conditions, 'Ready')?.status === 'True';
  return !isReady && spec.taints.some(({ key }) => key === nodeTaints.outOfService);
}

/** First the Pod says what became of it, for whoever counts it; then it goes. */
function ending(pod: Live<Pod>, lost: Lost, now: number): ClientWrite {
  return lost === 'never-placed' || isOver(pod.status.phase) ? remove(pod) : failing(pod, lost, now);
}

function failing(pod: Live<Pod>, lost: Lost, now: number): ClientWrite {
  if (lost === 'never-placed') return failed(pod, pod.status.conditions);
  const claim: ConditionClaim = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: `PodGC: ${because[lost]}`,
  };
  return failed(pod, withCondition(pod.status.conditions, claim, now));
}

function failed(pod: Live<Pod>, conditions: Condition[]): ClientWrite {
  const object = { ...pod, status: { ...pod.status, phase: 'Failed', conditions } };
  return { type: 'updateStatus', kind: podKind, object };
}

function told(pod: Live<Pod>, lost: Lost, after: ClientWrite): PlannedEvent {
  const message = `deleted without waiting for anybody: ${because[lost]}`;
  return { kind: podKind, object: pod, type: 'Normal', reason: 'PodGC', message, after };
}

function evictedThenOldest(a: Live<Pod>, b: Live<Pod>): number {
  const [first, second] = [a.status.reason === 'Evicted', b.status.reason === 'Evicted'];
  if (first !== second) return first ? -1 : 1;
  return a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1;
}

function remove({ metadata: { namespace, name, uid } }: Live<Pod>): ClientWrite {
  return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid, gracePeriodSeconds: 0 } };
}

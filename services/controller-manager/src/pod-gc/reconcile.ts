import type { ClientWrite } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { Plan } from '../plan.ts';
import { isOver } from '../pod-state.ts';

export interface PodGarbageObserved {
  readonly pods: readonly Live<Pod>[];
  readonly nodeExists: (name: string) => boolean;
  /** How long a Pod's node has been gone as far as we have seen. */
  readonly nodeGoneForMs: (pod: Live<Pod>) => number;
}

export interface PodGarbageSettings {
  /** So many Pods that are over are kept for people to look at; of more the oldest go. */
  readonly mostOver: number;
  /** A node that was deleted by mistake registers again; after so long it won't. */
  readonly nodeGoneMs: number;
}

/** Pods that nobody ends any more: the oldest of those that are over, and those bound to a Node that no longer exists. */
export function collectPods(
  { pods, nodeExists, nodeGoneForMs }: PodGarbageObserved,
  settings: PodGarbageSettings,
): Plan {
  const lost = pods.filter(
    (pod) => pod.spec.nodeName !== '' && !nodeExists(pod.spec.nodeName) && nodeGoneForMs(pod) >= settings.nodeGoneMs,
  );
  const over = pods
    .filter((pod) => isOver(pod.status.phase) && pod.metadata.deletionTimestamp === '' && !lost.includes(pod))
    .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  const excess = over.slice(0, Math.max(0, over.length - settings.mostOver));
  return { writes: [...lost, ...excess].map(remove), events: [] };
}

function remove({ metadata: { namespace, name, uid } }: Live<Pod>): ClientWrite {
  return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid, gracePeriodSeconds: 0 } };
}

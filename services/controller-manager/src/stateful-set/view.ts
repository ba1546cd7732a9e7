import type { Live } from '@navarch/machinery';
import type { ControllerRevision, Pod, StatefulSet } from '@navarch/proto';
import { availableInMs, isReady } from '../pod-state.ts';
import type { History } from '../revisions/history.ts';
import { templateOf } from '../revisions/template-data.ts';
import type { Claims } from './claims.ts';
import { newPod, ordinalOf, revisionOf } from './identity.ts';

/** A set with its Pods in their places: what the next step is decided from. */
export interface View {
  readonly set: Live<StatefulSet>;
  readonly now: number;
  /** The numbers that Pods should have: from `start`, and below `end`. */
  readonly start: number;
  readonly end: number;
  readonly pods: ReadonlyMap<number, Live<Pod>>;
  /** Numbers beyond the wanted ones that have Pods, the highest first. */
  readonly condemned: readonly number[];
  readonly history: History;
  /** The revision of the update that is under way, and of the state before it: the same when there is none. */
  readonly update: ControllerRevision;
  readonly current: ControllerRevision;
  readonly claims: Claims;
  /** Any Pod of the set's namespace. */
  readonly anyPod: (name: string) => Live<Pod> | undefined;
}

export function viewOf(
  observed: Pick<View, 'set' | 'claims' | 'anyPod' | 'history'> & { readonly owned: readonly Live<Pod>[] },
  now: number,
): View {
  const { set, history, owned } = observed;
  const start = set.spec.ordinals?.start ?? 0;
  const end = start + (set.spec.replicas ?? 1);
  const pods = new Map<number, Live<Pod>>();
  for (const pod of owned) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) pods.set(ordinal, pod);
  }
  const condemned = [...pods.keys()].filter((ordinal) => ordinal < start || ordinal >= end).sort((a, b) => b - a);
  const { update } = history;
  const current = history.all.find(({ metadata }) => metadata.name === set.status.currentRevision) ?? update;
  return { ...observed, now, start, end, pods, condemned, update, current };
}

export function nameOf(revision: ControllerRevision): string {
  return revision.metadata?.name ?? '';
}

/** Running, ready for as long as minReadySeconds asks, and not ending. */
export function isAvailable({ set, now }: View, pod: Live<Pod>): boolean {
  return isRunningAndReady(pod) && pod.metadata.deletionTimestamp === '' && availableIn(set, pod, now) === 0;
}

export function isRunningAndReady(pod: Live<Pod>): boolean {
  return pod.status.phase === 'Running' && isReady(pod);
}

export function availableIn({ spec }: Live<StatefulSet>, pod: Live<Pod>, now: number): number | undefined {
  return availableInMs(pod, spec.minReadySeconds, now);
}

export function isRolling({ set }: View): boolean {
  return (set.spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';
}

/** The first number that an update concerns. */
export function partitionOf({ set, start }: View): number {
  return start + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
}

/**
 * Whether the Pod is of a template that it should not be of. Below the partition both today's and the one before are good:
 * who raises the partition in the middle of an update wants things to stay.
 */
export function isOutdated(view: View, ordinal: number, pod: Live<Pod>): boolean {
  const revision = revisionOf(pod);
  if (revision === nameOf(view.update)) return false;
  return ordinal >= partitionOf(view) || revision !== nameOf(view.current);
}

/** A Pod as it should be made now: below the partition as before the update. */
export function podToMake(view: View, ordinal: number): Pod {
  const { set, update, current } = view;
  const revision = isRolling(view) && ordinal < partitionOf(view) ? current : update;
  return newPod(set, ordinal, templateOf(revision) ?? set.spec.template, nameOf(revision));
}

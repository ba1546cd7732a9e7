import type { StatefulSetStatus } from '@navarch/proto';
import { sooner } from '../plan.ts';
import { revisionOf } from './identity.ts';
import { availableIn, isRunningAndReady, nameOf, type View } from './view.ts';

/** What is seen of the set, and when a Pod will have been ready for long enough. */
export function statefulSetStatus(view: View): { readonly status: StatefulSetStatus; readonly againAfterMs?: number } {
  const { set, now } = view;
  const pods = [...view.pods.values()];
  const ready = pods.filter(isRunningAndReady);
  const waits = ready.map((pod) => availableIn(set, pod, now));
  const ofRevision = (name: string) =>
    pods.filter((pod) => revisionOf(pod) === name && pod.metadata.deletionTimestamp === '').length;
  const [updateRevision, current] = [nameOf(view.update), nameOf(view.current)];
  const updatedReplicas = ofRevision(updateRevision);
  const wanted = set.spec.replicas ?? 1;
  const done = updatedReplicas === wanted && ready.length === wanted && pods.length === wanted;
  const currentRevision = done ? updateRevision : current;
  const { collisions } = view.history;
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: ready.length,
    currentReplicas: ofRevision(currentRevision),
    updatedReplicas,
    currentRevision,
    updateRevision,
    collisionCount: collisions,
    conditions: set.status.conditions,
    availableReplicas: waits.filter((ms) => ms === 0).length,
  };
  const againAfterMs = waits.reduce((soonest, ms) => (ms === 0 ? soonest : sooner(soonest, ms)), undefined);
  return { status, ...(againAfterMs !== undefined && { againAfterMs }) };
}

import type { ClientWrite } from '@navarch/client';
import { pod as podKind, statefulSet as statefulSetKind } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { PlannedEvent } from '../plan.ts';
import { isOver } from '../pod-state.ts';
import { hasGoingClaim, missingClaims, retentionWrites } from './claims.ts';
import { podName, withIdentity } from './identity.ts';
import { isAvailable, isOutdated, isRolling, podToMake, type View } from './view.ts';

/** What is to be done for one Pod, and whether a set that goes in order must wait here. */
export interface Step {
  readonly writes: readonly ClientWrite[];
  readonly events: readonly PlannedEvent[];
  readonly blocks: boolean;
}

const pass: Step = { writes: [], events: [], blocks: false };
const wait: Step = { ...pass, blocks: true };

/** Brings the Pod of a wanted number into being, and to serve. */
export function keep(view: View, ordinal: number): Step {
  const { set, claims } = view;
  const pod = view.pods.get(ordinal);
  if (pod === undefined) return make(view, ordinal);
  // Its object must be gone before there may be another of that name.
  if (pod.metadata.deletionTimestamp !== '') return wait;
  if (isOver(pod.status.phase)) {
    const what = pod.status.phase === 'Failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod';
    const state = pod.status.phase === 'Failed' ? 'failed' : 'terminated';
    return remove(view, pod, [
      told(view, 'Warning', what, `StatefulSet ${keyOf(set)} is recreating ${state} Pod ${pod.metadata.name}`),
    ]);
  }
  const identity = withIdentity(set, pod);
  const repairs: ClientWrite[] = [
    ...(identity === undefined ? [] : [{ type: 'update', kind: podKind, object: identity } as const]),
    ...(pod.status.phase === 'Running' ? [] : missingClaims(set, ordinal, claims)),
    ...retentionWrites(set, { pod, ordinal, condemned: false }, claims),
  ];
  if (repairs.length > 0) return { writes: repairs, events: [], blocks: true };
  if (isAvailable(view, pod)) return pass;
  // What doesn't serve and is of another template gains nothing by waiting: a rollback heals what a broken template left.
  return isRolling(view) && isOutdated(view, ordinal, pod) ? remove(view, pod) : wait;
}

/** Ends the Pod of a number that is no longer wanted. */
export function condemn(view: View, ordinal: number): Step {
  const pod = view.pods.get(ordinal);
  if (pod === undefined) return pass;
  const writes = retentionWrites(view.set, { pod, ordinal, condemned: true }, view.claims);
  if (writes.length > 0) return { writes, events: [], blocks: true };
  return pod.metadata.deletionTimestamp === '' ? remove(view, pod) : wait;
}

export function remove(view: View, pod: Live<Pod>, events: readonly PlannedEvent[] = []): Step {
  const { namespace, name, uid } = pod.metadata;
  const write: ClientWrite = { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid } };
  const message = `delete Pod ${name} in StatefulSet ${view.set.metadata.name} successful`;
  return {
    writes: [write],
    events: [...events, told(view, 'Normal', 'SuccessfulDelete', message, write)],
    blocks: true,
  };
}

function make(view: View, ordinal: number): Step {
  const { set, claims } = view;
  const name = podName(set, ordinal);
  const other = view.anyPod(name);
  if (other !== undefined) {
    if (other.metadata.deletionTimestamp !== '') return wait;
    const message = `create Pod ${name} in StatefulSet ${set.metadata.name} failed: a Pod of that name is there that isn't the set's`;
    return { writes: [], events: [told(view, 'Warning', 'FailedCreate', message)], blocks: true };
  }
  if (hasGoingClaim(set, ordinal, claims)) return wait;
  const missing = missingClaims(set, ordinal, claims);
  const where = `in StatefulSet ${set.metadata.name}`;
  if (missing.length > 0) {
    const events = missing.map((write) => {
      const claim = write.type === 'create' ? write.object.metadata?.name : '';
      const message = `create Claim ${claim} Pod ${name} ${where} success`;
      return told(view, 'Normal', 'SuccessfulCreate', message, write);
    });
    return { writes: missing, events, blocks: true };
  }
  const write: ClientWrite = { type: 'create', kind: podKind, object: podToMake(view, ordinal) };
  const event = told(view, 'Normal', 'SuccessfulCreate', `create Pod ${name} ${where} successful`, write);
  return { writes: [write], events: [event], blocks: true };
}

function told(
  { set }: View,
  type: PlannedEvent['type'],
  reason: string,
  message: string,
  after?: ClientWrite,
): PlannedEvent {
  return { kind: statefulSetKind, object: set, type, reason, message, ...(after !== undefined && { after }) };
}

import type { ClientWrite } from '@navarch/client';
import { daemonSet as daemonSetKind } from '@navarch/kinds';
import type { DaemonSetStatus } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { sooner } from '../plan.ts';
import { isReady } from '../pod-state.ts';
import { availableIn, isAvailable, isUpdated, type View } from './view.ts';

/** What is seen, written only when it is news. `againAfterMs`: when a Pod becomes available although nothing changes. */
export function statusOf(
  view: View,
  collisions: number,
): { readonly writes: readonly ClientWrite[]; readonly againAfterMs: number | undefined } {
  const { set, nodes } = view;
  const wanted = nodes.filter(({ fit }) => fit === 'should');
  const available = wanted.filter(({ active }) => active.some((pod) => isAvailable(view, pod))).length;
  const status: DaemonSetStatus = {
    currentNumberScheduled: wanted.filter(({ pods }) => pods.length > 0).length,
    numberMisscheduled: nodes.filter(({ fit, pods }) => fit !== 'should' && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: wanted.filter(({ active }) => active.some(isReady)).length,
    updatedNumberScheduled: wanted.filter(({ active }) => active.some((pod) => isUpdated(view, pod))).length,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    observedGeneration: set.metadata.generation,
    collisionCount: collisions === 0 ? set.status.collisionCount : collisions,
    conditions: set.status.conditions,
  };
  const againAfterMs = wanted
    .flatMap(({ active }) => active.map((pod) => availableIn(view, pod)))
    .reduce((soonest, ms) => (ms === 0 ? soonest : sooner(soonest, ms)), undefined);
  const unchanged = equalValues(status, set.status);
  const object = { ...set, status };
  return { writes: unchanged ? [] : [{ type: 'updateStatus', kind: daemonSetKind, object }], againAfterMs };
}

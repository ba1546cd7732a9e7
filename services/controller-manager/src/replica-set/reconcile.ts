import type { ClientWrite } from '@navarch/client';
import { pod as podKind, replicaSet as replicaSetKind, removalOrder } from '@navarch/kinds';
import { labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { Pod, ReplicaSet, ReplicaSetStatus } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import type { PodRefusal } from '../carry-out.ts';
import { childNames } from '../child-name.ts';
import { withCondition, withoutCondition } from '../conditions.ts';
import { claim, claimWrites } from '../ownership.ts';
import { type Plan, type PlannedEvent, sooner } from '../plan.ts';
import { podFromTemplate } from '../pod-from-template.ts';
import { availableInMs, isActive, isReady } from '../pod-state.ts';

export interface ReplicaSetObserved {
  readonly replicaSet: Live<ReplicaSet>;
  /** The Pods that it manages, and those of its namespace that nobody does. */
  readonly pods: readonly Live<Pod>[];
  /** Whether a Pod of this name is in its namespace. */
  readonly taken: { has(name: string): boolean };
  /** The Pods of its owner's other ReplicaSets; asked for only when some must go. */
  related?(): readonly Live<Pod>[];
}

/** At most so many Pods are made or removed in one step; the next step follows at once. */
const mostPerStep = 500;

/**
 * Brings the number of Pods to what is wanted; when it is, brings the status up to date. Never both in one step: the
 * status is of what the caches show, and they are about to change.
 */
export function reconcileReplicaSet(observed: ReplicaSetObserved, now: number, failure?: PodRefusal): Plan {
  const { replicaSet } = observed;
  const { metadata, spec } = replicaSet;
  const { owned, adopt, release } = claim(replicaSet, observed.pods, labelSelectorPredicate(spec.selector));
  const claims = claimWrites(podKind, { kind: replicaSetKind, owner: replicaSet }, { adopt, release });
  const active = [...owned, ...adopt].filter(isActive);
  const wanted = spec.replicas ?? 1;
  if (failure === undefined && metadata.deletionTimestamp === '') {
    // What is adopted counts only once it is: its update may be refused.
    if (claims.length > 0) return { writes: claims, events: [] };
    if (active.length < wanted) return createPods(observed, Math.min(wanted - active.length, mostPerStep));
    if (active.length > wanted) return removePods(observed, active, Math.min(active.length - wanted, mostPerStep));
  }
  return updateStatus(replicaSet, active, now, failure);
}

function createPods({ replicaSet, taken }: ReplicaSetObserved, count: number): Plan {
  const { metadata, spec } = replicaSet;
  const writes = childNames(metadata, count, taken).map((name): ClientWrite => {
    return {
      type: 'create',
      kind: podKind,
      object: podFromTemplate(replicaSetKind, replicaSet, spec.template, { name }),
    };
  });
  return { writes, events: writes.map((write) => told(replicaSet, write, 'SuccessfulCreate', 'Created pod')) };
}

function removePods(observed: ReplicaSetObserved, active: readonly Live<Pod>[], count: number): Plan {
  const { replicaSet } = observed;
  const { namespace } = replicaSet.metadata;
  const writes = removalOrder(active, observed.related?.().filter(isActive))
    .slice(0, count)
    .map(({ metadata: { name, uid } }): ClientWrite => {
      return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid } };
    });
  return { writes, events: writes.map((write) => told(replicaSet, write, 'SuccessfulDelete', 'Deleted pod')) };
}

function told(object: Live<ReplicaSet>, after: ClientWrite, reason: string, what: string): PlannedEvent {
  const name = after.type === 'create' ? after.object.metadata?.name : after.type === 'delete' ? after.key.name : '';
  return { kind: replicaSetKind, object, type: 'Normal', reason, message: `${what}: ${name}`, after };
}

function updateStatus(
  replicaSet: Live<ReplicaSet>,
  active: readonly Live<Pod>[],
  now: number,
  failure?: PodRefusal,
): Plan {
  const { metadata, spec, status } = replicaSet;
  const templateLabels = Object.entries(spec.template?.metadata?.labels ?? {});
  const availableIn = active.map((pod) => availableInMs(pod, spec.minReadySeconds, now));
  const next: ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) =>
      templateLabels.every(([key, value]) => pod.metadata.labels[key] === value),
    ).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: availableIn.filter((ms) => ms === 0).length,
    observedGeneration: metadata.generation,
    conditions:
      failure === undefined
        ? withoutCondition(status.conditions, 'ReplicaFailure')
        : withCondition(status.conditions, { type: 'ReplicaFailure', status: 'True', ...failure }, now),
  };
  const againAfterMs = availableIn.reduce((soonest, ms) => (ms === 0 ? soonest : sooner(soonest, ms)), undefined);
  const unchanged = equalValues(next, status);
  const object = { ...replicaSet, status: next };
  return {
    writes: unchanged ? [] : [{ type: 'updateStatus', kind: replicaSetKind, object }],
    events: [],
    ...(againAfterMs !== undefined && { againAfterMs }),
  };
}

import type { ClientWrite } from '@navarch/client';
import { deployment as deploymentKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { Deployment, Pod, ReplicaSet } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { claim, claimWrites, isControlledBy } from '../ownership.ts';
import type { Plan, PlannedEvent } from '../plan.ts';
import { isOver } from '../pod-state.ts';
import { copiedAnnotations, revisionAnnotation, revisionOf, sizeAnnotations } from './annotations.ts';
import { currentRevision, newReplicaSet, type ReplicaSets, resized, sortOut } from './replica-sets.ts';
import { currentSize, oldSizes } from './rolling.ts';
import { proportionalSizes, type Sizes, wasScaled } from './scaling.ts';
import { deploymentStatus } from './status.ts';
import { isRecreate, replicasOf } from './strategy.ts';

export interface DeploymentObserved {
  readonly deployment: Live<Deployment>;
  /** The ReplicaSets that it manages, and those of its namespace that nobody does. */
  readonly replicaSets: readonly Live<ReplicaSet>[];
  /** Whether a ReplicaSet of this name is in its namespace. */
  readonly taken: { has(name: string): boolean };
  /** The Pods of its ReplicaSets; needed by Recreate alone. */
  readonly pods: readonly Live<Pod>[];
}

/**
 * The next step of a Deployment: its ReplicaSets sized as the strategy allows right now, revisions and history kept, and
 * the status of what is seen. Each step stands on what the caches show; the next one follows when they show its result.
 */
export function reconcileDeployment(observed: DeploymentObserved, now: number): Plan {
  const { deployment } = observed;
  const { owned, adopt, release } = claim(
    deployment,
    observed.replicaSets,
    labelSelectorPredicate(deployment.spec.selector),
  );
  const claims = claimWrites(replicaSetKind, { kind: deploymentKind, owner: deployment }, { adopt, release });
  if (claims.length > 0) return { writes: claims, events: [] };

  const sets = sortOut(deployment, owned);
  const revision = currentRevision(sets);
  const step = deployment.metadata.deletionTimestamp === '' ? nextStep(observed, sets, revision) : idle;
  return withStatus(deployment, sets, revision, step, now);
}

interface Step {
  readonly writes: readonly ClientWrite[];
  readonly events: readonly PlannedEvent[];
  readonly collisions?: number;
}

const idle: Step = { writes: [], events: [] };

function nextStep(observed: DeploymentObserved, sets: ReplicaSets, revision: number): Step {
  const { deployment } = observed;
  const { spec } = deployment;
  if (spec.paused || wasScaled(deployment, sets)) {
    const sizes = proportionalSizes(deployment, sets);
    const scaled = applySizes(deployment, sets, sizes, revision);
    return scaled.writes.length > 0 || spec.paused ? scaled : markSized(deployment, sets);
  }
  if (isRecreate(spec)) {
    const old = new Map(sets.old.filter((set) => replicasOf(set.spec) > 0).map((set) => [set, 0]));
    if (old.size > 0) return applySizes(deployment, sets, old, revision);
    if (sets.current === undefined && observed.pods.some((pod) => isPodOf(pod, sets.old))) return idle;
  }
  if (sets.current === undefined) return create(observed, sets, revision);

  const size = currentSize(deployment, sets);
  const grown = applySizes(deployment, sets, new Map([[sets.current, size]]), revision);
  if (grown.writes.length > 0) return grown;
  const shrunk = applySizes(deployment, sets, oldSizes(deployment, sets), revision);
  return shrunk.writes.length > 0 ? shrunk : forget(deployment, sets);
}

/** Of the old Pods none may be left, not even ending, before the first new one starts. */
function isPodOf(pod: Live<Pod>, sets: readonly Live<ReplicaSet>[]): boolean {
  return !isOver(pod.status.phase) && sets.some((set) => isControlledBy(pod, set));
}

function create({ deployment, taken }: DeploymentObserved, sets: ReplicaSets, revision: number): Step {
  let collisions = deployment.status.collisionCount ?? 0;
  const make = () => newReplicaSet(deployment, currentSize(deployment, sets), revision, collisions);
  let object = make();
  while (taken.has(object.metadata?.name ?? '')) {
    collisions++;
    object = make();
  }
  const message = `Scaled up replica set ${object.metadata?.name} from 0 to ${object.spec?.replicas ?? 0}`;
  const write: ClientWrite = { type: 'create', kind: replicaSetKind, object };
  return { writes: [write], events: [scalingEvent(deployment, message, write)], collisions };
}

/** One write for each ReplicaSet whose size, or whose part of the current one, isn't as it must be. */
function applySizes(deployment: Live<Deployment>, sets: ReplicaSets, sizes: Sizes, revision: number): Step {
  const writes: ClientWrite[] = [];
  const events: PlannedEvent[] = [];
  for (const set of sets.all) {
    const before = replicasOf(set.spec);
    const size = sizes.get(set) ?? before;
    const sized = size === before ? set : resized(deployment, set, size);
    const next = set === sets.current ? asCurrent(deployment, sized, revision) : sized;
    if (next === set || equalValues(next, set)) continue;
    const write = update(next);
    writes.push(write);
    if (size === before) continue;
    const direction = size > before ? 'up' : 'down';
    events.push(
      scalingEvent(deployment, `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${size}`, write),
    );
  }
  return { writes, events };
}

/** The current ReplicaSet has the newest revision and follows the Deployment's annotations and minReadySeconds. */
function asCurrent(deployment: Live<Deployment>, set: Live<ReplicaSet>, revision: number): Live<ReplicaSet> {
  const annotations = {
    ...set.metadata.annotations,
    ...copiedAnnotations(deployment),
    [revisionAnnotation]: String(revision),
  };
  const { minReadySeconds } = deployment.spec;
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, minReadySeconds } };
}

/** After scaling, what remembers another number of replicas is told the new one; otherwise scaling would never end. */
function markSized(deployment: Live<Deployment>, sets: ReplicaSets): Step {
  const stale = sets.all.filter(({ spec, metadata }) => {
    const wanted = Object.entries(sizeAnnotations(deployment));
    return replicasOf(spec) > 0 && wanted.some(([key, value]) => metadata.annotations[key] !== value);
  });
  return { writes: stale.map((set) => update(resized(deployment, set, replicasOf(set.spec)))), events: [] };
}

/** Old ReplicaSets beyond the history's limit, once the rollout is done: the ones with the lowest revisions. */
function forget(deployment: Live<Deployment>, { current, old }: ReplicaSets): Step {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const done = current?.status.availableReplicas === replicasOf(deployment.spec);
  if (!done || old.length <= limit) return idle;
  const empty = old.filter(({ metadata, spec, status }) => {
    const settled = status.observedGeneration >= metadata.generation;
    return replicasOf(spec) === 0 && status.replicas === 0 && settled && metadata.deletionTimestamp === '';
  });
  const forgotten = empty.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, old.length - limit);
  const writes = forgotten.map(
    ({ metadata: { namespace, name, uid } }): ClientWrite => ({
      type: 'delete',
      kind: replicaSetKind,
      key: { namespace, name },
      options: { uid },
    }),
  );
  return { writes, events: [] };
}

/** A Deployment is one object: its annotation and its status are two writes, so they go in two steps. */
function withStatus(deployment: Live<Deployment>, sets: ReplicaSets, revision: number, step: Step, now: number): Plan {
  const { metadata } = deployment;
  const outdated = metadata.annotations[revisionAnnotation] !== String(revision) && metadata.deletionTimestamp === '';
  const events = step.events;
  if (outdated) {
    const annotations = { ...metadata.annotations, [revisionAnnotation]: String(revision) };
    const object = { ...deployment, metadata: { ...metadata, annotations } };
    return { writes: [...step.writes, { type: 'update', kind: deploymentKind, object }], events };
  }
  const collisions = step.collisions ?? deployment.status.collisionCount ?? 0;
  const { status, deadlineInMs } = deploymentStatus(deployment, sets, collisions, now);
  const changed = !equalValues(status, deployment.status);
  const object = { ...deployment, status };
  return {
    writes: [...step.writes, ...(changed ? [{ type: 'updateStatus', kind: deploymentKind, object } as const] : [])],
    events,
    ...(deadlineInMs !== undefined && { againAfterMs: deadlineInMs }),
  };
}

function update(object: Live<ReplicaSet>): ClientWrite {
  return { type: 'update', kind: replicaSetKind, object };
}

function scalingEvent(object: Live<Deployment>, message: string, after: ClientWrite): PlannedEvent {
  return { kind: deploymentKind, object, type: 'Normal', reason: 'ScalingReplicaSet', message, after };
}

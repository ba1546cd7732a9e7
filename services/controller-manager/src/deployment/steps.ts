import type { ClientWrite } from '@navarch/client';
import { deployment as deploymentKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Deployment, Pod, ReplicaSet } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { isControlledBy } from '../ownership.ts';
import type { PlannedEvent } from '../plan.ts';
import { isOver } from '../pod-state.ts';
import { sizeAnnotations } from './annotations.ts';
import { unusedCopies } from './configuration.ts';
import { forgotten } from './forgetting.ts';
import { type Goals, goalsOf } from './goals.ts';
import { asCurrent, currentRevision, newReplicaSet, type ReplicaSets, resized } from './replica-sets.ts';
import { firstSize, grownSizes, shrunkSizes } from './rolling.ts';
import { proportionalSizes, type Sizes, wasScaled } from './scaling.ts';
import type { DeploymentObserved, Seen } from './seen.ts';
import { isRecreate, replicasOf } from './strategy.ts';

export interface Step {
  readonly writes: readonly ClientWrite[];
  readonly events: readonly PlannedEvent[];
  /** The ReplicaSet that is made in this step. */
  readonly created?: string | undefined;
  readonly collisions?: number | undefined;
}

const idle: Step = { writes: [], events: [] };

/** What is done to the ReplicaSets now. On `trial`, new Pods that have ended hold everything until they have recovered. */
export function nextStep(observed: DeploymentObserved, seen: Seen, trial: boolean): Step {
  const { deployment, known, sets, health } = seen;
  const { spec } = deployment;
  const isHeld = spec.paused || known === undefined;
  if (isHeld || wasScaled(deployment, sets)) {
    const scaled = applySizes(deployment, sets, proportionalSizes(deployment, sets));
    return scaled.writes.length > 0 || isHeld ? scaled : markSized(deployment, sets);
  }
  if (trial && health.shaky) return applySizes(deployment, sets, new Map());
  if (isRecreate(spec)) {
    const old = new Map(sets.old.filter((set) => replicasOf(set.spec) > 0).map((set) => [set, 0]));
    if (old.size > 0) return applySizes(deployment, sets, old);
    if (observed.pods.some((pod) => isPodOf(pod, sets.old))) return idle;
  }
  const goals = goalsOf(deployment, sets, seen.canary);
  if (sets.current === undefined) return create(observed, seen, goals);
  const grown = applySizes(deployment, sets, grownSizes(deployment, sets, goals));
  if (grown.writes.length > 0) return grown;
  const shrunk = applySizes(deployment, sets, shrunkSizes(deployment, sets, goals));
  return shrunk.writes.length > 0 ? shrunk : tidy(observed, seen);
}

/** Of the old Pods none may be left, not even ending, before the first new one starts. */
function isPodOf(pod: Live<Pod>, sets: readonly Live<ReplicaSet>[]): boolean {
  return !isOver(pod.status.phase) && sets.some((set) => isControlledBy(pod, set));
}

function create({ deployment, taken }: DeploymentObserved, { known, sets }: Seen, goals: Goals): Step {
  if (known === undefined) return idle;
  let collisions = deployment.status.collisionCount ?? 0;
  const size = { replicas: firstSize(deployment, sets, goals), revision: currentRevision(sets) };
  const make = () => newReplicaSet(deployment, known, { ...size, collisions });
  let object = make();
  while (taken.has(object.metadata?.name ?? '')) {
    collisions++;
    object = make();
  }
  const created = object.metadata?.name ?? '';
  const write: ClientWrite = { type: 'create', kind: replicaSetKind, object };
  const message = `Scaled up replica set ${created} from 0 to ${size.replicas}`;
  return { writes: [write], events: [scalingEvent(deployment, message, write)], created, collisions };
}

/** One write for each ReplicaSet whose size, or whose part of the current one, isn't as it must be. */
function applySizes(deployment: Live<Deployment>, sets: ReplicaSets, sizes: Sizes): Step {
  const writes: ClientWrite[] = [];
  const events: PlannedEvent[] = [];
  for (const set of sets.all) {
    const before = replicasOf(set.spec);
    const size = sizes.get(set) ?? before;
    const sized = size === before ? set : resized(deployment, set, size);
    const next = set === sets.current ? asCurrent(deployment, sized, currentRevision(sets)) : sized;
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

/** After scaling, what remembers another number of replicas is told the new one; otherwise scaling would never end. */
function markSized(deployment: Live<Deployment>, sets: ReplicaSets): Step {
  const stale = sets.all.filter(({ spec, metadata }) => {
    const wanted = Object.entries(sizeAnnotations(deployment));
    return replicasOf(spec) > 0 && wanted.some(([key, value]) => metadata.annotations[key] !== value);
  });
  return { writes: stale.map((set) => update(resized(deployment, set, replicasOf(set.spec)))), events: [] };
}

/** What nobody needs any more, once nothing else is to be done. */
function tidy({ configuration }: DeploymentObserved, { deployment, known, sets }: Seen): Step {
  const writes = forgotten(deployment, sets);
  if (writes.length > 0 || configuration === undefined) return { writes, events: [] };
  return { writes: unusedCopies(configuration, sets.all, known), events: [] };
}

function update(object: Live<ReplicaSet>): ClientWrite {
  return { type: 'update', kind: replicaSetKind, object };
}

function scalingEvent(object: Live<Deployment>, message: string, after: ClientWrite): PlannedEvent {
  return { kind: deploymentKind, object, type: 'Normal', reason: 'ScalingReplicaSet', message, after };
}

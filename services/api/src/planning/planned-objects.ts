import {
  type KindDefinition,
  type Kinds,
  liveObject,
  persistentVolumeClaim,
  pod as podKind,
  replicaSet,
  statefulSet,
  toResource,
} from '@navarch/kinds';
import { ApiError, type Live } from '@navarch/machinery';
import {
  type ApplyManifests,
  type PlannedObjects,
  type PlannedWorkload,
  type Pod,
  type ReplicaSet,
  Resource,
  type StatefulSet,
} from '@navarch/proto';
import type { Caller } from '../access/caller.ts';
import type { CachedObject } from '../cache/cached-object.ts';
import type { Gate } from '../grpc/allow.ts';
import { applyWrite } from '../pipeline/apply.ts';
import { createWrite } from '../pipeline/create.ts';
import { strict } from '../pipeline/field-policy.ts';
import { incoming } from '../pipeline/incoming.ts';
import type { Pipeline, WriteOptions, WriteOutcome } from '../pipeline/pipeline.ts';
import type { Write } from '../pipeline/write.ts';
import type { Sources } from '../read/source.ts';
import { type Neighbours, workloadPlan, type WorkloadPlan } from './workload-plan.ts';

/** More manifests than this are not planned at once. */
const mostManifests = 1_000;

/** Of one workload so many Pods are tried: for those beyond them quotas are not asked. */
const mostTried = 100;

interface Parts {
  readonly kinds: Kinds;
  readonly gate: Gate;
  readonly sources: Sources;
  readonly pipeline: Pipeline;
}

/** Who plans, and how a write that is only tried is called. */
interface Trial {
  readonly caller: Caller;
  readonly options: WriteOptions;
}

/**
 * What the manifests would make of the cluster: each is applied for the caller without keeping anything, and so is a Pod of each
 * workload. Manifests count on one another, as they would if they were applied in this order.
 */
export async function plannedObjects(parts: Parts, request: ApplyManifests, trial: Trial): Promise<PlannedObjects> {
  const { kinds, gate, pipeline } = parts;
  const { manifests, namespace, fieldManager, force } = request;
  if (manifests.length > mostManifests) {
    throw new ApiError('RequestEntityTooLarge', `at most ${mostManifests} manifests are planned at once`);
  }
  const writes = manifests.map((manifest) => () => {
    const write = applyWrite(kinds, { manifest, namespace, fieldManager, force, subresource: '' }, strict);
    return gate.write(trial.caller, 'patch', write);
  });
  const { applied, refusals } = await tryAll(pipeline, writes, trial);
  const objects = applied.map(({ write, resource }) => ({
    kind: write.kind,
    object: liveObject<Pod>(resource),
    write,
  }));
  const neighbours = neighboursIn(parts);
  const plans = objects.flatMap(({ kind, object }) => {
    const previous = currentOf(parts, kind, object);
    const plan = workloadPlan(kind, { object, previous }, neighbours(object.metadata.namespace));
    return plan === undefined ? [] : [{ kind, plan }];
  });
  const workloads: PlannedWorkload[] = [];
  for (const { kind, plan } of plans) {
    if (kind.case === podKind.case) {
      workloads.push(workload(plan, plan.sample));
      continue;
    }
    const { pod, refused, why } = await admitted(parts, plan, { applied, trial });
    if (refused > 0) refusals.push(`${refused} Pods of ${plan.owner}: ${why}`);
    const allowed = { ...plan, made: plan.made.slice(0, plan.made.length - refused) };
    if (pod !== undefined) workloads.push(workload(allowed, pod));
  }
  return { workloads, claims: objects.flatMap(({ kind, object }) => claimsOf(kind, object)), refusals };
}

interface Applied {
  readonly decode: () => Write;
  readonly write: Write;
  readonly resource: Resource;
}

/** Tries all that are not refused, which may take a second try: what one is refused for tells nothing of the others. */
async function tryAll(pipeline: Pipeline, writes: readonly (() => Write)[], { options }: Trial) {
  const refusals: string[] = [];
  let left = writes;
  for (let attempt = 0; attempt < 2 && left.length > 0; attempt++) {
    const outcomes = await pipeline.writeTogether(left, options);
    const bad = outcomes.map((outcome) => outcome?.ok === false);
    for (const outcome of outcomes) if (outcome?.ok === false) refusals.push(outcome.error.message);
    if (!bad.includes(true)) return { applied: left.map((decode, at) => appliedBy(decode, outcomes[at])), refusals };
    left = left.filter((_, at) => bad[at] !== true);
  }
  return { applied: [], refusals };
}

function appliedBy(decode: () => Write, outcome: WriteOutcome | undefined): Applied {
  if (outcome?.ok !== true) throw new ApiError('InternalError', 'a write that is only tried came to nothing');
  return { decode, write: decode(), resource: Resource.decode(outcome.written.resource) };
}

/** A Pod of the workload with all that admission adds, and how many of them are refused, by a quota for example. */
async function admitted(
  { pipeline }: Parts,
  { sample, made, replaced }: WorkloadPlan,
  { applied, trial }: { applied: readonly Applied[]; trial: Trial },
): Promise<{ pod: Live<Pod> | undefined; refused: number; why: string }> {
  // Those that take a place leave it first, so that what they take together is no more.
  const more = Math.min(mostTried, Math.max(1, made.length - replaced.length));
  // Under names of their own: those that they will have may be taken until others have left.
  const anyName = {
    ...sample,
    metadata: sample.metadata && { ...sample.metadata, name: '', generateName: 'planned-' },
  };
  const make = () => createWrite(incoming(toResource(podKind, structuredClone(anyName))));
  const tryMaking = async (count: number) => {
    const makes = Array.from({ length: count }, () => make);
    const outcomes = await pipeline.writeTogether([...applied.map(({ decode }) => decode), ...makes], trial.options);
    return outcomes.slice(applied.length);
  };
  const all = await tryMaking(more);
  const errors = all.flatMap((outcome) => (outcome?.ok === false ? [outcome.error] : []));
  const [first] = errors.length === 0 || errors.length === more ? all : await tryMaking(1);
  const why = errors[0]?.message ?? 'what the manifests say was changed meanwhile; plan again';
  if (first?.ok !== true) return { pod: undefined, refused: made.length, why };
  const pod = liveObject<Pod>(Resource.decode(first.written.resource));
  pod.metadata.name = sample.metadata?.name ?? '';
  return { pod, refused: errors.length, why };
}

function workload(plan: WorkloadPlan, pod: Pod): PlannedWorkload {
  const { owner, made, replaced, removed, onEachNode, kept } = plan;
  return { owner, made, replaced, removed, onEachNode, kept, pod: toResource(podKind, pod) };
}

/** The object as it is now. Whatever the kind is, it has metadata. */
function currentOf({ sources }: Parts, kind: KindDefinition, { metadata }: Live<Pod>): Live<Pod> | undefined {
  const { namespace, name } = metadata;
  const cached = sources.of(kind).cache.get(kind, kind.scope === 'Namespaced' ? namespace : '', name);
  return cached && live<Pod>(cached);
}

/** What there is in a namespace, each read once. */
function neighboursIn({ sources }: Parts): (namespace: string) => Neighbours {
  const { cache } = sources.of(podKind);
  const known = new Map<string, Neighbours>();
  return (namespace) => {
    const found = known.get(namespace) ?? {
      pods: [...cache.list(podKind, namespace)].map((each) => live<Pod>(each)),
      replicaSets: [...cache.list(replicaSet, namespace)].map((each) => live<ReplicaSet>(each)),
    };
    known.set(namespace, found);
    return found;
  };
}

/** The claims that the object is, or makes for its Pods. */
function claimsOf(kind: KindDefinition, object: Live<Pod>): readonly string[] {
  const { namespace, name } = object.metadata;
  if (kind.case === persistentVolumeClaim.case) return [`${namespace}/${name}`];
  if (kind.case !== statefulSet.case) return [];
  const { replicas = 1, volumeClaimTemplates, ordinals } = (object as unknown as Live<StatefulSet>).spec; // by its kind
  const first = ordinals?.start ?? 0;
  return volumeClaimTemplates.flatMap(({ metadata }) =>
    Array.from({ length: replicas }, (_, at) => `${namespace}/${metadata?.name ?? ''}-${name}-${first + at}`),
  );
}

/** As clients see it: what is missing is empty. */
function live<T>(cached: CachedObject): Live<T> {
  return liveObject<T & object>(Resource.decode(cached.wire));
}

/** What must hold of every step of a StatefulSet, said without the code that decides it. */
import { controllerOf, controllerRevision as revisionKind, persistentVolumeClaim as claimKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { readySinceMs } from '../pod-state.ts';
import { imageOf, ordinal, type StatefulSetWorld } from './world.fixture.ts';

/** What is wrong with the next step of the world's set; empty when nothing. */
export function wrongInStep(world: StatefulSetWorld): readonly string[] {
  const { writes } = world.plan();
  const pods = writes.flatMap((write) => {
    // The kind says what it is.
    return write.type === 'create' && write.kind.case === 'pod' ? [write.object as Pod] : [];
  });
  const made = pods.map(({ metadata }) => metadata?.name ?? '');
  const removed = writes.flatMap((write) => {
    return write.type === 'delete' && write.kind.case === 'pod' ? [write.key.name] : [];
  });
  return [
    ...made.flatMap((name) => wrongInMaking(world, name)),
    ...pods.flatMap((pod) => wrongRevision(world, pod)),
    ...wrongInRemoving(world, removed),
    ...(isOrdered(world) && made.length + removed.length > 1 && removed.length < 2 ? ['several at once'] : []),
  ];
}

/** What is wrong with the world as it is. */
export function wrongInWorld(world: StatefulSetWorld): readonly string[] {
  const names = [...world.running.values()].map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const orphans = world.pods.filter((pod) => controllerOf(pod)?.uid !== world.set.metadata.uid);
  return [
    ...twice.map((name) => `${name} runs twice`),
    ...orphans.map(({ metadata }) => `${metadata.name} is nobody's`),
  ];
}

/** What is wrong with a set that is at rest. */
export function wrongAtRest(world: StatefulSetWorld): readonly string[] {
  const { set, pods, objects } = world;
  const { start, end, partition } = numbers(world);
  const wanted = Array.from({ length: end - start }, (_, index) => start + index);
  const wrong: string[] = [];
  const expectEqual = (what: string, is: unknown, should: unknown) => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      wrong.push(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  };
  expectEqual('writes at rest', world.plan().writes, []);
  expectEqual('Pods', pods.map(ordinal), wanted);
  const image = set.spec.template?.spec?.containers[0]?.image;
  if (set.spec.updateStrategy?.type === 'RollingUpdate') {
    const old = pods.filter((pod) => ordinal(pod) >= partition && imageOf(pod) !== image);
    expectEqual('Pods of an old template', old.map(ordinal), []);
  }
  const { status } = set;
  expectEqual('ready', [status.replicas, status.readyReplicas], [wanted.length, wanted.length]);
  const revisions = objects.all(revisionKind).map(({ metadata }) => metadata.name);
  const inUse = new Set([status.currentRevision, status.updateRevision, ...pods.map(revisionLabel)]);
  const spare = revisions.filter((name) => !inUse.has(name)).length;
  if (spare > (set.spec.revisionHistoryLimit ?? 10)) wrong.push(`${spare} revisions that nobody uses`);
  const claims = objects.all(claimKind).map(({ metadata }) => metadata.name);
  const missing = pods.filter((pod) => !claims.includes(`data-${pod.metadata.name}`));
  expectEqual('Pods without a claim', missing.map(ordinal), []);
  return wrong;
}

function wrongInMaking(world: StatefulSetWorld, name: string): readonly string[] {
  const { start } = numbers(world);
  const below = Array.from({ length: ordinal({ metadata: { name } }) - start }, (_, index) => start + index);
  const claim = world.objects.get(claimKind, `data-${name}`);
  const missing = isOrdered(world) ? below.filter((number) => !serves(world, `db-${number}`)) : [];
  return [
    ...(world.pods.some(({ metadata }) => metadata.name === name) ? [`${name} is made while it is there`] : []),
    ...([...world.running.values()].some((one) => one.name === name) ? [`${name} is made while one of it runs`] : []),
    ...(claim === undefined ? [`${name} is made before its claim`] : []),
    ...(claim?.metadata.ownerReferences.some(({ kind }) => kind === 'Pod') ? [`${name} takes a claim that goes`] : []),
    ...missing.map((number) => `${name} is made before db-${number} serves`),
  ];
}

function wrongRevision(world: StatefulSetWorld, pod: Pod): readonly string[] {
  const { set } = world;
  const { partition } = numbers(world);
  const name = pod.metadata?.name ?? '';
  const rolls = set.spec.updateStrategy?.type === 'RollingUpdate';
  const below = rolls && ordinal({ metadata: { name } }) < partition;
  const revision = pod.metadata?.labels['controller-revision-hash'] ?? '';
  const recorded = world.objects.get(revisionKind, revision);
  const image = pod.spec?.containers[0]?.image ?? '';
  const wrong = [];
  if (below && revision !== set.status.currentRevision) wrong.push(`${name}, below the partition, is made anew`);
  if (!below && image !== set.spec.template?.spec?.containers[0]?.image) wrong.push(`${name} is made as it was`);
  if (!JSON.stringify(recorded?.data).includes(`"${image}"`)) wrong.push(`${name} isn't what its revision says`);
  return wrong;
}

function wrongInRemoving(world: StatefulSetWorld, removed: readonly string[]): readonly string[] {
  const { start, end, partition } = numbers(world);
  const inRange = world.pods.filter((pod) => ordinal(pod) >= start && ordinal(pod) < end);
  const serving = inRange.filter(({ metadata }) => serves(world, metadata.name)).length;
  const taken = removed.filter((name) => isWanted(world, name) && serves(world, name));
  const wrong: string[] = [];
  if (taken.length > 0 && end - start - serving + taken.length > mostMissing(world)) {
    wrong.push(`${taken.join(', ')} of ${serving} that serve are removed`);
  }
  for (const name of removed) {
    const pod = world.pods.find(({ metadata }) => metadata.name === name);
    if (pod === undefined) wrong.push(`${name} is removed that isn't there`);
    else if (!isWanted(world, name)) wrong.push(...wrongInScalingDown(world, pod, serving === end - start));
    else if (pod.status.phase !== 'Failed' && isOfTemplate(world, pod)) wrong.push(`${name} is removed for nothing`);
    else if (serves(world, name) && ordinal(pod) < partition) wrong.push(`${name} is removed below the partition`);
  }
  return wrong;
}

function wrongInScalingDown(world: StatefulSetWorld, pod: Live<Pod>, allServe: boolean): readonly string[] {
  if (!isOrdered(world)) return [];
  const { name } = pod.metadata;
  const higher = world.pods.filter((one) => !isWanted(world, one.metadata.name) && ordinal(one) > ordinal(pod));
  return [
    ...higher.map((one) => `${name} is removed before ${one.metadata.name}`),
    ...(allServe ? [] : [`${name} is removed while one that stays doesn't serve`]),
  ];
}

function numbers({ set }: StatefulSetWorld) {
  const start = set.spec.ordinals?.start ?? 0;
  const partition = start + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
  return { start, end: start + (set.spec.replicas ?? 1), partition };
}

function isWanted(world: StatefulSetWorld, name: string): boolean {
  const { start, end } = numbers(world);
  const number = ordinal({ metadata: { name } });
  return number >= start && number < end;
}

function isOrdered({ set }: StatefulSetWorld): boolean {
  return set.spec.podManagementPolicy === 'OrderedReady';
}

function mostMissing({ set }: StatefulSetWorld): number {
  const most: unknown = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable;
  return typeof most === 'number' ? most : 1;
}

function serves({ pods, set, now }: StatefulSetWorld, name: string): boolean {
  const pod = pods.find(({ metadata }) => metadata.name === name);
  const since = pod === undefined ? undefined : readySinceMs(pod);
  return (
    pod?.status.phase === 'Running' &&
    pod.metadata.deletionTimestamp === '' &&
    since !== undefined &&
    since + set.spec.minReadySeconds * 1000 <= now
  );
}

function isOfTemplate({ set }: StatefulSetWorld, pod: Live<Pod>): boolean {
  return imageOf(pod) === set.spec.template?.spec?.containers[0]?.image;
}

function revisionLabel({ metadata }: Live<Pod>): string {
  return metadata.labels['controller-revision-hash'] ?? '';
}

/** What a Deployment promises, as a list of what is not so. */
import { controllerOf, configMap as configMapKind, releaseRecords } from '@navarch/kinds';
import { isActive } from '../pod-state.ts';
import { imageOf, isUp, type Releases } from './releases.fixture.ts';
import { availableOf, sumOfReplicas } from './replica-sets.ts';
import { wasScaled } from './scaling.ts';
import { isRecreate, replicasOf, rollingLimits } from './strategy.ts';

/** One look of the controller, which must leave the world no worse than the strategy allows. */
export function brokenByRolling(world: Releases): readonly string[] {
  const { deployment } = world;
  const desired = replicasOf(deployment.spec);
  const { maxSurge, maxUnavailable } = rollingLimits(deployment.spec);
  const before = { total: sumOfReplicas(world.sets), available: sumOfAvailable(world) };
  const sets = { all: world.sets } as Parameters<typeof wasScaled>[1]; // nothing else is looked at
  // As in Kubernetes, what a person scales is scaled at once, in proportion and whatever serves.
  const scaled = wasScaled(deployment, sets) || deployment.spec.paused;
  world.roll();
  const total = sumOfReplicas(world.sets);
  const wrongs: string[] = [];
  if (total > before.total && total > desired + maxSurge) wrongs.push(`${total} Pods, ${desired}+${maxSurge} allowed`);
  if (scaled || isRecreate(deployment.spec) || before.total > desired + maxSurge) return wrongs;
  const available = sumOfAvailable(world);
  if (available < Math.min(before.available, desired - maxUnavailable))
    wrongs.push(`${available} available instead of ${before.available}, ${desired}-${maxUnavailable} needed`);
  return wrongs;
}

/** What is there without its owner, and Pods without the settings that they name. */
export function orphans({ deployment, sets, pods, objects }: Releases): readonly string[] {
  const uids = new Set(sets.map(({ metadata }) => metadata.uid));
  const strange = sets.filter((set) => controllerOf(set)?.uid !== deployment.metadata.uid);
  // A Pod whose ReplicaSet was forgotten is the garbage collector's, and on its way out.
  const lost = pods.filter((pod) => isActive(pod) && !uids.has(controllerOf(pod)?.uid ?? ''));
  const bare = pods.filter((pod) => objects.get(configMapKind, settingsOf(pod)) === undefined);
  return [...strange, ...lost, ...bare].map(({ metadata }) => metadata.name);
}

/** What is not as it should be once nothing happens any more and all Pods but bad ones have come up. */
export function unfinished(world: Releases, configRollout: boolean): readonly string[] {
  const { deployment, sets, objects } = world;
  const desired = replicasOf(deployment.spec);
  const pods = world.pods.filter(isActive);
  const wrongs: string[] = [];
  const should = (what: string, holds: boolean) => holds || wrongs.push(what);
  should(`${sets.length} ReplicaSets`, sets.length <= 3);
  should(`${sumOfReplicas(sets)} Pods wanted`, sumOfReplicas(sets) === desired);
  should(`${pods.filter(isUp).length} Pods up`, pods.filter(isUp).length === desired && pods.length === desired);
  const image = deployment.spec.template?.spec?.containers[0]?.image;
  should(
    `Pods that are not of ${image}`,
    pods.every((pod) => imageOf(pod) === image),
  );
  const isPinned = deployment.metadata.annotations[releaseRecords.configPinned] !== undefined;
  const data = JSON.stringify(objects.get(configMapKind, 'app')?.data);
  const isNewest = (name: string) => JSON.stringify(objects.get(configMapKind, name)?.data) === data;
  should('old settings', !configRollout || isPinned || pods.every((pod) => isNewest(settingsOf(pod))));
  return wrongs;
}

/** Whether a Pod can't work: its image is bad, or the settings of its release are red. */
export function isBad({ objects }: Releases, pod: Releases['pods'][number]): boolean {
  const settings = objects.get(configMapKind, settingsOf(pod));
  return imageOf(pod).includes('bad') || (settings?.immutable === true && settings.data['color'] === 'red');
}

/** Whether what is wanted can't work, and nothing better is known. */
export function isHopeless(world: Releases, autoRollback: boolean): boolean {
  const { status } = world.deployment;
  const isAlternative = world.sets.some(({ metadata }) => metadata.name === status.release?.lastGood);
  return world.pods.some((pod) => isActive(pod) && isBad(world, pod)) && !(autoRollback && isAlternative);
}

/** All that is written in the days to come. */
export function writesLater(world: Releases): readonly unknown[] {
  return [0, 1000, 60_000, 86_400_000].flatMap((laterMs) => {
    world.now += laterMs;
    return [...world.roll(), ...world.replicate()];
  });
}

function settingsOf(pod: Releases['pods'][number]): string {
  return pod.spec.containers[0]?.envFrom[0]?.configMapRef?.name ?? '';
}

function sumOfAvailable({ sets }: Releases): number {
  return sets.reduce((sum, set) => sum + availableOf(set), 0);
}

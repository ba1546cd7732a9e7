import { createHash } from 'node:crypto';
import { nodeTaints } from '@navarch/kinds';
import { ApiError, keyOf, type Live } from '@navarch/machinery';
import { PlannedPod, type PlanResponse, type PlanTask, type Pod, PodFate } from '@navarch/proto';
import type { Budget } from '../preemption.ts';
import { toPodInfo } from '../pod-info.ts';
import type { Picture } from '../why/picture.ts';
import { comingOf } from './coming.ts';
import { isDaemon, isPlaced, isWaiting, ownerOf, replacement } from './owners.ts';
import { type Coming, type Outcome, Simulation } from './simulation.ts';

/** Where a node is, as people group nodes. */
const zoneLabel = 'topology.kubernetes.io/zone';

/** What a plan is made on: the picture is used up, `pods` are all Pods by key, in the order in which they came. */
export interface Scene {
  readonly picture: Picture;
  readonly pods: ReadonlyMap<string, Live<Pod>>;
}

type Answer = Omit<PlanResponse, 'revision'>;

/** What would become of Pods, in full but for the revision. Yields between decisions. */
export function* plan({ change, question }: PlanTask, scene: Scene): Generator<void, Answer, void> {
  const { outcomes, warnings, refusals } = yield* outcomesOf(change, scene);
  const pods = outcomes.map((each) => PlannedPod.fromPartial(each)).sort(byOwnerAndName);
  return { hash: hashOf(question, { pods, warnings, refusals }), pods, warnings, refusals };
}

interface Result {
  readonly outcomes: readonly Outcome[];
  readonly warnings: string[];
  readonly refusals: string[];
}

function outcomesOf(change: PlanTask['change'], scene: Scene): Generator<void, Result, void> {
  switch (change?.$case) {
    case 'objects':
      return applied(change.value, scene);
    case 'drain':
      return drained(change.value, scene);
    case 'lose':
      return lost(change.value, scene);
    case undefined:
      throw new ApiError('BadRequest', 'the plan must say what changes');
    default:
      return change satisfies never;
  }
}

function* applied(
  objects: Extract<PlanTask['change'], { $case: 'objects' }>['value'],
  scene: Scene,
): Generator<void, Result, void> {
  const { picture, pods } = scene;
  const simulation = simulate(scene, objects.claims);
  const outcomes: Outcome[] = [];
  const leaving = new Set(objects.workloads.flatMap(({ replaced, removed }) => [...replaced, ...removed]));
  for (const key of leaving) simulation.leave(key);
  for (const { removed } of objects.workloads) {
    for (const key of removed) outcomes.push(...gone(pods.get(key), 'is not wanted any more'));
  }
  const new_ = objects.workloads.flatMap((workload) => comingOf(workload, picture, pods));
  const kept = new Set(objects.workloads.flatMap((workload) => workload.kept));
  const waiting = [...pods].flatMap(([key, pod]): Coming[] => {
    if (leaving.has(key) || !isWaiting(pod)) return [];
    const reason = 'waits already';
    const coming = { info: toPodInfo(pod), name: pod.metadata.name, owner: ownerOf(pod), from: '', reason };
    return [{ ...coming, fate: PodFate.PLACED, waitedBefore: !kept.has(key) }];
  });
  yield* simulation.place([...waiting, ...new_]);
  return { outcomes: [...outcomes, ...simulation.outcomes], warnings: [], refusals: objects.refusals };
}

function* drained(nodeName: string, scene: Scene): Generator<void, Result, void> {
  const { picture, pods } = scene;
  const facts = picture.snapshot.factsOf(nodeName);
  if (facts === undefined) throw new ApiError('NotFound', `there is no node "${nodeName}"`);
  const cordon = { key: nodeTaints.unschedulable, value: '', effect: 'NoSchedule', timeAdded: '' };
  picture.snapshot.putNode({ ...facts, unschedulable: true, taints: [...facts.taints, cordon] });
  const simulation = simulate(scene);
  const outcomes: Outcome[] = [];
  const warnings = new Set<string>();
  const left = new Map(picture.budgets.map(({ key, allowed }) => [key, allowed]));
  const guests = [...pods.values()].filter((pod) => pod.spec.nodeName === nodeName && isPlaced(pod) && !isDaemon(pod));
  for (const pod of guests.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))) {
    const budgets = budgetsOf(pod, picture.budgets);
    const [blocked] = budgets.length > 1 ? budgets : budgets.filter(({ key }) => (left.get(key) ?? 0) <= 0);
    if (blocked !== undefined) {
      const why = budgets.length > 1 ? 'it stands under more than one budget' : `the budget ${blocked.key} allows none`;
      outcomes.push({ ...told(pod), fate: PodFate.BLOCKED, to: nodeName, reason: why });
      warnings.add(`the drain would wait for ${keyOf(pod)}: ${why}`);
      continue;
    }
    simulation.leave(keyOf(pod));
    if (pod.spec.volumes.some(({ emptyDir }) => emptyDir !== undefined)) {
      warnings.add(`${keyOf(pod)} loses its emptyDir volumes: navctl drain needs --delete-emptydir-data`);
    }
    const again = replacement(pod);
    if (again === undefined) {
      warnings.add(`nobody makes ${keyOf(pod)} again: navctl drain needs --force`);
      outcomes.push(...gone(pod, 'is evicted, and nobody makes it again'));
      continue;
    }
    const found = yield* simulation.place([{ ...again, fate: PodFate.MOVED, reason: 'is evicted' }]);
    // One that runs again gives the budget back what its eviction took.
    if (!found) for (const { key } of budgets) left.set(key, (left.get(key) ?? 0) - 1);
  }
  if ([...pods.values()].some((pod) => pod.spec.nodeName === nodeName && isPlaced(pod) && isDaemon(pod))) {
    warnings.add('Pods of DaemonSets stay: navctl drain needs --ignore-daemonsets');
  }
  return { outcomes: [...outcomes, ...simulation.outcomes], warnings: [...warnings], refusals: [] };
}

function* lost(what: string, scene: Scene): Generator<void, Result, void> {
  const { picture, pods } = scene;
  const { nodes } = picture.snapshot;
  const named = nodes.filter(({ name }) => name === what);
  const chosen = named.length > 0 ? named : nodes.filter(({ labels }) => labels[zoneLabel] === what);
  const names = new Set(chosen.map(({ name }) => name));
  if (names.size === 0) throw new ApiError('NotFound', `there is no node "${what}", and no node in a zone "${what}"`);
  const simulation = simulate(scene);
  const outcomes: Outcome[] = [];
  const warnings: string[] = [];
  const coming: Coming[] = [];
  for (const [key, pod] of pods) {
    if (!names.has(pod.spec.nodeName) || !isPlaced(pod)) continue;
    simulation.leave(key);
    const again = pod.metadata.deletionTimestamp === '' ? replacement(pod) : undefined;
    if (again !== undefined) coming.push({ ...again, fate: PodFate.MOVED, reason: 'its node is gone' });
    else
      outcomes.push(...gone(pod, isDaemon(pod) ? 'goes with its node' : 'its node is gone, and nobody makes it again'));
    if (again === undefined && !isDaemon(pod)) warnings.push(`nobody makes ${key} again`);
  }
  for (const name of names) picture.snapshot.removeNode(name);
  yield* simulation.place(coming);
  return { outcomes: [...outcomes, ...simulation.outcomes], warnings, refusals: [] };
}

function simulate({ picture, pods }: Scene, claims: readonly string[] = []): Simulation {
  const comeback = (key: string) => {
    const pod = pods.get(key);
    return pod && replacement(pod);
  };
  return new Simulation(picture, comeback, claims);
}

/** The budgets that have a say: none where the Pod serves nobody yet. */
function budgetsOf(pod: Live<Pod>, budgets: readonly Budget[]): readonly Budget[] {
  if (pod.status.phase === 'Pending' || pod.status.phase === '') return [];
  const { podClass } = toPodInfo(pod);
  return budgets.filter(({ chooses }) => chooses(podClass));
}

function gone(pod: Live<Pod> | undefined, reason: string): readonly Outcome[] {
  return pod === undefined ? [] : [{ ...told(pod), fate: PodFate.REMOVED, to: '', reason }];
}

function told(pod: Live<Pod>): Pick<Outcome, 'namespace' | 'name' | 'owner' | 'from'> {
  const { namespace, name } = pod.metadata;
  return { namespace, name, owner: ownerOf(pod), from: pod.spec.nodeName };
}

function byOwnerAndName(one: PlannedPod, other: PlannedPod): number {
  const key = ({ namespace, owner, name }: PlannedPod) => `${namespace}/${owner}/${name}`;
  return key(one).localeCompare(key(other), 'en', { numeric: true });
}

/**
 * What was asked and what the answer is, each told apart: reasons are left out, for their amounts change all the time while the
 * Pods go where they went.
 */
function hashOf(
  question: string,
  { pods, warnings, refusals }: Pick<Answer, 'pods' | 'warnings' | 'refusals'>,
): string {
  const answer = pods.map(({ owner, namespace, name, fate, from, to }) => [namespace, owner, name, fate, from, to]);
  const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
  return `${digest(question).slice(0, 12)}-${digest([answer, warnings, refusals]).slice(0, 20)}`;
}

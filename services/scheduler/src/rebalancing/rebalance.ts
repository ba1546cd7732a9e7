import { controllerOf, podGroupLabel, type RecordedMove } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { NodeInfo } from '../node-info.ts';
import { isDaemon, isPlaced, isWaiting } from '../planning/owners.ts';
import { type PodInfo, toPodInfo } from '../pod-info.ts';
import { schedule } from '../schedule.ts';
import { obstacleMessage } from '../why/obstacle-text.ts';
import { type Obstacle, obstaclesOf } from '../why/obstacles.ts';
import type { Picture } from '../why/picture.ts';
import { isBarred, isUnderWay } from './moves.ts';
import type { Goal, RebalancingPolicy } from './policy.ts';

/** A Pod that leaves its node for another. */
export interface Move {
  readonly pod: Live<Pod>;
  readonly from: string;
  readonly to: string;
  readonly goal: Goal;
  /** Why, in a sentence without its end. */
  readonly reason: string;
}

/** `scheduling.navarch.io/rebalance: never` keeps a Pod where it is. Kubernetes has no such annotation. */
export const rebalanceAnnotation = 'scheduling.navarch.io/rebalance';

const seed = 0;
/** What a Pod requires of its node beyond room: where it has changed since, the Pod is in the wrong place. */
const wrongs: ReadonlySet<Obstacle['type']> = new Set([
  'taint',
  'label',
  'node-affinity',
  'spread',
  'far',
  'repelled',
  'near',
]);

/**
 * The moves of one round. Of each the scheduler itself has said that the Pod, placed anew, goes there, with the moves before it
 * done; and the gain is measured after the move. None while Pods wait for a node: room is theirs first; none while an earlier move is
 * being undone, and none that `earlier` says was undone. `now` is milliseconds since the epoch; the picture's snapshot is used up.
 * Yields between decisions.
 */
export function* rebalance(
  pods: ReadonlyMap<string, Live<Pod>>,
  picture: Picture,
  policy: RebalancingPolicy,
  now: number,
  earlier: readonly RecordedMove[],
): Generator<void, readonly Move[], void> {
  if (earlier.some(isUnderWay) || [...pods.values()].some(isWaiting)) return [];
  const round = new Round(pods, picture, policy, now, (move) => isBarred(earlier, move, now));
  for (const goal of policy.goals) yield* round.pursue(goal);
  return round.moves;
}

interface Trial {
  readonly info: PodInfo;
  readonly from: NodeInfo;
  readonly to: NodeInfo;
}

/** Why the move is worth it, measured with the Pod on its new node; undefined where it is not. */
type Gain = (trial: Trial, before: Before) => string | undefined;

/** How it was with the Pod on its old node. */
interface Before {
  readonly fuller: number;
  readonly wrong: string | undefined;
  readonly alike: number;
}

class Round {
  readonly moves: Move[] = [];
  readonly #pods: ReadonlyMap<string, Live<Pod>>;
  readonly #picture: Picture;
  readonly #policy: RebalancingPolicy;
  readonly #movable: readonly Live<Pod>[];
  readonly #isBarred: (move: Move) => boolean;
  /** How many more Pods each budget lets go. */
  readonly #allowed: Map<string, number>;
  readonly #gains: Readonly<Record<Goal, Gain>>;

  constructor(
    pods: ReadonlyMap<string, Live<Pod>>,
    picture: Picture,
    policy: RebalancingPolicy,
    now: number,
    isBarred: (move: Move) => boolean,
  ) {
    this.#pods = pods;
    this.#isBarred = isBarred;
    this.#picture = picture;
    this.#policy = policy;
    this.#movable = [...pods.values()].filter((pod) => isMovable(pod, now - policy.settleMs));
    this.#allowed = new Map(picture.budgets.map(({ key, allowed }) => [key, allowed]));
    this.#gains = {
      violations: ({ from }, { wrong }) => wrong && `on ${from.name} it breaks a rule of its own: ${wrong}`,
      duplicates: ({ info, from, to }, { alike }) => {
        const there = this.#alikeOn(to, info.pod);
        return alike > there
          ? `${alike} of its owner's Pods are on ${from.name}, with it ${there} on ${to.name}`
          : undefined;
      },
      spread: ({ from, to }, { fuller }) => {
        const after = Math.max(utilization(from), utilization(to));
        if (fuller - after < policy.minimumGain) return undefined;
        return `the fuller of ${from.name} and ${to.name} goes from ${percent(fuller)} to ${percent(after)}`;
      },
      pack: ({ from, to }) =>
        utilization(to) > utilization(from) ? `it is one of the last on ${from.name}, the emptiest node` : undefined,
    };
  }

  *pursue(goal: Goal): Generator<void, void, void> {
    if (goal === 'pack') {
      yield* this.#pack();
      return;
    }
    const fullness = ({ spec }: Live<Pod>) => utilization(this.#node(spec.nodeName));
    const inOrder = goal === 'spread' ? this.#movable.toSorted((a, b) => fullness(b) - fullness(a)) : this.#movable;
    for (const pod of inOrder) {
      if (this.moves.length >= this.#policy.maxMoves) return;
      if (!this.#hasMoved(pod)) this.#try(pod, goal);
      yield;
    }
  }

  /** Empties the emptiest node, whole or not at all. */
  *#pack(): Generator<void, void, void> {
    const guests = Map.groupBy(
      [...this.#pods.values()].filter((pod) => isPlaced(pod) && !isDaemon(pod) && this.#node(pod.spec.nodeName)),
      ({ spec }) => spec.nodeName,
    );
    const fullness = ([name]: [string, unknown]) => utilization(this.#node(name));
    const [emptiest] = [...guests].toSorted((one, other) => fullness(one) - fullness(other));
    const own = emptiest?.[1] ?? [];
    const before = this.moves.length;
    if (guests.size < 2 || before + own.length > this.#policy.maxMoves) return;
    if (!own.every((pod) => this.#movable.includes(pod) && !this.#hasMoved(pod))) return;
    for (const pod of own) {
      const moved = this.#try(pod, 'pack');
      yield;
      if (moved) continue;
      this.#takeBack(this.moves.splice(before));
      return;
    }
  }

  /** Moves the Pod where the scheduler would put it now, if that is worth it. Else all is as it was. */
  #try(pod: Live<Pod>, goal: Goal): boolean {
    const key = keyOf(pod);
    const { snapshot, profiles } = this.#picture;
    const from = this.#node(pod.spec.nodeName);
    const footprint = from?.pods.get(key);
    const info = this.#picture.withClaims(toPodInfo({ ...pod, spec: { ...pod.spec, nodeName: '' } }));
    const profile = profiles.get(info.schedulerName);
    if (from === undefined || footprint === undefined || profile === undefined || this.#isHeld(info)) return false;
    const full = utilization(from);
    const alike = this.#alikeOn(from, pod);
    snapshot.take(key);
    const wrong = goal === 'violations' ? this.#wrongAt(info, from) : undefined;
    const decision = schedule(info, snapshot, profile, seed);
    const to = decision.type === 'place' ? this.#node(decision.nodeName) : undefined;
    const fuller = Math.max(full, utilization(to));
    snapshot.place(key, to?.name ?? from.name, footprint);
    const reason =
      to === undefined || to === from ? undefined : this.#gains[goal]({ info, from, to }, { fuller, wrong, alike });
    const move = to && reason !== undefined ? { pod, from: from.name, to: to.name, goal, reason } : undefined;
    if (move === undefined || this.#isBarred(move)) {
      snapshot.place(key, from.name, footprint);
      return false;
    }
    this.moves.push(move);
    this.#spend(info, -1);
    return true;
  }

  #takeBack(moves: readonly Move[]): void {
    for (const { pod, from, to } of moves) {
      const footprint = this.#node(to)?.pods.get(keyOf(pod));
      if (footprint !== undefined) this.#picture.snapshot.place(keyOf(pod), from, footprint);
      this.#spend(toPodInfo(pod), 1);
    }
  }

  #spend({ podClass }: PodInfo, by: number): void {
    for (const { key, chooses } of this.#picture.budgets) {
      if (chooses(podClass)) this.#allowed.set(key, (this.#allowed.get(key) ?? 0) + by);
    }
  }

  /** Whether a budget keeps it. */
  #isHeld({ podClass }: PodInfo): boolean {
    return this.#picture.budgets.some(({ key, chooses }) => chooses(podClass) && (this.#allowed.get(key) ?? 0) <= 0);
  }

  /** Of one owner one Pod moves in a round. */
  #hasMoved(pod: Live<Pod>): boolean {
    const uid = controllerOf(pod)?.uid;
    return this.moves.some((move) => controllerOf(move.pod)?.uid === uid);
  }

  #wrongAt(info: PodInfo, { name }: NodeInfo): string | undefined {
    const found = obstaclesOf(info, this.#picture.snapshot)(this.#picture.snapshot.find(name));
    const wrong = found.find(({ type }) => wrongs.has(type));
    return wrong && obstacleMessage(wrong).text;
  }

  #alikeOn({ pods }: NodeInfo, pod: Live<Pod>): number {
    const uid = controllerOf(pod)?.uid;
    let count = 0;
    for (const key of pods.keys()) {
      const other = this.#pods.get(key);
      if (other !== undefined && controllerOf(other)?.uid === uid) count++;
    }
    return count;
  }

  #node(name: string): NodeInfo | undefined {
    const { snapshot } = this.#picture;
    return snapshot.nodes[snapshot.find(name)];
  }
}

/** Whether the Pod has an owner that makes another who need not begin work anew, serves, and has been where it is for long enough. */
function isMovable(pod: Live<Pod>, since: number): boolean {
  const { metadata, status } = pod;
  const isReady = status.conditions.some((each) => each.type === 'Ready' && each.status === 'True');
  return (
    isPlaced(pod) &&
    isReady &&
    metadata.deletionTimestamp === '' &&
    !['Job', undefined].includes(controllerOf(pod)?.kind) &&
    !isDaemon(pod) &&
    metadata.annotations[rebalanceAnnotation] !== 'never' &&
    // A group is placed together: one of it alone would stand apart.
    metadata.labels[podGroupLabel] === undefined &&
    Date.parse(metadata.creationTimestamp) <= since
  );
}

/** How much of the resource that is shortest is taken: cpu or memory. */
function utilization(node: NodeInfo | undefined): number {
  if (node === undefined) return 0;
  return Math.max(
    ...['cpu', 'memory'].map((resource) => {
      const total = node.allocatable[resource] ?? 0;
      return total === 0 ? 0 : (node.requested[resource] ?? 0) / total;
    }),
  );
}

function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}

import { PodFate } from '@navarch/proto';
import { ApiError } from '@navarch/machinery';
import { missing } from '../claims.ts';
import { nominee, nomination } from '../cluster-state.ts';
import type { PodInfo } from '../pod-info.ts';
import { preemption } from '../preemption.ts';
import { schedule } from '../schedule.ts';
import type { Picture } from '../why/picture.ts';

/** A Pod that looks for a node. */
export interface Coming {
  readonly info: PodInfo;
  /** As it is told: `web #1`, or the name of the one in whose place it comes. */
  readonly name: string;
  readonly owner: string;
  /** What becomes of it where it finds a node. */
  readonly fate: PodFate;
  /** The node that it, or the one in whose place it comes, has now. */
  readonly from: string;
  readonly reason: string;
  /** Not told of where it finds no node: it waited before, and that is nothing new. */
  readonly waitedBefore?: boolean;
}

/** What became of a Pod. */
export interface Outcome extends Pick<Coming, 'name' | 'owner' | 'from' | 'reason'> {
  readonly namespace: string;
  readonly fate: PodFate;
  readonly to: string;
}

/** What a Pod that is placed now would come back as if it had to leave; undefined where nobody makes another. */
export type Comeback = (key: string) => Omit<Coming, 'fate' | 'reason'> | undefined;

/** More decisions than this are not made for one plan. */
const mostDecisions = 50_000;
/** What is equal is decided the same way each time it is asked. */
const seed = 0;

/**
 * What the scheduler would do with Pods that come, on a picture that is used up. Decides as the scheduler does: by priority and
 * then in the order of coming, with preemption, each decision counting for the next. Where victims leave, they are taken to
 * have left.
 */
export class Simulation {
  readonly outcomes: Outcome[] = [];
  readonly #picture: Picture;
  readonly #comeback: Comeback;
  readonly #madeClaims: ReadonlySet<string>;
  readonly #settled = new Map<string, string>();
  /** Those that were placed here, by key: who of them is a victim comes again. */
  readonly #placed = new Map<string, Coming>();
  #decisions = 0;

  constructor(picture: Picture, comeback: Comeback, madeClaims: Iterable<string> = []) {
    this.#picture = picture;
    this.#comeback = comeback;
    this.#madeClaims = new Set(madeClaims);
  }

  /** The Pod leaves its node. */
  leave(key: string): void {
    this.#picture.snapshot.take(key);
  }

  /** Finds nodes for them, and for those that have to make room. Yields after each decision. True when all found one. */
  *place(coming: readonly Coming[]): Generator<void, boolean, void> {
    const queue = inOrder(coming);
    let all = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (++this.#decisions > mostDecisions) {
        throw new ApiError('TooManyRequests', `the plan takes more than ${mostDecisions} decisions; plan less at once`);
      }
      const displaced = this.#decide(next);
      if (displaced === undefined) all = false;
      else if (displaced.length > 0) queue.splice(0, queue.length, ...inOrder([...queue, ...displaced]));
      yield;
    }
    return all;
  }

  /** Those who make room for it, where it finds a node. */
  #decide(coming: Coming): readonly Coming[] | undefined {
    const { snapshot, profiles, budgets } = this.#picture;
    const info = this.#withClaims(coming.info);
    snapshot.take(nomination(info.key));
    const profile = profiles.get(info.schedulerName);
    if (profile === undefined) {
      this.#tell(coming, PodFate.PENDING, '', `no scheduler is called ${info.schedulerName}`);
      return undefined;
    }
    const first = schedule(info, snapshot, profile, seed);
    if (first.type === 'place') {
      this.#settle(coming, info, first.nodeName);
      return [];
    }
    const room = info.pod.spec.preemptionPolicy === 'Never' ? undefined : preemption(info, snapshot, budgets, seed);
    const displaced = (room?.victims ?? []).flatMap((key) => this.#displace(key, coming));
    const second = room === undefined ? first : schedule(info, snapshot, profile, seed);
    if (second.type === 'place') {
      this.#settle(coming, info, second.nodeName);
      return displaced;
    }
    this.#tell(coming, PodFate.PENDING, '', first.message);
    return undefined;
  }

  /** A victim leaves, and comes again where somebody makes it anew. */
  #displace(key: string, { name }: Coming): readonly Coming[] {
    const { snapshot } = this.#picture;
    const reason = `makes room for ${name}`;
    const again = this.#placed.get(key) ?? this.#comeback(key);
    const before = this.outcomes.findIndex((each) => `${each.namespace}/${each.name}` === key);
    snapshot.take(key);
    if (this.#placed.delete(key) && before >= 0) this.outcomes.splice(before, 1);
    if (again !== undefined) return [{ ...again, fate: PodFate.PREEMPTED, reason }];
    const waiting = nominee(key);
    if (waiting !== undefined) return [];
    const [namespace = '', podName = ''] = key.split('/');
    this.outcomes.push({ namespace, name: podName, owner: '', fate: PodFate.REMOVED, from: '', to: '', reason });
    return [];
  }

  #settle(coming: Coming, info: PodInfo, nodeName: string): void {
    const { snapshot } = this.#picture;
    for (const { key, nodeName: settled } of info.claims) if (settled === '') this.#settled.set(key, nodeName);
    snapshot.place(info.key, nodeName, info);
    snapshot.lastChosen.set(info.schedulerName, nodeName);
    this.#placed.set(info.key, coming);
    this.#tell(coming, coming.fate, nodeName, coming.reason);
  }

  #tell(coming: Coming, fate: PodFate, to: string, reason: string): void {
    if (fate === PodFate.PENDING && coming.waitedBefore === true) return;
    const { name, owner, from, info } = coming;
    this.outcomes.push({ namespace: info.podClass.namespace, name, owner, fate, from, to, reason });
  }

  #withClaims(pod: PodInfo): PodInfo {
    const info = this.#picture.withClaims(pod);
    if (info.claims.length === 0) return info;
    const claims = info.claims.map((claim) => {
      const { key, name, problem } = claim;
      if (problem === missing && this.#madeClaims.has(key))
        return { key, name, nodeName: this.#settled.get(key) ?? '' };
      return claim.nodeName === '' ? { ...claim, nodeName: this.#settled.get(key) ?? '' } : claim;
    });
    return { ...info, claims };
  }
}

/** By priority; those of one priority as they came. */
function inOrder(coming: readonly Coming[]): Coming[] {
  return coming.toSorted((one, other) => other.info.priority - one.info.priority);
}

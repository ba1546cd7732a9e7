import type { PodInfo } from '../pod-info.ts';
import type { Profile } from '../profiles.ts';
import { type Decision, schedule } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { following } from './members.ts';

/** Where a member goes. */
export interface Placement {
  readonly info: PodInfo;
  readonly nodeName: string;
  readonly score: number;
}

type Refusal = Extract<Decision, { type: 'reject' }>;

/** Places members in a snapshot in thought, one after another, and takes all of them back at the end. */
export class Trial implements Disposable {
  /** Who was placed so far. */
  readonly placements: Placement[] = [];
  /** What refused a member. */
  readonly filters = new Set<string>();
  /** The first that got no place, and why. */
  refused: { readonly member: PodInfo; readonly why: Refusal } | undefined;
  readonly #snapshot: Snapshot;
  readonly #profile: Profile;
  readonly #settled = new Map<string, string>();
  readonly #lastChosen: string | undefined;
  #seed: number;

  constructor(snapshot: Snapshot, profile: Profile, seed: number) {
    this.#snapshot = snapshot;
    this.#profile = profile;
    this.#seed = seed;
    this.#lastChosen = snapshot.lastChosen.get(profile.schedulerName);
  }

  /**
   * Places those of `members` for whom there is a place; `as` says how each is looked at. Gives back who got none. Where one
   * got none, others like it are not tried: Pods that come to a cluster seldom make room.
   */
  place(members: readonly PodInfo[], as: (member: PodInfo) => PodInfo = (member) => member): readonly PodInfo[] {
    const hopeless = new Set<string>();
    return members.filter((member) => {
      if (hopeless.has(member.shape)) return true;
      const decision = this.#try(member, as);
      if (decision.type === 'place') return false;
      // Rules about other Pods (spread above all) may let another in where this one was refused.
      if (member.spread.length === 0 && member.needsNear.length === 0 && member.claims.length === 0) {
        hopeless.add(member.shape);
      }
      return true;
    });
  }

  /** Puts a member where it was decided to go. */
  put(member: PodInfo, nodeName: string, score: number): void {
    this.#snapshot.place(member.key, nodeName, member);
    this.#snapshot.lastChosen.set(this.#profile.schedulerName, nodeName);
    for (const { key } of member.claims) if (!this.#settled.has(key)) this.#settled.set(key, nodeName);
    this.placements.push({ info: member, nodeName, score });
  }

  #try(member: PodInfo, as: (member: PodInfo) => PodInfo): Decision {
    const decision = schedule(as(following(member, this.#settled)), this.#snapshot, this.#profile, this.#seed++);
    if (decision.type === 'place') this.put(member, decision.nodeName, decision.score);
    else {
      this.refused ??= { member, why: decision };
      for (const filter of decision.filters) this.filters.add(filter);
    }
    return decision;
  }

  [Symbol.dispose](): void {
    for (const { info } of this.placements) this.#snapshot.take(info.key);
    const { schedulerName } = this.#profile;
    if (this.#lastChosen === undefined) this.#snapshot.lastChosen.delete(schedulerName);
    else this.#snapshot.lastChosen.set(schedulerName, this.#lastChosen);
  }
}

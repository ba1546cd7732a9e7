import { Tally } from '../explain.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Profile } from '../profiles.ts';
import { rejections } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { bestOf, byFit, type Domain, domainsOf } from './domains.ts';
import { alike, largestFirst, within } from './members.ts';
import { type Placement, Trial } from './trial.ts';

/** What a group asks for. */
export interface Gang {
  /** The members without a node. */
  readonly members: readonly PodInfo[];
  /** So many of them must get one, or none does. At least 1. */
  readonly need: number;
  readonly topology?: GangTopology | undefined;
}

export interface GangTopology {
  readonly key: string;
  readonly required: boolean;
  /** Values of the label where members are already, the one with most members first. */
  readonly taken: readonly string[];
}

export type GangDecision =
  | { readonly type: 'place'; readonly placements: readonly Placement[] }
  | {
      readonly type: 'reject';
      /** Why, in sentences: how many fit, where, and what the nodes there lack. */
      readonly message: string;
      /** What refused a member somewhere: what lifts that may help. */
      readonly filters: ReadonlySet<string>;
    };

/** More domains than this are not named to people. */
const mostNamed = 5;

/**
 * Where the members of a group should run: places for `need` of them at least, and for as many more as fit, or for none.
 * Members are placed one after another, the large ones first, each by the profile's choice. Where that does not work out and
 * members differ, it is tried again filling nodes up. For members that are alike and have no rules about one another the answer
 * is exact; where they differ a way may be missed (bin packing), but none is ever made up. Leaves the snapshot as it was; the same
 * arguments always give the same decision.
 */
export function scheduleGang(gang: Gang, snapshot: Snapshot, profile: Profile, seed: number): GangDecision {
  const sorted = { ...gang, members: largestFirst(gang.members) };
  const decision = decide(sorted, snapshot, profile, seed);
  if (decision.type === 'place' || profile.strategy === 'least-remaining' || alike(gang.members).length === 1) {
    return decision;
  }
  const packed = decide(sorted, snapshot, { ...profile, strategy: 'least-remaining' }, seed);
  return packed.type === 'place' ? packed : decision;
}

function decide(gang: Gang, snapshot: Snapshot, profile: Profile, seed: number): GangDecision {
  const { topology } = gang;
  if (topology === undefined) return anywhere(gang, snapshot, profile, seed);
  return topology.required
    ? inOne(gang, topology, snapshot, profile, seed)
    : inFew(gang, topology, snapshot, profile, seed);
}

function anywhere({ members, need }: Gang, snapshot: Snapshot, profile: Profile, seed: number): GangDecision {
  using trial = new Trial(snapshot, profile, seed);
  trial.place(members);
  return outcome(trial, need, `${counted(need)} needed and ${trial.placements.length} fit`);
}

/** All members in one domain. */
function inOne(
  gang: Gang,
  { key, taken }: GangTopology,
  snapshot: Snapshot,
  profile: Profile,
  seed: number,
): GangDecision {
  const { members, need } = gang;
  const filters = new Set<string>();
  const all = domainsOf(members, snapshot, key, filters);
  // Where some are, the others have to go as well.
  const domains = taken[0] === undefined ? all : all.filter(({ value }) => value === taken[0]);
  const fits = new Map(domains.map(({ value, room }) => [value, room]));
  for (const { value } of byFit(domains, members.length, need)) {
    using trial = new Trial(snapshot, profile, seed);
    trial.place(members, (member) => within(member, key, value));
    if (trial.placements.length >= need) return { type: 'place', placements: [...trial.placements] };
    fits.set(value, trial.placements.length);
    for (const filter of trial.filters) filters.add(filter);
  }
  // A node that gets the label makes a domain larger.
  filters.add('NodeSelector');
  const most = [...fits].sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1));
  const [best] = most;
  const detail = best === undefined ? '' : ` In ${best[0]}: ${tallyIn(best[0], gang, key, snapshot, profile, seed)}`;
  return { type: 'reject', filters, message: `${counted(need)} needed in one ${key}: ${fitsText(most)}.${detail}` };
}

/** The members in as few domains as they can be: the largest first is the fewest, where members are alike. */
function inFew(
  { members, need }: Gang,
  { key, taken }: GangTopology,
  snapshot: Snapshot,
  profile: Profile,
  seed: number,
): GangDecision {
  using trial = new Trial(snapshot, profile, seed);
  const done = new Set<string>();
  let waiting = members;
  while (waiting.length > 0) {
    const domains = domainsOf(waiting, snapshot, key, trial.filters).filter(({ value }) => !done.has(value));
    const next =
      domains.find(({ value, room }) => taken.includes(value) && room > 0) ?? bestOf(domains, waiting.length);
    if (next === undefined) break;
    done.add(next.value);
    waiting = trial.place(waiting, (member) => within(member, key, next.value));
  }
  // Nodes without the label are better than none.
  trial.refused = undefined;
  trial.place(waiting);
  return outcome(trial, need, `${counted(need)} needed and ${trial.placements.length} fit`);
}

function outcome({ placements, refused, filters }: Trial, need: number, summary: string): GangDecision {
  if (placements.length >= need) return { type: 'place', placements: [...placements] };
  return { type: 'reject', filters, message: `${summary}: ${refused?.why.message ?? 'there are no more members'}` };
}

/** Why the nodes of a domain can't have one member more than fit there. */
function tallyIn(
  value: string,
  { members }: Gang,
  key: string,
  snapshot: Snapshot,
  profile: Profile,
  seed: number,
): string {
  using trial = new Trial(snapshot, profile, seed);
  const [refused] = trial.place(members, (member) => within(member, key, value));
  const tally = new Tally();
  if (refused === undefined) return tally.toString();
  for (const [name, rejection] of rejections(refused, snapshot)) {
    if (snapshot.nodes[snapshot.find(name)]?.labels[key] === value) tally.count(rejection, 1);
  }
  return tally.toString();
}

function fitsText(fits: readonly (readonly [Domain['value'], number])[]): string {
  if (fits.length === 0) return 'no node has that label';
  const named = fits.slice(0, mostNamed).map(([value, count]) => `${count} fit in ${value}`);
  const more = fits.length - named.length;
  return named.join(', ') + (more > 0 ? ` and no more in ${more} others` : '');
}

function counted(need: number): string {
  return need === 1 ? '1 place is' : `${need} places are`;
}

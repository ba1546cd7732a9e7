import type { Live } from '@navarch/machinery';
import type { Queue } from '@navarch/proto';
import type { PodInfo } from '../pod-info.ts';
import { minus, plus, type Resources, resourcesOf } from '@navarch/kinds';
import { type Group, sum } from './group.ts';

/** What a queue lets its groups use; what is not named has no limit. */
export interface Line {
  readonly quota: Resources;
  readonly patienceMs: number;
}

/** The groups that name no queue wait in this one. */
export const openLine: Line = { quota: {}, patienceMs: 300_000 };

/** A group in its line. */
export interface InLine {
  readonly group: Group;
  /** Since when it waits, in ms since the epoch. */
  readonly sinceMs: number;
  /** Whether it could go if the line's other groups were away: who couldn't need not hold up others. */
  readonly couldGo: boolean;
}

export type Turn =
  /** The members that may be placed now. */
  | { readonly type: 'go'; readonly members: readonly PodInfo[] }
  | { readonly type: 'wait'; readonly reason: 'QueueFull' | 'Behind'; readonly message: string };

/** Groups that have been let in and lost members come first, then the important, then those that wait for longest. */
export function inOrder(one: InLine, other: InLine): number {
  return (
    Number(other.group.admitted) - Number(one.group.admitted) ||
    other.group.priority - one.group.priority ||
    one.sinceMs - other.sinceMs ||
    (one.group.key < other.group.key ? -1 : 1)
  );
}

/**
 * Whether a group that has waited for so long holds up those behind it at this moment. It lets them pass for a while, then
 * holds them up for as long, lets them pass, holds them up for twice as long, and so on. So nobody is held up for ever, and the
 * times in which nothing new goes ahead become longer than anything that ends takes: then the group has its turn.
 */
export function holdsUp(waitedMs: number, patienceMs: number): boolean {
  let rest = waitedMs;
  for (let holdMs = patienceMs; rest >= patienceMs; holdMs *= 2) {
    rest -= patienceMs;
    if (rest < holdMs) return true;
    rest -= holdMs;
  }
  return false;
}

/**
 * Whether it is a group's turn. `others` are the groups that wait in its line, `used` is what the line's groups use (see
 * `usage`). The places of members that a group has lost are its own; for all else there must be room in the quota.
 */
export function turnOf(self: InLine, others: readonly InLine[], line: Line, used: Resources, now: number): Turn {
  const { waiting, need, lost } = self.group;
  const ahead = others.find(
    (other) => other.couldGo && inOrder(other, self) < 0 && holdsUp(now - other.sinceMs, line.patienceMs),
  );
  if (ahead !== undefined && lost === 0) {
    const message = `it is behind ${ahead.group.key}, which has waited for so long that nobody passes it now`;
    return { type: 'wait', reason: 'Behind', message };
  }
  const own = waiting.slice(0, lost);
  let left = minus(line.quota, used);
  const members: PodInfo[] = [...own];
  for (const info of ahead === undefined ? waiting.slice(lost) : []) {
    if (lacking(info.requests, left, line.quota).length > 0) continue;
    left = minus(left, info.requests);
    members.push(info);
  }
  if (members.length >= need) return { type: 'go', members };
  const asked = sum(waiting.slice(lost, need));
  const lacks = lacking(asked, minus(line.quota, used), line.quota);
  const reasons = (lacks.length > 0 ? lacks : Object.keys(line.quota)).join(', ');
  return { type: 'wait', reason: 'QueueFull', message: `its queue has no room: not enough ${reasons}` };
}

/** What a line's groups use: what is on nodes, and the places of members that groups have lost and that are kept for others. */
export function usage(groups: readonly Group[]): Resources {
  return groups.reduce<Resources>(
    (total, { used, waiting, lost }) => plus(plus(total, used), sum(waiting.slice(0, lost))),
    {},
  );
}

/** Whether the quota is large enough for the group at all. */
export function couldFit({ waiting, need }: Group, { quota }: Line): boolean {
  return lacking(sum(waiting.slice(0, need)), quota, quota).length === 0;
}

export function lineOf({ spec }: Live<Queue>): Line {
  return { quota: resourcesOf(spec.quota), patienceMs: (spec.patienceSeconds ?? 300) * 1_000 };
}

/** The resources of which there is less than is asked for. */
function lacking(asked: Resources, left: Resources, quota: Resources): readonly string[] {
  return Object.keys(quota).filter((name) => (asked[name] ?? 0) > (left[name] ?? 0));
}

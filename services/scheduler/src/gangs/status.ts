import { Condition, type PodGroupStatus } from '@navarch/proto';
import type { Group } from './group.ts';

/** Why a group waits. */
export interface Why {
  readonly reason: string;
  readonly message: string;
}

export const scheduledCondition = 'Scheduled';

/** What is to be said of a group, the object's own status where that says it already. `now` is ms since the epoch. */
export function statusOf(
  group: Group,
  why: Why | undefined,
  reservation: PodGroupStatus['reservation'],
  now: number,
): PodGroupStatus {
  const before = group.object.status;
  const next: PodGroupStatus = {
    ...before,
    phase: phaseOf(group, why),
    members: group.members,
    scheduled: group.placed.length,
    running: group.running,
    succeeded: group.succeeded,
    failed: group.failed,
    scheduleStartTime: waitsForPlaces(group) ? before.scheduleStartTime || time(now) : '',
    observedGeneration: group.object.metadata.generation,
    conditions: conditions(group, why, now),
    reservation,
  };
  return JSON.stringify(next) === JSON.stringify(before) ? before : next;
}

/** Since when a group waits for its places, in ms since the epoch. */
export function waitsSince({ object }: Group, now: number): number {
  const { scheduleStartTime } = object.status;
  return scheduleStartTime === '' ? now : Date.parse(scheduleStartTime);
}

/** How much longer the group is to be tried, in ms; undefined when for ever. */
export function remainingMs(group: Group, now: number): number | undefined {
  const { scheduleTimeoutSeconds } = group.object.spec;
  if (scheduleTimeoutSeconds === undefined || hasPlaces(group)) return undefined;
  return waitsSince(group, now) + scheduleTimeoutSeconds * 1_000 - now;
}

export const timedOut = 'ScheduleTimeout';

function phaseOf(group: Group, why: Why | undefined): string {
  const { minMember, placed, running, succeeded, failed, members, ready } = group;
  const ended = succeeded + failed === members;
  if (why?.reason === timedOut) return 'Failed';
  if (ended && succeeded >= minMember) return 'Finished';
  if (ended && failed > 0) return 'Failed';
  if (running + succeeded >= minMember) return 'Running';
  if (placed.length + succeeded >= minMember) return 'Scheduled';
  return ready ? 'Scheduling' : 'Pending';
}

function conditions(group: Group, why: Why | undefined, now: number): Condition[] {
  const { conditions } = group.object.status;
  const before = conditions.find(({ type }) => type === scheduledCondition);
  const has = hasPlaces(group);
  const { reason, message } = has ? { reason: 'Placed', message: '' } : (why ?? missing(group));
  const status = has ? 'True' : 'False';
  const condition = Condition.fromJSON({
    type: scheduledCondition,
    status,
    reason,
    message,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : time(now),
  });
  return [...conditions.filter(({ type }) => type !== scheduledCondition), condition];
}

function missing({ waiting, placed, minMember, ready }: Group): Why {
  if (ready) return { reason: 'Waiting', message: 'its turn has not come yet' };
  return { reason: 'MembersMissing', message: `${waiting.length + placed.length} of ${minMember} members are there` };
}

function hasPlaces({ placed, succeeded, minMember }: Group): boolean {
  return placed.length + succeeded >= minMember;
}

function waitsForPlaces(group: Group): boolean {
  return group.ready && !hasPlaces(group);
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

import { humanSize } from '@navarch/machinery';
import type { MemberReport, MemberStatus } from '@navarch/store';
import type { CareRecord } from './care-record.ts';
import { answered, pressureOf, type StorageLimits } from './pressure.ts';

/** How patient the care is. All durations in milliseconds. */
export interface CareTimes {
  /** History that is kept, at least: as long as a reader may be away and still go on where it was. */
  readonly keepMs: number;
  /** The same while storage is tight or full: what is left of history then is only for readers that lag. */
  readonly keepWhenTightMs: number;
  /** Between two compactions. */
  readonly compactEveryMs: number;
  readonly compactWhenTightEveryMs: number;
  /** Between two defragmentations of one member. */
  readonly defragmentEveryMs: number;
  readonly defragmentWhenNeededEveryMs: number;
  /** The same under the space alarm, when little is written that could be held up. */
  readonly defragmentUnderAlarmEveryMs: number;
  /** A defragmentation that was begun this long ago and never ended was begun by a replica that died. */
  readonly defragmentAtMostMs: number;
}

export const usualTimes: CareTimes = {
  keepMs: 300_000,
  keepWhenTightMs: 30_000,
  compactEveryMs: 60_000,
  compactWhenTightEveryMs: 10_000,
  defragmentEveryMs: 3_600_000,
  defragmentWhenNeededEveryMs: 60_000,
  defragmentUnderAlarmEveryMs: 10_000,
  defragmentAtMostMs: 660_000,
};

export interface CareView {
  readonly members: readonly MemberReport[];
  readonly limits: StorageLimits;
  readonly times: CareTimes;
  /** The store's newest revision at a moment, as far as it is known. */
  readonly revisionAt: (atMs: number) => bigint | undefined;
  readonly record: CareRecord;
  readonly nowMs: number;
}

export type CareStep =
  | { readonly do: 'compact'; readonly revision: bigint; readonly why: string }
  | { readonly do: 'defragment'; readonly endpoint: string; readonly why: string }
  | { readonly do: 'disarm'; readonly why: string }
  /** `waitingFor` says what would let something be done; undefined when nothing has to be. */
  | { readonly do: 'nothing'; readonly waitingFor?: string };

/** What has to be gained, of the quota and of the file, for a member to be stopped for it. */
const worthwhile = { ofQuota: 0.05, ofFile: 0.5 };
/** The same when the file nears the quota, at which etcd refuses to write, however much of the file is free. */
const worthwhileWhenNeeded = { ofQuota: 0.02, ofFile: 0 };
/** With a member that is alone everything pauses: as long as that is not needed, only for a second, by what is in use. */
const briefOfQuota = 0.05;
/** An alarm is only taken back when it would not be raised again at once. */
const disarmBelow = 0.95;
/** A member that is this much behind is still catching up, and the others can't do without each other. */
const maxLag = 10_000;

/** The next step in the care of the store: at most one, the most urgent. */
export function planCare(view: CareView): CareStep {
  return planCompaction(view) ?? planForMembers(view);
}

/** The next step beside compaction, which goes on all the time. */
export function planForMembers(view: CareView): CareStep {
  const { members, limits, record, nowMs, times } = view;
  const pressure = pressureOf(members, limits);
  if (pressure === undefined) return { do: 'nothing', waitingFor: 'etcd to answer' };
  const needed = pressure.alarms.length > 0 || pressure.diskBytes >= limits.quotaBytes * limits.watermark;

  if (pressure.alarms.includes('CORRUPT')) {
    return { do: 'nothing', waitingFor: "somebody to look at etcd's data, which etcd says is corrupt" };
  }
  if (pressure.alarms.includes('NOSPACE') && pressure.diskBytes < limits.quotaBytes * disarmBelow) {
    return { do: 'disarm', why: `there is room again: ${humanSize(pressure.diskBytes)} on disk` };
  }

  const { defragmenting } = record;
  if (defragmenting !== undefined && nowMs - defragmenting.sinceMs < times.defragmentAtMostMs) {
    return { do: 'nothing', waitingFor: `${defragmenting.endpoint} to be defragmented` };
  }
  const gains = members.filter(answered).flatMap((member) => gainOf(member, view, needed) ?? []);
  // The leader last: everybody's writes pause with it.
  const [best] = gains.toSorted((a, b) => Number(a.member.leads) - Number(b.member.leads) || b.gain - a.gain);
  if (best !== undefined) {
    const obstacle = unfitToLoseOne(members);
    if (obstacle !== undefined) return { do: 'nothing', waitingFor: obstacle };
    const { member, gain } = best;
    const why = `${humanSize(gain)} of its ${humanSize(member.diskBytes)} on disk are not in use`;
    return { do: 'defragment', endpoint: member.endpoint, why };
  }
  if (pressure.level === 'full') return { do: 'nothing', waitingFor: 'objects to be deleted, or a larger quota' };
  return { do: 'nothing' };
}

function planCompaction({ members, limits, record, revisionAt, nowMs, times }: CareView): CareStep | undefined {
  const level = pressureOf(members, limits)?.level ?? 'roomy';
  const tight = level !== 'roomy';
  const { keepMs, keepWhenTightMs, compactEveryMs, compactWhenTightEveryMs } = times;
  const last = record.compaction;
  const everyMs = tight ? compactWhenTightEveryMs : compactEveryMs;
  if (last !== undefined && nowMs - last.atMs < everyMs) return undefined;
  const revision = revisionAt(nowMs - (tight ? keepWhenTightMs : keepMs));
  if (revision === undefined || revision <= BigInt(last?.revision ?? 0)) return undefined;
  return { do: 'compact', revision, why: tight ? 'storage is tight' : 'history has grown old' };
}

/** What defragmenting a member would give back. Undefined when that is not worth it, or was done not long ago. */
function gainOf(
  member: MemberStatus,
  { members, limits, record, nowMs, times }: CareView,
  needed: boolean,
): { member: MemberStatus; gain: number } | undefined {
  const gain = member.diskBytes - member.usedBytes;
  const { ofQuota, ofFile } = needed ? worthwhileWhenNeeded : worthwhile;
  if (gain < limits.quotaBytes * ofQuota || gain < member.diskBytes * ofFile) return undefined;
  if (!needed && members.length === 1 && member.usedBytes > limits.quotaBytes * briefOfQuota) return undefined;
  const last = record.defragmentations[member.endpoint];
  const everyMs = member.alarms.includes('NOSPACE')
    ? times.defragmentUnderAlarmEveryMs
    : needed
      ? times.defragmentWhenNeededEveryMs
      : times.defragmentEveryMs;
  if (last !== undefined && nowMs - last.atMs < everyMs) return undefined;
  return { member, gain };
}

/** Why no member can be spared for a while. */
function unfitToLoseOne(members: readonly MemberReport[]): string | undefined {
  const away = members.find((member) => !answered(member));
  if (away !== undefined) return `etcd at ${away.endpoint} to answer`;
  const known = members.filter(answered);
  const newest = Math.max(...known.map(({ appliedIndex }) => appliedIndex));
  const behind = known.find(({ appliedIndex }) => newest - appliedIndex > maxLag);
  return behind && `etcd at ${behind.endpoint} to catch up with the others`;
}

import { humanSize } from '@navarch/machinery';
import type { EtcdAlarm, MemberReport, MemberStatus } from '@navarch/store';

/** How much etcd may hold, and from where on the api acts. */
export interface StorageLimits {
  /** etcd's own --quota-backend-bytes. */
  readonly quotaBytes: number;
  /** The part of it above which nothing new is created. */
  readonly watermark: number;
}

export interface StoragePressure {
  /** roomy: all is well. tight: history is kept for less long. full: nothing new is created until there is room. */
  readonly level: 'roomy' | 'tight' | 'full';
  /** What the fullest member uses, and what its file takes. */
  readonly usedBytes: number;
  readonly diskBytes: number;
  readonly alarms: readonly EtcdAlarm[];
  readonly limits: StorageLimits;
}

/** Of what is below the watermark, this part is roomy. In what is left, history alone may still be let go to make room. */
const roomyPart = 7 / 8;

/** How full the store is. Undefined when no member says so. */
export function pressureOf(members: readonly MemberReport[], limits: StorageLimits): StoragePressure | undefined {
  const known = members.filter(answered);
  if (known.length === 0) return undefined;
  const usedBytes = Math.max(...known.map((member) => member.usedBytes));
  const diskBytes = Math.max(...known.map((member) => member.diskBytes));
  const alarms = [...new Set(known.flatMap((member) => member.alarms))];
  const fullAt = limits.quotaBytes * limits.watermark;
  const full = alarms.length > 0 || usedBytes >= fullAt;
  const level = full ? 'full' : usedBytes >= fullAt * roomyPart ? 'tight' : 'roomy';
  return { level, usedBytes, diskBytes, alarms, limits };
}

export function answered(report: MemberReport): report is MemberStatus {
  return !('unreachable' in report);
}

/** The sentence that says how full it is: `storage is 83 % full: etcd uses 1.7 GiB of its quota of 2 GiB`. */
export function fullness({ usedBytes, limits }: StoragePressure): string {
  const percent = Math.floor((100 * usedBytes) / limits.quotaBytes);
  return `storage is ${percent} % full: etcd uses ${humanSize(usedBytes)} of its quota of ${humanSize(limits.quotaBytes)}`;
}

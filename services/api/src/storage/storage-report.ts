import { humanSize } from '@navarch/machinery';
import { GetStorageResponse, StorageMember } from '@navarch/proto';
import type { MemberReport } from '@navarch/store';
import type { CareRecord } from './care-record.ts';
import { answered, fullness } from './pressure.ts';
import type { StorageState } from './storage-care.ts';

/** The store's room, for users. */
export function storageReport(state: StorageState): GetStorageResponse {
  const { members, pressure, limits, record } = state;
  return GetStorageResponse.fromPartial({
    quotaBytes: BigInt(limits.quotaBytes),
    usedBytes: BigInt(pressure?.usedBytes ?? 0),
    fullAtBytes: BigInt(Math.floor(limits.quotaBytes * limits.watermark)),
    refusingCreates: pressure?.level === 'full',
    alarms: [...(pressure?.alarms ?? [])],
    members: members.map((member) => memberReport(member, record)),
    compactedAt: time(record.compaction?.atMs),
    compactedRevision: BigInt(record.compaction?.revision ?? 0),
    defragmenting: record.defragmenting?.endpoint ?? '',
    disarmedAt: time(record.disarmedAtMs),
    waitingFor: state.waitingFor ?? '',
    explanation: explain(state),
  });
}

function memberReport(report: MemberReport, { defragmentations }: CareRecord): StorageMember {
  const last = defragmentations[report.endpoint];
  const defragmented = {
    defragmentedAt: time(last?.atMs),
    defragmentedBytes: BigInt(last === undefined ? 0 : last.bytesBefore - last.bytesAfter),
  };
  if (!answered(report)) return StorageMember.fromPartial({ ...report, ...defragmented });
  const { endpoint, version, diskBytes, usedBytes, leads } = report;
  const sizes = { diskBytes: BigInt(diskBytes), usedBytes: BigInt(usedBytes) };
  return StorageMember.fromPartial({ endpoint, version, leads, ...sizes, ...defragmented });
}

function explain({ members, pressure, record, waitingFor }: StorageState): string {
  if (pressure === undefined) {
    return members.length === 0
      ? 'The store is not etcd, or was not asked yet: nobody can tell how full it is.'
      : 'No member of etcd answers: nobody can tell how full the store is.';
  }
  const { level, alarms, limits } = pressure;
  const said = [sentence(fullness(pressure))];
  const percent = Math.round(100 * limits.watermark);
  if (level === 'roomy') said.push(`There is room; from ${percent} % on nothing new is created.`);
  if (level === 'tight')
    said.push(`From ${percent} % on nothing new is created; history is kept for half a minute only.`);
  if (alarms.includes('NOSPACE')) {
    said.push('etcd has raised its space alarm: its file has reached the quota.');
  }
  if (alarms.includes('CORRUPT')) {
    said.push(
      'etcd has raised its alarm for corrupt data: restore the member that is wrong from the others, or a backup.',
    );
  }
  if (level === 'full') {
    said.push(
      'Nothing new is created, and objects do not grow; deletes, status and leases go on.',
      'Delete objects that are not needed, or give etcd a larger --quota-backend-bytes and the api the same --etcd-quota; what deletes free is in use until history has let go of it, and the file shrinks by itself.',
    );
  }
  if (record.defragmenting !== undefined) said.push(`${record.defragmenting.endpoint} is being defragmented.`);
  else if (waitingFor !== undefined) said.push(`Waiting for ${waitingFor}.`);
  const freeBytes = pressure.diskBytes - pressure.usedBytes;
  if (freeBytes > limits.quotaBytes / 20) said.push(`${humanSize(freeBytes)} of the file are free for new writes.`);
  return said.join(' ');
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const time = (ms: number | undefined) => (ms === undefined ? '' : new Date(ms).toISOString());

import type { MemberReport, MemberStatus } from '@navarch/store';
import { describe, expect, test } from 'vitest';
import { type CareView, planCare, usualTimes } from './care-plan.ts';
import { emptyRecord } from './care-record.ts';
import { RevisionHistory } from './revision-history.ts';

const GiB = 1024 ** 3;
const nowMs = 100_000_000;
const minutesAgo = (minutes: number) => nowMs - minutes * 60_000;

/** A member with so many tenths of GiB on disk and in use. */
const member = (endpoint: string, disk: number, used: number, more: Partial<MemberStatus> = {}): MemberStatus => ({
  endpoint,
  version: '3.4.23',
  diskBytes: (disk * GiB) / 10,
  usedBytes: (used * GiB) / 10,
  alarms: [],
  leads: false,
  appliedIndex: 1_000_000,
  ...more,
});

const away: MemberReport = { endpoint: 'c', unreachable: 'no answer' };
const compactedNow = { revision: '100', atMs: minutesAgo(0) };
const defragmented = (minutes: number) => ({ atMs: minutesAgo(minutes), bytesBefore: 2, bytesAfter: 1 });

function plan(view: Partial<CareView>) {
  return planCare({
    members: [member('a', 2, 1.5, { leads: true })],
    limits: { quotaBytes: 2 * GiB, watermark: 0.8 },
    times: usualTimes,
    // One revision a minute, up to 100 now.
    revisionAt: (atMs) => BigInt(100 - Math.ceil((nowMs - atMs) / 60_000)),
    record: { ...emptyRecord, compaction: compactedNow },
    nowMs,
    ...view,
  });
}

describe('planCare', () => {
  test.each<[string, Partial<CareView>, object]>([
    ['does nothing when all is well', {}, { do: 'nothing' }],
    ['waits for an etcd that is away', { members: [away] }, { do: 'nothing', waitingFor: 'etcd to answer' }],
    [
      'lets history go that is older than five minutes',
      { record: { ...emptyRecord, compaction: { revision: '90', atMs: minutesAgo(1) } } },
      { do: 'compact', revision: 95n },
    ],
    [
      'not more often than every minute',
      { record: { ...emptyRecord, compaction: { revision: '90', atMs: minutesAgo(0.9) } } },
      { do: 'nothing' },
    ],
    ['not before it knows what is old', { record: emptyRecord, revisionAt: () => undefined }, { do: 'nothing' }],
    [
      'not to where it is compacted already',
      { record: { ...emptyRecord, compaction: { revision: '95', atMs: minutesAgo(9) } } },
      { do: 'nothing' },
    ],
    [
      'keeps only half a minute when storage is tight',
      {
        members: [member('a', 15, 14.5)],
        record: { ...emptyRecord, compaction: { revision: '95', atMs: minutesAgo(0.2) } },
      },
      { do: 'compact', revision: 99n },
    ],
    [
      'gives back a file that is half empty',
      { members: [member('a', 8, 3), member('b', 3, 3)] },
      { do: 'defragment', endpoint: 'a' },
    ],
    ['not one that is less empty', { members: [member('a', 8, 5), member('b', 3, 3)] }, { do: 'nothing' }],
    ['not one that is small', { members: [member('a', 0.9, 0.1), member('b', 3, 3)] }, { do: 'nothing' }],
    ['of a lone member only when it takes but a moment', { members: [member('a', 8, 3)] }, { do: 'nothing' }],
    ['which is so for little data', { members: [member('a', 8, 1)] }, { do: 'defragment', endpoint: 'a' }],
    [
      'not the same again within the hour',
      {
        members: [member('a', 8, 1)],
        record: { compaction: compactedNow, defragmentations: { a: defragmented(59) } },
      },
      { do: 'nothing' },
    ],
    [
      'sooner, and for less, when the file nears the quota',
      {
        members: [member('a', 17, 13)],
        record: { compaction: compactedNow, defragmentations: { a: defragmented(2) } },
      },
      { do: 'defragment', endpoint: 'a' },
    ],
    [
      'the leader last, of the others the one that gains most',
      { members: [member('a', 9, 1, { leads: true }), member('b', 8, 3), member('c', 8, 2)] },
      { do: 'defragment', endpoint: 'c' },
    ],
    [
      'the leader once the others are done',
      { members: [member('a', 9, 1, { leads: true }), member('b', 2, 2), member('c', 2, 2)] },
      { do: 'defragment', endpoint: 'a' },
    ],
    [
      'never while one is being defragmented',
      {
        members: [member('a', 8, 3), member('b', 8, 3)],
        record: {
          ...emptyRecord,
          compaction: compactedNow,
          defragmenting: { endpoint: 'a', sinceMs: minutesAgo(10), by: 'x' },
        },
      },
      { do: 'nothing', waitingFor: 'a to be defragmented' },
    ],
    [
      'but when who began it died long ago',
      {
        members: [member('a', 8, 1)],
        record: {
          ...emptyRecord,
          compaction: compactedNow,
          defragmenting: { endpoint: 'a', sinceMs: minutesAgo(12), by: 'x' },
        },
      },
      { do: 'defragment', endpoint: 'a' },
    ],
    [
      'never while a member is away',
      { members: [member('a', 8, 3), member('b', 8, 3), away] },
      { do: 'nothing', waitingFor: 'etcd at c to answer' },
    ],
    [
      'never while a member catches up',
      { members: [member('a', 8, 3), member('b', 8, 3, { appliedIndex: 1 })] },
      { do: 'nothing', waitingFor: 'etcd at b to catch up with the others' },
    ],
    [
      'waits for deletes when full of objects',
      { members: [member('a', 17, 16.9)] },
      { do: 'nothing', waitingFor: 'objects to be deleted, or a larger quota' },
    ],
    [
      'makes the file smaller before it takes the alarm back',
      { members: [member('a', 20, 3, { alarms: ['NOSPACE'] })] },
      { do: 'defragment', endpoint: 'a' },
    ],
    [
      'and does so again as soon as more is free',
      {
        members: [member('a', 20, 3, { alarms: ['NOSPACE'] })],
        record: { compaction: compactedNow, defragmentations: { a: defragmented(0.2) } },
      },
      { do: 'defragment', endpoint: 'a' },
    ],
    ['then takes it back', { members: [member('a', 4, 3, { alarms: ['NOSPACE'] })] }, { do: 'disarm' }],
    [
      'leaves corrupt data to people',
      { members: [member('a', 4, 3, { alarms: ['CORRUPT'] })] },
      { do: 'nothing', waitingFor: expect.stringContaining('corrupt') },
    ],
  ])('%s', (_name, view, step) => {
    expect({ waitingFor: undefined, ...plan(view) }).toMatchObject({ waitingFor: undefined, ...step });
  });
});

test('the history of revisions knows what is old, and stays short', () => {
  const history = new RevisionHistory(300_000);
  expect(history.at(0)).toBeUndefined();
  for (let second = 0; second <= 1_000; second++) history.add(BigInt(second), second * 1_000);
  expect(history.at(1_000_000)).toBe(1_000n);
  expect(history.at(700_000)).toBe(700n);
  expect(history.at(699_999)).toBeUndefined();
});

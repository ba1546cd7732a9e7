import type { MemberReport } from '@navarch/store';
import { expect, test } from 'vitest';
import { fullness, pressureOf } from './pressure.ts';

const MiB = 1024 ** 2;
const limits = { quotaBytes: 100 * MiB, watermark: 0.8 };
const member = (used: number, more: object = {}): MemberReport => ({
  endpoint: `m${used}`,
  version: '3.4.23',
  diskBytes: 95 * MiB,
  usedBytes: used * MiB,
  alarms: [],
  leads: false,
  appliedIndex: 1,
  ...more,
});
const away: MemberReport = { endpoint: 'away', unreachable: 'no answer' };

test.each([
  { name: 'a file that is large but empty is room', members: [member(10)], level: 'roomy' },
  { name: 'the fullest member counts', members: [member(10), member(79), away], level: 'tight' },
  { name: 'at seven eighths of the watermark history is let go sooner', members: [member(70)], level: 'tight' },
  { name: 'at the watermark it is full', members: [member(80)], level: 'full' },
  { name: 'an alarm makes it full whatever is used', members: [member(1, { alarms: ['NOSPACE'] })], level: 'full' },
])('$name', ({ members, level }) => expect(pressureOf(members, limits)?.level).toBe(level));

test('nobody to ask, nothing known', () => expect(pressureOf([away], limits)).toBeUndefined());

test('says how full it is', () => {
  const pressure = pressureOf([member(79.9)], limits);
  expect(pressure && fullness(pressure)).toBe('storage is 79 % full: etcd uses 79.9 MiB of its quota of 100 MiB');
});

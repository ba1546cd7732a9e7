import { expect, test } from 'vitest';
import { machineUsage } from './machine-usage.ts';
import { type Reading, usageReport } from './usage-rates.ts';

const seconds = 1_000_000_000n;
const mebibyte = 1_048_576n;

function container(id: string, uid: string, atMs: number, cpuNanoseconds: bigint) {
  const labels = { 'io.kubernetes.pod.uid': uid, 'io.kubernetes.container.name': id };
  return { containerId: id, labels, timestampMs: atMs, cpuNanoseconds, memoryWorkingSetBytes: 64n * mebibyte };
}

function reading(atMs: number, cpuNanoseconds: bigint, containers: Reading['containers']): Reading {
  return { atMs, machine: { cpuNanoseconds, memoryBytes: 900n * mebibyte }, containers };
}

const first = reading(1_000_000, 50n * seconds, [container('a', 'u1', 1_000_000, 2n * seconds)]);
const report = (after: Reading) => usageReport('n1', first, after, 10_000);

test('cpu is the average since the reading before, memory is what it is now', () => {
  const after = reading(1_010_000, 65n * seconds, [container('a', 'u1', 1_010_000, 4n * seconds)]);
  expect(report(after)).toEqual({
    nodeName: 'n1',
    time: '1970-01-01T00:16:50.000Z',
    windowMs: 10_000n,
    intervalMs: 10_000n,
    node: { cpuNanocores: 1_500_000_000n, memoryBytes: 900n * mebibyte },
    pods: [
      { uid: 'u1', containers: [{ name: 'a', usage: { cpuNanocores: 200_000_000n, memoryBytes: 64n * mebibyte } }] },
    ],
  });
});

test.each([
  {
    name: 'a container that was not there before',
    containers: [container('b', 'u2', 1_010_000, seconds)],
  },
  {
    name: 'a container that was read at the same moment, from a cache',
    containers: [container('a', 'u1', 1_000_000, 2n * seconds)],
  },
  {
    name: 'a counter that went backwards',
    containers: [container('a', 'u1', 1_010_000, seconds)],
  },
  {
    name: 'a Pod of which one container has only just started',
    containers: [container('a', 'u1', 1_010_000, 4n * seconds), container('c', 'u1', 1_010_000, seconds)],
  },
  {
    name: 'what is no container of a Pod',
    containers: [{ ...container('a', 'u1', 1_010_000, 4n * seconds), labels: {} }],
  },
])('$name has no rate and is left out', ({ containers }) => {
  expect(report(reading(1_010_000, 65n * seconds, containers))?.pods).toEqual([]);
});

test('no time, no report', () => {
  expect(report(reading(1_000_000, 50n * seconds, []))).toBeUndefined();
});

test('a machine counts all cpu time but that spent idle, and memory that could not be given to others', () => {
  const stat = 'cpu  100 20 30 5000 400 5 6 7 0 0\ncpu0 50 10 15 2500 200 2 3 4 0 0\nintr 1\n';
  const meminfo = 'MemTotal:        8000 kB\nMemFree:         1000 kB\nMemAvailable:    5000 kB\n';
  expect(machineUsage(stat, meminfo)).toEqual({ cpuNanoseconds: 1_680_000_000n, memoryBytes: 3000n * 1024n });
});

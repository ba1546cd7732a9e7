import { expect, test } from 'vitest';
import { aPod, container } from './pod.fixture.ts';
import { qosClass } from './qos.ts';
import { containerResources } from './resources.ts';

const gib = 2 ** 30;

test.each([
  {
    name: 'nothing',
    resources: { requests: {}, limits: {} },
    qos: 'BestEffort',
    shares: 2,
    quota: 0,
    memory: 0,
    oom: 1000,
  },
  {
    name: 'a request',
    resources: { requests: { cpu: '500m', memory: '256Mi' }, limits: {} },
    qos: 'Burstable',
    shares: 512,
    quota: 0,
    memory: 0,
    oom: 750,
  },
  {
    name: 'limits alone',
    resources: { requests: {}, limits: { cpu: '2', memory: '512Mi' } },
    qos: 'Guaranteed',
    shares: 2048,
    quota: 200_000,
    memory: 512 * 2 ** 20,
    oom: -997,
  },
  {
    name: 'a limit on one of them',
    resources: { requests: {}, limits: { cpu: '1m' } },
    qos: 'Burstable',
    shares: 2,
    quota: 1_000,
    memory: 0,
    oom: 999,
  },
])('$name', ({ resources, qos, shares, quota, memory, oom }) => {
  const one = container({ resources });
  const pod = aPod({ containers: [one] });
  expect(qosClass(pod)).toBe(qos);
  expect(containerResources(pod, one, gib)).toEqual({
    cpuShares: shares,
    cpuPeriodUs: quota === 0 ? 0 : 100_000,
    cpuQuotaUs: quota,
    memoryLimitBytes: memory,
    oomScoreAdj: oom,
  });
});

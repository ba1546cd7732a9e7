import { Node } from '@navarch/proto';
import { expect, test } from 'vitest';
import { aPod, container } from '../pod/pod.fixture.ts';
import { newNode, nodeStatus } from './node-object.ts';
import { resourceStatus } from './resource-status.ts';

const facts = {
  name: 'n1',
  ip: '192.0.2.1',
  machine: {
    cpuMillis: 2000,
    memoryBytes: 4 * 2 ** 30,
    diskBytes: 100e9,
    machineId: 'm',
    bootId: 'b',
    kernelVersion: '6.1',
    osImage: 'Debian',
    architecture: 'amd64',
  },
  runtime: { name: 'containerd', version: '1.6.20' },
  agentVersion: '0.1.0',
  maxPods: 110,
};
const now = Date.UTC(2026, 0, 1);

test('a node says what it is and what Pods can have of it', () => {
  expect(newNode(facts).metadata?.labels).toEqual({
    'kubernetes.io/hostname': 'n1',
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
  });
  expect(nodeStatus(undefined, facts, { ready: true, message: '' }, [], now)).toMatchObject({
    capacity: { cpu: '2', memory: '4Gi', pods: '110' },
    allocatable: { cpu: '1900m', memory: '3840Mi' },
    addresses: [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'Hostname', address: 'n1' },
    ],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    nodeInfo: { containerRuntimeVersion: 'containerd://1.6.20' },
  });
});

test('a node that changes nothing reports nothing new', () => {
  const status = nodeStatus(undefined, facts, { ready: true, message: '' }, [], now);
  const node = Node.fromPartial({ metadata: { name: 'n1' }, spec: {}, status });
  const { metadata, spec } = node;
  if (!metadata || !spec) throw new Error('unreachable');
  expect(
    nodeStatus({ ...node, metadata, spec, status }, facts, { ready: true, message: '' }, [], now + 99_000),
  ).toEqual(status);
  const broken = nodeStatus(
    { ...node, metadata, spec, status },
    facts,
    { ready: false, message: 'why' },
    [],
    now + 99_000,
  );
  expect(broken.conditions[0]).toMatchObject({
    status: 'False',
    message: 'why',
    lastTransitionTime: '2026-01-01T00:01:39Z',
  });
});

test('what is available is what is allocatable less what Pods request', () => {
  const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: {} });
  const pods = [
    aPod({
      containers: [
        container({ resources: resources('100m', '64Mi') }),
        container({ resources: resources('200m', '64Mi') }),
      ],
    }),
    aPod({ initContainers: [container({ resources: resources('1', '1Mi') })], containers: [container()] }),
    aPod({ containers: [container({ resources: resources('5', '5Gi') })] }, {}, { phase: 'Succeeded' }),
  ];
  expect(resourceStatus('n1', { cpuMillis: 1900, memoryBytes: 2 ** 30, diskBytes: 1000 }, pods)).toEqual({
    nodeId: 'n1',
    availableCpu: 600n,
    availableMemory: BigInt(2 ** 30 - 129 * 2 ** 20),
    availableDisk: 1000n,
  });
});

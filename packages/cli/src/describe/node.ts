import { node, pod, taintText } from '@navarch/kinds';
import {
  byteCount,
  cpuMillis,
  escapeFieldValue,
  formatByteCount,
  formatCpuMillis,
  type Live,
} from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import type { Session } from '../session.ts';
import { conditionTable } from './conditions.ts';
import { metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { timeText } from './time.ts';

export async function describeNode(object: Live<Node>, session: Session): Promise<readonly Entry[]> {
  const { metadata, spec, status } = object;
  const { items } = await session
    .client()
    .list(pod, { fieldSelector: `spec.nodeName=${escapeFieldValue(metadata.name)}` });
  const active = items.filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed');
  const info = status.nodeInfo;
  return [
    ...metadataEntries(node, object),
    { label: 'CreationTimestamp', value: timeText(metadata.creationTimestamp) },
    { label: 'Taints', lines: spec.taints.map(taintText) },
    { label: 'Unschedulable', value: spec.unschedulable },
    { label: 'Conditions', table: conditionTable(status.conditions) },
    { label: 'Addresses', entries: status.addresses.map(({ type, address }) => ({ label: type, value: address })) },
    { label: 'Capacity', entries: amounts(status.capacity) },
    { label: 'Allocatable', entries: amounts(status.allocatable) },
    {
      label: 'System Info',
      entries: [
        { label: 'Kernel Version', value: info?.kernelVersion ?? '' },
        { label: 'OS Image', value: info?.osImage ?? '' },
        { label: 'Operating System', value: info?.operatingSystem ?? '' },
        { label: 'Architecture', value: info?.architecture ?? '' },
        { label: 'Container Runtime Version', value: info?.containerRuntimeVersion ?? '' },
        { label: 'Agent Version', value: info?.agentVersion ?? '' },
      ],
    },
    { label: 'PodCIDR', value: spec.podCidr || '<none>' },
    {
      label: `Non-terminated Pods (${active.length} in total)`,
      table: [
        ['Namespace', 'Name', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits'],
        ...active.map(podRow),
      ],
    },
    { label: 'Allocated resources', table: allocated(active, status.allocatable) },
  ];
}

type Part = 'requests' | 'limits';

function podRow(object: Live<Pod>): readonly string[] {
  const { namespace, name } = object.metadata;
  const cpu = (part: Part) => formatCpuMillis(sum([object], part, 'cpu'));
  const memory = (part: Part) => formatByteCount(sum([object], part, 'memory'));
  return [namespace, name, cpu('requests'), cpu('limits'), memory('requests'), memory('limits')];
}

function allocated(pods: readonly Live<Pod>[], allocatable: Readonly<Record<string, string>>): (readonly string[])[] {
  const share = (amount: number, all: number) => (all === 0 ? '' : ` (${Math.round((amount * 100) / all)}%)`);
  const cpu = (part: Part) => {
    const amount = sum(pods, part, 'cpu');
    return formatCpuMillis(amount) + share(amount, cpuMillis(allocatable['cpu']));
  };
  const memory = (part: Part) => {
    const amount = sum(pods, part, 'memory');
    return formatByteCount(amount) + share(amount, byteCount(allocatable['memory']));
  };
  return [
    ['Resource', 'Requests', 'Limits'],
    ['cpu', cpu('requests'), cpu('limits')],
    ['memory', memory('requests'), memory('limits')],
  ];
}

function sum(pods: readonly Live<Pod>[], part: Part, resource: 'cpu' | 'memory'): number {
  const read = resource === 'cpu' ? cpuMillis : byteCount;
  const containers = pods.flatMap(({ spec }) => spec.containers);
  return containers.reduce((total, { resources }) => total + read(resources?.[part][resource]), 0);
}

function amounts(quantities: Readonly<Record<string, string>>): readonly Entry[] {
  return Object.entries(quantities).map(([label, value]) => ({ label, value }));
}

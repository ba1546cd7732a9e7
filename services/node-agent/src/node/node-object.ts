import { formatByteCount, formatCpuMillis, type Live } from '@navarch/machinery';
import { type Condition, type ContainerImage, Node, NodeStatus } from '@navarch/proto';
import type { RuntimeVersion } from '../runtime/runtime.ts';
import { time } from '../pod/container-status.ts';
import type { Machine } from './machine.ts';

export interface NodeFacts {
  readonly name: string;
  readonly ip: string;
  readonly machine: Machine;
  readonly runtime: RuntimeVersion;
  readonly agentVersion: string;
  readonly maxPods: number;
}

export interface NodeHealth {
  readonly ready: boolean;
  /** Why not. */
  readonly message: string;
}

/** What Pods can't have: the agent, the runtime and the kernel need some, and memory must not run out to the last byte. */
const reserved = { cpuMillis: 100, memoryBytes: 256 * 1024 * 1024, diskShare: 0.1 };

export function allocatable(machine: Machine): { cpuMillis: number; memoryBytes: number; diskBytes: number } {
  return {
    cpuMillis: Math.max(0, machine.cpuMillis - reserved.cpuMillis),
    memoryBytes: Math.max(0, machine.memoryBytes - reserved.memoryBytes),
    diskBytes: Math.floor(machine.diskBytes * (1 - reserved.diskShare)),
  };
}

/** The node's labels that the agent keeps, beside those that people give it. */
export function nodeLabels({ name, machine }: NodeFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
  };
}

export function newNode(facts: NodeFacts): Node {
  return Node.fromPartial({ metadata: { name: facts.name, labels: nodeLabels(facts) }, spec: {} });
}

/** The status as it should be; `images` as they were before where they are not known. The same as before when nothing changed, but for the time of the condition's change. */
export function nodeStatus(
  before: Live<Node> | undefined,
  facts: NodeFacts,
  health: NodeHealth,
  images: readonly ContainerImage[] | undefined,
  now: number,
): NodeStatus {
  const { machine, runtime } = facts;
  const free = allocatable(machine);
  const pods = String(facts.maxPods);
  return NodeStatus.fromPartial({
    capacity: {
      cpu: formatCpuMillis(machine.cpuMillis),
      memory: formatByteCount(machine.memoryBytes),
      'ephemeral-storage': formatByteCount(machine.diskBytes),
      pods,
    },
    allocatable: {
      cpu: formatCpuMillis(free.cpuMillis),
      memory: formatByteCount(free.memoryBytes),
      'ephemeral-storage': formatByteCount(free.diskBytes),
      pods,
    },
    images: [...(images ?? before?.status.images ?? [])],
    conditions: conditions(before?.status.conditions ?? [], health, now),
    addresses: [
      { type: 'InternalIP', address: facts.ip },
      { type: 'Hostname', address: facts.name },
    ],
    nodeInfo: {
      machineId: machine.machineId,
      bootId: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`,
      agentVersion: facts.agentVersion,
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
  });
}

function conditions(before: readonly Condition[], { ready, message }: NodeHealth, now: number): Condition[] {
  const last = before.find(({ type }) => type === 'Ready');
  const status = ready ? 'True' : 'False';
  const own: Condition = {
    type: 'Ready',
    status,
    observedGeneration: 0,
    lastTransitionTime: last?.status === status ? last.lastTransitionTime : time(now),
    lastUpdateTime: '',
    reason: ready ? 'AgentReady' : 'AgentNotReady',
    message: ready ? 'the agent runs Pods' : message,
  };
  return [own, ...before.filter(({ type }) => type !== 'Ready')];
}

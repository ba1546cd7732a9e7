import type { NodeUsageReport, PodUsageReport, Usage } from '@navarch/proto';
import { labelKeys } from '../pod/container-config.ts';
import type { ContainerUsage } from '../runtime/runtime.ts';
import type { MachineUsage } from './machine-usage.ts';

/** What was read at one moment. */
export interface Reading {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly machine: MachineUsage;
  readonly containers: readonly ContainerUsage[];
}

/**
 * What was used between two readings: cpu as the average rate, memory as it was at the end. Undefined when no time has
 * passed. A Pod is left out while one of its containers has no rate: it was not there at the first reading, or its counter
 * went backwards.
 */
export function usageReport(
  nodeName: string,
  before: Reading,
  after: Reading,
  intervalMs: number,
): NodeUsageReport | undefined {
  const windowMs = after.atMs - before.atMs;
  const node = usage(after.machine.cpuNanoseconds - before.machine.cpuNanoseconds, windowMs, after.machine.memoryBytes);
  if (node === undefined) return undefined;
  const earlier = new Map(before.containers.map((container) => [container.containerId, container]));
  const pods = new Map<string, PodUsageReport | undefined>();
  for (const container of after.containers) {
    const uid = container.labels[labelKeys.uid];
    const name = container.labels[labelKeys.container];
    if (uid === undefined || name === undefined) continue;
    const used = usageSince(earlier.get(container.containerId), container);
    const pod = pods.has(uid) ? pods.get(uid) : { uid, containers: [] };
    if (used !== undefined) pod?.containers.push({ name, usage: used });
    // Half a Pod would look like one that has little to do.
    pods.set(uid, used && pod);
  }
  return {
    nodeName,
    time: new Date(after.atMs).toISOString(),
    windowMs: BigInt(Math.round(windowMs)),
    intervalMs: BigInt(intervalMs),
    node,
    pods: [...pods.values()].filter((pod) => pod !== undefined),
  };
}

function usageSince(last: ContainerUsage | undefined, now: ContainerUsage): Usage | undefined {
  if (last === undefined) return undefined;
  const passedMs = now.timestampMs - last.timestampMs;
  return usage(now.cpuNanoseconds - last.cpuNanoseconds, passedMs, now.memoryWorkingSetBytes);
}

function usage(cpuNanoseconds: bigint, passedMs: number, memoryBytes: bigint): Usage | undefined {
  if (passedMs <= 0 || cpuNanoseconds < 0n) return undefined;
  // Nanoseconds of cpu in a second are billionths of a core.
  return { cpuNanocores: (cpuNanoseconds * 1000n) / BigInt(Math.round(passedMs)), memoryBytes };
}

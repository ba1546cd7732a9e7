import { byteCount, cpuMillis, type Live } from '@navarch/machinery';
import type { Container, Pod, ResourceStatus } from '@navarch/proto';
import { isFinished } from '../pod/model.ts';

/** What is allocatable less what the Pods on the node request: the founding paper's resource_status. */
export function resourceStatus(
  nodeName: string,
  free: { readonly cpuMillis: number; readonly memoryBytes: number; readonly diskBytes: number },
  pods: readonly Live<Pod>[],
): ResourceStatus {
  const active = pods.filter(({ status }) => !isFinished(status.phase));
  const requested = (name: string, amount: (text: string | undefined) => number) =>
    active.reduce((sum, pod) => sum + podRequest(pod, (container) => amount(requestOf(container, name))), 0);
  const left = (whole: number, used: number) => BigInt(Math.max(0, Math.floor(whole - used)));
  return {
    nodeId: nodeName,
    availableCpu: left(free.cpuMillis, requested('cpu', cpuMillis)),
    availableMemory: left(free.memoryBytes, requested('memory', byteCount)),
    availableDisk: left(free.diskBytes, requested('ephemeral-storage', byteCount)),
  };
}

function requestOf({ resources }: Container, name: string): string | undefined {
  return resources?.requests[name] ?? resources?.limits[name];
}

/** Init containers run one at a time and before the others: the Pod needs the larger of the two. */
function podRequest({ spec }: Live<Pod>, amount: (container: Container) => number): number {
  const together = spec.containers.reduce((sum, container) => sum + amount(container), 0);
  return Math.max(together, ...spec.initContainers.map(amount));
}

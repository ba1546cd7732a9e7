import { byteCount, cpuMillis, type Live } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';
import type { ContainerResources } from '../runtime/runtime.ts';
import { qosClass } from './qos.ts';

// The kernel's units for what manifests ask. Sources: Documentation/scheduler/sched-bwc.rst (period and quota) and the
// Kubernetes documentation on how requests and limits are applied and how the OOM score follows from the QoS class.
const sharesPerCore = 1024;
const fewestShares = 2;
const periodUs = 100_000;
const smallestQuotaUs = 1_000;

export function containerResources(pod: Live<Pod>, container: Container, nodeMemoryBytes: number): ContainerResources {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const cpu = cpuMillis(requests['cpu'] ?? limits['cpu']);
  const cpuLimit = cpuMillis(limits['cpu']);
  return {
    cpuShares: Math.max(fewestShares, Math.floor((cpu * sharesPerCore) / 1000)),
    cpuPeriodUs: cpuLimit === 0 ? 0 : periodUs,
    cpuQuotaUs: cpuLimit === 0 ? 0 : Math.max(smallestQuotaUs, Math.floor((cpuLimit * periodUs) / 1000)),
    memoryLimitBytes: byteCount(limits['memory']),
    oomScoreAdj: oomScore(pod, byteCount(requests['memory'] ?? limits['memory']), nodeMemoryBytes),
  };
}

/** The more of the node's memory a container was promised, the later it is killed when memory runs out. */
function oomScore(pod: Live<Pod>, requestedBytes: number, nodeMemoryBytes: number): number {
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  return Math.min(999, Math.max(3, Math.floor(1000 - (1000 * requestedBytes) / nodeMemoryBytes)));
}

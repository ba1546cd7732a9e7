import { formatByteCount, formatCpuMillis, type Live } from '@navarch/machinery';
import type { Queue, QueueStatus } from '@navarch/proto';
import type { Group } from './group.ts';
import { usage } from './turns.ts';

/** What is to be said of a queue with these groups, the object's own status where that says it already. */
export function queueStatusOf({ metadata, spec, status: before }: Live<Queue>, groups: readonly Group[]): QueueStatus {
  const amounts = usage(groups);
  const used = Object.fromEntries(Object.keys(spec.quota).map((name) => [name, quantity(name, amounts[name] ?? 0)]));
  const next: QueueStatus = {
    ...before,
    observedGeneration: metadata.generation,
    used,
    waiting: groups.filter(({ ready, admitted }) => ready && !admitted).length,
    admitted: groups.filter(({ admitted }) => admitted).length,
  };
  return JSON.stringify(next) === JSON.stringify(before) ? before : next;
}

function quantity(name: string, amount: number): string {
  if (name === 'cpu') return formatCpuMillis(amount);
  return name === 'memory' || name === 'ephemeral-storage' ? formatByteCount(amount) : String(amount);
}

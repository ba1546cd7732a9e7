import { age } from '@navarch/machinery';
import type { ContainerStatus, Pod } from '@navarch/proto';
import type { Column } from './define-kind.ts';

/** READY, STATUS and RESTARTS as kubectl reads them from a Pod. Source: kubernetes pkg/printers/internalversion printPod. */
export const podColumns: readonly Column<Pod>[] = [
  {
    title: 'READY',
    value: ({ spec, status }) => {
      const ready = (status?.containerStatuses ?? []).filter((container) => container.ready).length;
      return `${ready}/${spec?.containers.length ?? 0}`;
    },
  },
  { title: 'STATUS', value: podStatusText },
  { title: 'RESTARTS', value: restartsText },
];

/** What a Pod does, in the one word that a person wants to see. */
export function podStatusText(pod: Pod): string {
  if (pod.metadata?.deletionTimestamp) return pod.status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  const { status } = pod;
  const phase = status?.reason || status?.phase || 'Pending';
  return initText(pod) ?? containersText(pod, phase);
}

function initText({ spec, status }: Pod): string | undefined {
  const statuses = status?.initContainerStatuses ?? [];
  for (const [index, { state, started }] of statuses.entries()) {
    if (state?.terminated?.exitCode === 0) continue;
    if (state?.running !== undefined && started === true) continue;
    if (state?.terminated !== undefined) return `Init:${endedText(state.terminated)}`;
    const reason = state?.waiting?.reason ?? '';
    if (reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`;
    return `Init:${index}/${spec?.initContainers.length ?? 0}`;
  }
  return undefined;
}

function containersText({ status }: Pod, phase: string): string {
  const statuses = status?.containerStatuses ?? [];
  let text = phase;
  let running = false;
  // The first container that has something to say wins, hence the backward walk.
  for (const { state, ready } of statuses.toReversed()) {
    if (state?.waiting?.reason) text = state.waiting.reason;
    else if (state?.terminated !== undefined) text = endedText(state.terminated);
    else if (ready && state?.running !== undefined) running = true;
  }
  if (text !== 'Completed' || !running) return text;
  const ready = status?.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  return ready ? 'Running' : 'NotReady';
}

function endedText({ reason, signal, exitCode }: { reason: string; signal: number; exitCode: number }): string {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

function restartsText({ status }: Pod, now: number): string {
  const statuses: readonly ContainerStatus[] = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = statuses
    .map(({ lastState }) => lastState?.terminated?.finishedAt ?? '')
    .sort()
    .at(-1);
  return restarts > 0 && last ? `${restarts} (${age(last, now)} ago)` : String(restarts);
}

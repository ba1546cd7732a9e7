import type { Live } from '@navarch/machinery';
import type { ContainerStatus, Pod } from '@navarch/proto';
import { sooner } from '../plan.ts';
import { availableInMs, isActive } from '../pod-state.ts';
import { parseTimestamp } from '../time.ts';

/** A container that has ended in vain so often is not merely slow to find what it needs. */
const endsInVain = 3;
/** How long an image, or settings, may be missing. */
const patienceMs = 60_000;
/** A Pod that was ready for so long at a stretch has come up; until then it is watched. */
export const provenMs = 30_000;
const stuckReasons = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
/** Ends for which no template is to blame. */
const innocentEnds = new Set([
  'Evicted',
  'Preempting',
  'Preempted',
  'NodeLost',
  'NodeShutdown',
  'Terminated',
  'Shutdown',
]);

export interface Health {
  /** How many of the Pods fail, and how many there are. */
  readonly failing: number;
  readonly of: number;
  /** What one of them suffers from. */
  readonly example: string;
  /** Whether some have ended in vain already, if not often enough, and have not recovered. */
  readonly shaky: boolean;
  /** Whether every one has been ready for long enough. */
  readonly proven: boolean;
  /** When time alone may change the answer. */
  readonly againAfterMs: number | undefined;
}

/**
 * How the Pods of a new template do. A Pod fails when a container of it ended three times and waits to be started again, or
 * could not be started for a minute, or when it is over although it should run on. The template fails when at least
 * half of its Pods do: one bad node is not enough, unless the only Pod is there.
 */
export function healthOf(pods: readonly Live<Pod>[], now: number): Health {
  const present = pods.filter((pod) => isActive(pod));
  const over = pods.filter(({ status }) => status.phase === 'Failed' && !innocentEnds.has(status.reason));
  // Each is replaced at once: only when it happens again and again is it the template's fault.
  const counted = over.length >= endsInVain ? over.length : 0;
  const troubles = present.map((pod) => troubleOf(pod, now));
  const failing = troubles.filter(({ text }) => text !== undefined);
  const readyInMs = present.map((pod) => availableInMs(pod, provenMs / 1000, now));
  const restarted = present.filter((pod, index) => readyInMs[index] !== 0 && hasEnded(pod));
  const again = [...troubles.map(({ againAfterMs }) => againAfterMs), ...readyInMs.filter((ms) => ms !== 0)];
  return {
    failing: failing.length + counted,
    of: present.length + counted,
    example:
      failing[0]?.text ?? (counted > 0 ? `Pod ${over[0]?.metadata.name} failed: ${over[0]?.status.message}` : ''),
    shaky: restarted.length > 0,
    proven: readyInMs.every((ms) => ms === 0),
    againAfterMs: again.reduce(sooner, undefined),
  };
}

export function isFailing({ failing, of }: Health): boolean {
  return failing > 0 && failing * 2 >= of;
}

function troubleOf(pod: Live<Pod>, now: number): { text: string | undefined; againAfterMs?: number } {
  for (const container of containersOf(pod)) {
    const { name, state, restartCount } = container;
    const waiting = state?.waiting;
    if (waiting === undefined) continue;
    const what = `container "${name}" of Pod ${pod.metadata.name}`;
    if (waiting.reason === 'CrashLoopBackOff') {
      if (restartCount + 1 < endsInVain) continue;
      return { text: `${what} ended ${restartCount + 1} times${howItEnded(container)}` };
    }
    if (!stuckReasons.has(waiting.reason)) continue;
    const sinceMs = parseTimestamp(pod.status.startTime) ?? parseTimestamp(pod.metadata.creationTimestamp) ?? now;
    const leftMs = sinceMs + patienceMs - now;
    if (leftMs > 0) return { text: undefined, againAfterMs: leftMs };
    return { text: `${what} can't start (${waiting.reason}): ${waiting.message}` };
  }
  return { text: undefined };
}

function howItEnded({ lastState }: ContainerStatus): string {
  const end = lastState?.terminated;
  if (end === undefined) return '';
  return end.signal > 0 ? `, the last time by signal ${end.signal}` : `, the last time with exit code ${end.exitCode}`;
}

function hasEnded(pod: Live<Pod>): boolean {
  return containersOf(pod).some(({ restartCount, state }) => {
    return restartCount > 0 || state?.waiting?.reason === 'CrashLoopBackOff';
  });
}

function containersOf({ status }: Live<Pod>): readonly ContainerStatus[] {
  return [...status.initContainerStatuses, ...status.containerStatuses];
}

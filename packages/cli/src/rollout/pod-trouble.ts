import { podStatusText } from '@navarch/kinds';
import { humanDuration, type Live } from '@navarch/machinery';
import type { Container, ContainerState, ContainerStatus, Pod } from '@navarch/proto';

/**
 * What keeps a Pod from being available, in a few words to stand after its name and a colon; undefined when it is available: ready
 * for as long as its owner asks for. `probe` is what its last failed probe said, or ''.
 */
export function podTrouble(pod: Live<Pod>, minReadySeconds: number, now: number, probe = ''): string | undefined {
  const { metadata, spec, status } = pod;
  if (metadata.deletionTimestamp !== '') return 'is ending';
  if (status.phase === 'Failed' || status.phase === 'Succeeded') {
    const why = status.message || status.reason;
    return `has ended (${podStatusText(pod)})${why === '' ? '' : `: ${why}`}`;
  }
  if (spec.nodeName === '') return unscheduled(pod);
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') {
    const leftMs = Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - now;
    return leftMs > 0 ? `is ready, and counts as available in ${humanDuration(leftMs)}` : undefined;
  }
  const init = new Set(spec.initContainers.map(({ name }) => name));
  const containers = [...spec.initContainers, ...spec.containers];
  const statuses = [...status.initContainerStatuses, ...status.containerStatuses];
  const troubles = containers.flatMap((container) => {
    const one = statuses.find(({ name }) => name === container.name);
    const trouble = one && containerTrouble(container, one, { isInit: init.has(container.name), probe });
    return trouble === undefined ? [] : [trouble];
  });
  // What went wrong says more than what is merely on its way.
  const worst = troubles.toSorted((a, b) => b.weight - a.weight)[0];
  return worst?.text ?? `waits for node ${spec.nodeName}`;
}

function unscheduled({ spec, status }: Live<Pod>): string {
  const scheduled = status.conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.message !== '') return `fits no node: ${scheduled.message}`;
  return `waits for the scheduler${spec.schedulerName === 'default-scheduler' ? '' : ` "${spec.schedulerName}"`}`;
}

interface Trouble {
  readonly weight: number;
  readonly text: string;
}

function containerTrouble(
  container: Container,
  status: ContainerStatus,
  { isInit, probe }: { readonly isInit: boolean; readonly probe: string },
): Trouble | undefined {
  const { name, state = {} as ContainerState, lastState, restartCount } = status;
  const what = `${isInit ? 'init container' : 'container'} "${name}"`;
  const { waiting, running, terminated } = state;
  if (waiting !== undefined) return waitingTrouble(what, container, waiting, lastState, restartCount);
  if (terminated !== undefined) {
    if (isInit && terminated.exitCode === 0) return undefined;
    return { weight: 3, text: `${what} ended ${endText(terminated)}` };
  }
  if (running === undefined) return { weight: 0, text: `${what} is being started` };
  const restarts = restartCount === 0 ? '' : ` (restarted ${times(restartCount)})`;
  const why = `${restarts}${probe === '' ? '' : `: ${probe}`}`;
  if (isInit) return { weight: 1, text: `${what} has not ended yet${restarts}` };
  if (container.startupProbe !== undefined && status.started !== true) {
    return { weight: 2, text: `${what} runs, but its startup probe has not succeeded yet${why}` };
  }
  if (status.ready) return undefined;
  if (container.readinessProbe !== undefined) {
    return { weight: 2, text: `${what} runs, but its readiness probe does not succeed${why}` };
  }
  return { weight: 1, text: `${what} runs, but is not ready yet${restarts}` };
}

function waitingTrouble(
  what: string,
  { image }: Container,
  { reason, message }: NonNullable<ContainerState['waiting']>,
  lastState: ContainerState | undefined,
  restartCount: number,
): Trouble {
  const why = message === '' ? '' : `: ${message}`;
  if (/Image/.test(reason)) return { weight: 4, text: `can't get the image ${image} (${reason})${why}` };
  if (reason === 'CrashLoopBackOff') {
    const last = lastState?.terminated;
    const end = last === undefined ? '' : `; the last time it ended ${endText(last)}`;
    return { weight: 4, text: `${what} crashes again and again (restarted ${times(restartCount)}${end})` };
  }
  if (reason === '' || reason === 'ContainerCreating' || reason === 'PodInitializing') {
    return { weight: 0, text: `${what} is being made${why}` };
  }
  return { weight: 4, text: `${what} can't start (${reason})${why}` };
}

function endText({ exitCode, signal, reason, message }: NonNullable<ContainerState['terminated']>): string {
  const how = signal > 0 ? `by signal ${signal}` : `with exit code ${exitCode}`;
  const word = reason === '' || reason === 'Error' ? '' : ` (${reason})`;
  return `${how}${word}${message === '' ? '' : `: ${message}`}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

import type { Live } from '@navarch/machinery';
import type { Condition, ContainerStatus, Pod, PodStatus } from '@navarch/proto';
import { type ContainerRole, containerStatus, time } from './container-status.ts';
import { instancesOf, isFinished, isTerminating, type ObservedPod } from './model.ts';
import { qosClass } from './qos.ts';
import { verdict } from './verdict.ts';

/** The conditions that the agent reports; others are for others to say. */
export const reportedConditions: ReadonlySet<string> = new Set([
  'PodScheduled',
  'Initialized',
  'ContainersReady',
  'Ready',
]);

/**
 * What is reported of a Pod. Follows from what is observed and, for times of change and a phase that was final, from what
 * was reported before (`pod.status`). At rest it returns what it returned last.
 */
export function podStatus(pod: Live<Pod>, observed: ObservedPod, hostIp: string, now: number): PodStatus {
  const finished = outcome(pod, observed, now);
  const final = isFinished(pod.status.phase) || finished !== undefined || isTerminating(pod);
  const initialized = isInitialized(pod, observed);
  const report = (role: ContainerRole) => (container: Parameters<typeof containerStatus>[1]) =>
    containerStatus(pod, container, observed, { role, initialized, finished: final });
  const initContainerStatuses = pod.spec.initContainers.map(report('init'));
  const containerStatuses = pod.spec.containers.map(report('main'));
  const ephemeralContainerStatuses = pod.spec.ephemeralContainers.map(report('ephemeral'));
  const phase = phaseOf(pod, observed, containerStatuses, finished?.phase, initialized);
  const ip = pod.spec.hostNetwork && observed.sandboxes.some(({ ready }) => ready) ? hostIp : observed.ip;
  // A Pod that is not running keeps its last address until a new one is known; one that finished has none.
  const podIp = ip || (isFinished(phase) ? '' : pod.status.podIp);
  return {
    phase,
    conditions: conditions(pod, containerStatuses, { phase, initialized, now }),
    message: finished?.message ?? (isFinished(pod.status.phase) ? pod.status.message : ''),
    reason: finished?.reason ?? (isFinished(pod.status.phase) ? pod.status.reason : ''),
    hostIp,
    podIp,
    podIps: podIp === '' ? [] : [{ ip: podIp }],
    startTime: pod.status.startTime || time(now),
    initContainerStatuses,
    containerStatuses,
    ephemeralContainerStatuses,
    qosClass: qosClass(pod),
    observedGeneration: pod.metadata.generation,
    // It is where room was made for it.
    nominatedNodeName: '',
  };
}

/**
 * How the Pod ended, once no container is left: others take a Pod that is over for one that does nothing more, and start
 * another in its place.
 */
function outcome(pod: Live<Pod>, observed: ObservedPod, now: number) {
  const alive = observed.containers.some(({ state }) => state === 'running' || state === 'unknown');
  return alive ? undefined : verdict(pod, observed, now).finished;
}

function isInitialized(pod: Live<Pod>, observed: ObservedPod): boolean {
  const started = pod.spec.containers.some(({ name }) => instancesOf(observed, name).length > 0);
  return (
    started ||
    pod.spec.initContainers.every(({ name }) => {
      const [newest] = instancesOf(observed, name);
      return newest?.state === 'exited' && newest.exitCode === 0;
    })
  );
}

function phaseOf(
  pod: Live<Pod>,
  observed: ObservedPod,
  statuses: readonly ContainerStatus[],
  finished: string | undefined,
  initialized: boolean,
): string {
  if (isFinished(pod.status.phase)) return pod.status.phase;
  if (finished !== undefined) return finished;
  const everyStarted = statuses.every(({ name }) => instancesOf(observed, name).some((info) => info.startedAtMs > 0));
  return initialized && everyStarted ? 'Running' : 'Pending';
}

function conditions(
  pod: Live<Pod>,
  statuses: readonly ContainerStatus[],
  seen: { phase: string; initialized: boolean; now: number },
): Condition[] {
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
  const done = isFinished(seen.phase);
  const readiness = done
    ? { status: 'False', reason: seen.phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed', message: '' }
    : unready.length === 0
      ? { status: 'True', reason: '', message: '' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  const initialized = seen.initialized
    ? { status: 'True', reason: '', message: '' }
    : { status: 'False', reason: 'ContainersNotInitialized', message: 'init containers have not completed' };
  const wanted = [
    { type: 'PodScheduled', status: 'True', reason: '', message: '' },
    { type: 'Initialized', ...initialized },
    { type: 'ContainersReady', ...readiness },
    { type: 'Ready', ...readiness },
  ];
  const ours = wanted.map((condition): Condition => {
    const before = pod.status.conditions.find(({ type }) => type === condition.type);
    const changed = before?.status !== condition.status;
    return {
      ...condition,
      observedGeneration: 0,
      lastTransitionTime: changed ? time(seen.now) : before.lastTransitionTime,
      lastUpdateTime: '',
    };
  });
  const others = pod.status.conditions.filter(({ type }) => !wanted.some((condition) => condition.type === type));
  return [...ours, ...others];
}

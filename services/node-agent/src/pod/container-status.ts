import type { Live } from '@navarch/machinery';
import type { Container, ContainerState, ContainerStatus, Pod } from '@navarch/proto';
import type { ContainerInfo } from '../runtime/runtime.ts';
import { hasReadinessGate } from './awaited-ports.ts';
import { type Failure, instancesOf, type ObservedPod, restartPolicyOf, step } from './model.ts';
import { mayRestart, restartBackoffMs, retryAtMs } from './restart.ts';

/** What a container is in its Pod: one that must end first, one that the Pod is about, or one that was added to look into it. */
export type ContainerRole = 'init' | 'main' | 'ephemeral';

interface Circumstances {
  readonly role: ContainerRole;
  readonly initialized: boolean;
  readonly finished: boolean;
}

/** What is reported of one container. */
export function containerStatus(
  pod: Live<Pod>,
  container: Container,
  observed: ObservedPod,
  options: Circumstances,
): ContainerStatus {
  const [newest, before] = instancesOf(observed, container.name);
  const health = newest && observed.memory.health.get(newest.id);
  const running = newest?.state === 'running';
  const started = running && (container.startupProbe === undefined || health?.started === true);
  const healthy = started && (health?.ready ?? !hasReadinessGate(container)) && health?.failed === undefined;
  const ready = {
    init: newest?.state === 'exited' && newest.exitCode === 0,
    main: healthy,
    // Nobody waits for it.
    ephemeral: false,
  };
  const reported = {
    init: pod.status.initContainerStatuses,
    main: pod.status.containerStatuses,
    ephemeral: pod.status.ephemeralContainerStatuses,
  }[options.role];
  const previous = reported.find(({ name }) => name === container.name);
  const { state, lastState } = states(pod, container, observed, newest, before, options);
  return {
    name: container.name,
    state,
    lastState,
    ready: ready[options.role],
    restartCount: newest?.attempt ?? previous?.restartCount ?? 0,
    image: newest?.image || container.image,
    imageId: newest?.imageRef ?? '',
    containerId: newest ? containerId(newest) : '',
    started,
  };
}

export function containerId({ id }: ContainerInfo): string {
  return `containerd://${id}`;
}

function states(
  pod: Live<Pod>,
  container: Container,
  observed: ObservedPod,
  newest: ContainerInfo | undefined,
  before: ContainerInfo | undefined,
  options: Circumstances,
): { state: ContainerState; lastState: ContainerState | undefined } {
  const trouble = waitingForStep(container, observed);
  const lastOf = (info: ContainerInfo | undefined) => (info?.state === 'exited' ? terminated(info) : undefined);
  if (!newest) {
    const untouched = options.role === 'main' && !options.initialized && pod.spec.initContainers.length > 0;
    const reason = untouched ? 'PodInitializing' : 'ContainerCreating';
    return { state: waiting(trouble?.reason ?? reason, trouble?.message ?? ''), lastState: undefined };
  }
  if (newest.state === 'running') return { state: running(newest), lastState: lastOf(before) };
  if (newest.state !== 'exited') return { state: waiting('ContainerCreating', ''), lastState: lastOf(before) };
  const policy = options.role === 'ephemeral' ? 'Never' : restartPolicyOf(pod);
  const again = !options.finished && mayRestart(policy, newest.exitCode);
  if (again && trouble) return { state: waiting(trouble.reason, trouble.message), lastState: lastOf(newest) };
  const backoffMs = restartBackoffMs(newest);
  if (!again || backoffMs === 0) return { state: terminated(newest), lastState: lastOf(before) };
  const message = `back-off ${backoffMs / 1000}s restarting failed container ${container.name}`;
  return { state: waiting('CrashLoopBackOff', message), lastState: lastOf(newest) };
}

/** Why the next start of the container did not happen. */
function waitingForStep(container: Container, observed: ObservedPod): { reason: string; message: string } | undefined {
  const { failures } = observed.memory;
  const pull = failures.get(step.pull(container.image));
  if (pull) return pullTrouble(container.image, pull);
  return failures.get(step.start(container.name)) ?? failures.get(step.volumes) ?? failures.get(step.sandbox);
}

function pullTrouble(image: string, failure: Failure): { reason: string; message: string } {
  if (failure.count === 1 || failure.reason !== 'ErrImagePull') return failure;
  const seconds = (retryAtMs(failure) - failure.atMs) / 1000;
  return { reason: 'ImagePullBackOff', message: `back-off ${seconds}s pulling image "${image}": ${failure.message}` };
}

function waiting(reason: string, message: string): ContainerState {
  return { waiting: { reason, message }, running: undefined, terminated: undefined };
}

function running(info: ContainerInfo): ContainerState {
  return { waiting: undefined, running: { startedAt: time(info.startedAtMs) }, terminated: undefined };
}

function terminated(info: ContainerInfo): ContainerState {
  return {
    waiting: undefined,
    running: undefined,
    terminated: {
      exitCode: info.exitCode,
      signal: 0,
      reason: info.reason || (info.exitCode === 0 ? 'Completed' : 'Error'),
      message: info.message,
      startedAt: time(info.startedAtMs),
      finishedAt: time(info.finishedAtMs),
      containerId: containerId(info),
    },
  };
}

/** RFC 3339 to the second, as in every status. */
export function time(ms: number): string {
  return ms <= 0 ? '' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

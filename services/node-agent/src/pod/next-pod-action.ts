import type { Container, EphemeralContainer } from '@navarch/proto';
import type { ContainerInfo, SandboxInfo } from '../runtime/runtime.ts';
import {
  type DesiredPod,
  instancesOf,
  isFinished,
  isTerminating,
  type ObservedPod,
  type PodAction,
  pullPolicyOf,
  restartPolicyOf,
  step,
} from './model.ts';
import { firstBackoffMs, longestBackoffMs, mayRestart, restartBackoffMs, retryAtMs } from './restart.ts';
import { specHash, specHashAnnotation } from './spec-hash.ts';
import { verdict } from './verdict.ts';

/** What orphans get to end: nobody is left to ask how long they may take. */
const goneGraceSeconds = 2;
/** The sandbox and volumes depend on things (network, ConfigMaps) that come within seconds at a node's start. */
const setupBaseMs = 1_000;
const setupMaxMs = 30_000;

/**
 * The one next step that brings a Pod from what is to what should be. Called again after each step and each change; a
 * step that is running is never interrupted by another for the same Pod. Removing comes first, running second,
 * tidying up last.
 */
export function nextPodAction(desired: DesiredPod, observed: ObservedPod, now: number): PodAction {
  const { pod, gone } = desired;
  if (gone || isTerminating(pod)) return end(observed, graceSeconds(desired, now)) ?? { type: 'finalize' };

  const extra = observed.sandboxes.filter((sandbox) => sandbox.ready)[1];
  if (extra) return { type: 'stopSandbox', sandboxId: extra.id };

  // A Pod that finished keeps its ended containers, whose logs may still be wanted, but no process and no address.
  const outcome = verdict(pod, observed, now);
  if (isFinished(pod.status.phase) || outcome.finished) {
    return stop(observed, grace(pod.spec.terminationGracePeriodSeconds)) ?? tidyOrWait(observed, undefined, 'finished');
  }

  const sandbox = observed.sandboxes.find((candidate) => candidate.ready);
  if (!sandbox) return prepareSandbox(observed, now);

  const candidates = [...steps(desired, observed, sandbox, now)];
  const action = candidates.find((candidate) => candidate.type !== 'wait');
  if (action) return action;
  const waits = candidates.filter((candidate) => candidate.type === 'wait');
  const times = [...waits.map((wait) => wait.untilMs), outcome.deadlineMs].filter((time) => time !== undefined);
  return tidyOrWait(observed, times.length === 0 ? undefined : Math.min(...times), waits[0]?.reason ?? 'running');
}

function graceSeconds({ pod, gone }: DesiredPod, now: number): number {
  const whole = grace(pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds);
  if (gone) return Math.min(whole, goneGraceSeconds);
  // After an agent's restart only the rest of the period is left. An api that counts from the period's end is served too.
  const elapsed = Math.floor((now - Date.parse(pod.metadata.deletionTimestamp)) / 1000);
  return whole === 0 ? 0 : Math.min(whole, Math.max(1, whole - elapsed));
}

function grace(seconds: number | undefined): number {
  return seconds ?? 30;
}

function end(observed: ObservedPod, graceSeconds: number): PodAction | undefined {
  const stopping = stop(observed, graceSeconds);
  if (stopping) return stopping;
  const [sandbox] = observed.sandboxes;
  return sandbox && { type: 'removeSandbox', sandboxId: sandbox.id };
}

/** First the containers, in their own time; then the sandboxes, which takes the address away. */
function stop(observed: ObservedPod, graceSeconds: number): PodAction | undefined {
  const ids = observed.containers.filter(isAlive).map((container) => container.id);
  if (ids.length > 0) return { type: 'stopContainers', ids, graceSeconds, reason: 'Killing' };
  const sandbox = observed.sandboxes.find(({ id }) => !observed.memory.stoppedSandboxes.has(id));
  return sandbox && { type: 'stopSandbox', sandboxId: sandbox.id };
}

function isAlive(container: ContainerInfo): boolean {
  return container.state === 'running' || container.state === 'unknown';
}

function prepareSandbox(observed: ObservedPod, now: number): PodAction {
  const { memory, sandboxes } = observed;
  // A sandbox that died holds its address, and its containers may live on, until it is stopped.
  const dead = sandboxes.find(({ id }) => !memory.stoppedSandboxes.has(id));
  if (dead) return { type: 'stopSandbox', sandboxId: dead.id };
  for (const name of [step.volumes, step.sandbox]) {
    const failure = memory.failures.get(name);
    if (!failure) continue;
    const untilMs = retryAtMs(failure, setupBaseMs, setupMaxMs);
    if (now < untilMs) return { type: 'wait', untilMs, reason: failure.reason };
  }
  if (!memory.volumesReady) return { type: 'mountVolumes' };
  const [newest] = sandboxes;
  if (!newest) return { type: 'createSandbox', attempt: 0 };
  // One that dies again and again is not made again at once.
  const untilMs = newest.attempt === 0 ? 0 : newest.createdAtMs + sandboxBackoffMs(newest);
  if (now < untilMs) return { type: 'wait', untilMs, reason: 'SandboxBackOff' };
  return { type: 'createSandbox', attempt: newest.attempt + 1 };
}

function sandboxBackoffMs(newest: SandboxInfo): number {
  return Math.min(firstBackoffMs * 2 ** (newest.attempt - 1), longestBackoffMs);
}

/** Init containers one after another; once all have succeeded, the others side by side. */
function* steps(desired: DesiredPod, observed: ObservedPod, sandbox: SandboxInfo, now: number): Iterable<PodAction> {
  const { initContainers, containers, ephemeralContainers } = desired.pod.spec;
  const inSandbox = (container: ContainerInfo) => container.sandboxId === sandbox.id;
  // Init containers may have been tidied away; that a container was started proves that they were through.
  const initialized = containers.some(({ name }) => instancesOf(observed, name).some(inSandbox));
  if (!initialized) {
    for (const container of initContainers) {
      const newest = instancesOf(observed, container.name)[0];
      if (newest && inSandbox(newest) && newest.state === 'exited' && newest.exitCode === 0) continue;
      yield* containerSteps(desired, observed, sandbox, container, now);
      return;
    }
  }
  for (const container of containers) yield* containerSteps(desired, observed, sandbox, container, now);
  for (const container of ephemeralContainers) yield* ephemeralSteps(desired, observed, sandbox, container, now);
}

/** Started once, beside what runs, and never again: whoever looked through it has seen it end. */
function* ephemeralSteps(
  { pod }: DesiredPod,
  observed: ObservedPod,
  sandbox: SandboxInfo,
  container: EphemeralContainer,
  now: number,
): Iterable<PodAction> {
  const { name, targetContainerName: target } = container;
  const [newest] = instancesOf(observed, name);
  // The agent ended between making and starting it.
  if (newest?.state === 'created') yield { type: 'removeContainer', containerId: newest.id };
  // One that the api knows of and the runtime doesn't was lost with the machine.
  const { state } = pod.status.ephemeralContainerStatuses.find((status) => status.name === name) ?? {};
  if (newest !== undefined || (state?.running ?? state?.terminated) !== undefined) return;
  const awaited = target !== '' && !instancesOf(observed, target).some(({ state }) => state === 'running');
  if (awaited) yield { type: 'wait', untilMs: undefined, reason: 'TargetNotRunning' };
  else yield start(observed, sandbox, container, { attempt: 0, backoffMs: 0 }, now);
}

function* containerSteps(
  desired: DesiredPod,
  observed: ObservedPod,
  sandbox: SandboxInfo,
  container: Container,
  now: number,
): Iterable<PodAction> {
  const { pod } = desired;
  const [newest] = instancesOf(observed, container.name);
  const graceSeconds = grace(pod.spec.terminationGracePeriodSeconds);
  if (!newest) {
    yield start(observed, sandbox, container, { attempt: lostAttempt(desired, container.name), backoffMs: 0 }, now);
    return;
  }
  switch (newest.state) {
    case 'created':
      // The agent ended between making and starting it. Its settings may be out of date: make it anew.
      yield { type: 'removeContainer', containerId: newest.id };
      return;
    case 'unknown':
      yield { type: 'stopContainers', ids: [newest.id], graceSeconds: goneGraceSeconds, reason: 'Unknown' };
      return;
    case 'running': {
      const failed = observed.memory.health.get(newest.id)?.failed;
      const changed = newest.annotations[specHashAnnotation] !== specHash(container);
      if (failed) yield { type: 'stopContainers', ids: [newest.id], graceSeconds, reason: 'Unhealthy' };
      else if (changed) yield { type: 'stopContainers', ids: [newest.id], graceSeconds, reason: 'Changed' };
      return;
    }
    case 'exited': {
      const changed = newest.annotations[specHashAnnotation] !== specHash(container);
      if (!changed && !mayRestart(restartPolicyOf(pod), newest.exitCode)) return;
      const attempt = newest.attempt + 1;
      // Its sandbox died or its image was changed: that is no fault of its own.
      const excused = changed || newest.sandboxId !== sandbox.id;
      const backoffMs = excused ? 0 : restartBackoffMs(newest);
      const untilMs = newest.finishedAtMs + backoffMs;
      if (now < untilMs) yield { type: 'wait', untilMs, reason: 'CrashLoopBackOff' };
      else yield start(observed, sandbox, container, { attempt, backoffMs }, now);
    }
  }
}

/** A container that the api knows of and the runtime doesn't: the machine lost it, and the count goes on. */
function lostAttempt({ pod }: DesiredPod, name: string): number {
  const statuses = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses];
  const known = statuses.find((status) => status.name === name);
  return known && known.containerId !== '' ? known.restartCount + 1 : 0;
}

function start(
  { memory }: ObservedPod,
  sandbox: SandboxInfo,
  container: Container,
  next: { attempt: number; backoffMs: number },
  now: number,
): PodAction {
  const { name, image } = container;
  const policy = pullPolicyOf(container);
  const failure = memory.failures.get(step.start(name)) ?? memory.failures.get(step.pull(image));
  if (failure && now < retryAtMs(failure)) {
    return { type: 'wait', untilMs: retryAtMs(failure), reason: failure.reason };
  }
  if (!memory.volumesReady) {
    const volumes = memory.failures.get(step.volumes);
    const untilMs = volumes ? retryAtMs(volumes, setupBaseMs, setupMaxMs) : 0;
    if (now < untilMs) return { type: 'wait', untilMs, reason: volumes?.reason ?? 'Volumes' };
    return { type: 'mountVolumes' };
  }
  const pulled = memory.pulledFor.get(name) === next.attempt;
  const present = memory.images.get(image) === true;
  if (!pulled && (policy === 'Always' || !present)) {
    return { type: 'pullImage', container: name, image, attempt: next.attempt };
  }
  return { type: 'startContainer', container: name, sandboxId: sandbox.id, ...next };
}

/** Of each container the newest and the one before it stay; of the sandboxes, those that still hold one. */
function tidyOrWait(observed: ObservedPod, untilMs: number | undefined, reason: string): PodAction {
  const names = new Set(observed.containers.map((container) => container.name));
  for (const name of names) {
    const old = instancesOf(observed, name)
      .slice(2)
      .find((container) => container.state === 'exited');
    if (old) return { type: 'removeContainer', containerId: old.id };
  }
  const empty = observed.sandboxes
    .slice(1)
    .find(({ id, ready }) => !ready && !observed.containers.some((container) => container.sandboxId === id));
  if (empty) return { type: 'removeSandbox', sandboxId: empty.id };
  return { type: 'wait', untilMs, reason };
}

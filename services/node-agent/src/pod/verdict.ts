import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { instancesOf, isFinished, isTerminating, type ObservedPod, restartPolicyOf } from './model.ts';
import { mayRestart } from './restart.ts';

/** Whether a Pod is through, and how. */
export interface Verdict {
  readonly finished?: { readonly phase: 'Succeeded' | 'Failed'; readonly reason: string; readonly message: string };
  /** When activeDeadlineSeconds will end it. */
  readonly deadlineMs?: number;
}

export function verdict(pod: Live<Pod>, observed: ObservedPod, now: number): Verdict {
  if (isTerminating(pod)) {
    if (isFinished(pod.status.phase)) return {};
    return { finished: { phase: asAskedTo(pod, observed), reason: '', message: '' } };
  }
  const { activeDeadlineSeconds } = pod.spec;
  if (activeDeadlineSeconds === undefined || pod.status.startTime === '') return ending(pod, observed);
  const deadlineMs = Date.parse(pod.status.startTime) + activeDeadlineSeconds * 1000;
  if (now < deadlineMs) return { ...ending(pod, observed), deadlineMs };
  const message = 'the Pod was active longer than its activeDeadlineSeconds';
  return { finished: { phase: 'Failed', reason: 'DeadlineExceeded', message } };
}

function ending(pod: Live<Pod>, observed: ObservedPod): Verdict {
  const policy = restartPolicyOf(pod);
  const newest = (name: string) => instancesOf(observed, name)[0];
  const hopeless = pod.spec.initContainers
    .map(({ name }) => newest(name))
    .find((init) => init?.state === 'exited' && init.exitCode !== 0 && !mayRestart(policy, init.exitCode));
  if (hopeless) return { finished: { phase: 'Failed', reason: '', message: '' } };
  const exits = pod.spec.containers.map(({ name }) => {
    const container = newest(name);
    const through = container?.state === 'exited' && !mayRestart(policy, container.exitCode);
    return through ? container.exitCode : undefined;
  });
  if (exits.includes(undefined)) return {};
  const phase = exits.every((exitCode) => exitCode === 0) ? 'Succeeded' : 'Failed';
  return { finished: { phase, reason: '', message: '' } };
}

/** A Pod that was asked to go starts nothing again: it has succeeded if all of its containers have, and failed otherwise. */
function asAskedTo(pod: Live<Pod>, observed: ObservedPod): 'Succeeded' | 'Failed' {
  const succeeded = pod.spec.containers.every(({ name }) => {
    const [newest] = instancesOf(observed, name);
    return newest?.state === 'exited' && newest.exitCode === 0;
  });
  return succeeded ? 'Succeeded' : 'Failed';
}

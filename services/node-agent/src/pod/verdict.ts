import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { instancesOf, type ObservedPod, restartPolicyOf } from './model.ts';
import { mayRestart } from './restart.ts';

/** Whether a Pod is through, and how. */
export interface Verdict {
  readonly finished?: { readonly phase: 'Succeeded' | 'Failed'; readonly reason: string; readonly message: string };
  /** When activeDeadlineSeconds will end it. */
  readonly deadlineMs?: number;
}

export function verdict(pod: Live<Pod>, observed: ObservedPod, now: number): Verdict {
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

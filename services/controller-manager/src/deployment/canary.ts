import { type CanaryStep, parseCanary, releaseAnnotations, releaseRecords, stepSize } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { CanaryStatus, Deployment } from '@navarch/proto';
import { parseTimestamp, timestamp } from '../time.ts';
import { availableOf, isTrial, type ReplicaSets } from './replica-sets.ts';
import { isRecreate, replicasOf } from './strategy.ts';

/**
 * How far a rollout by steps is now; undefined when there is none: no steps are asked for, or all of them are done, or
 * there is nothing good to leave the other Pods to. Going back to what was good last takes no steps.
 *
 * A step that names a size is done when so many Pods of the new template are available; a pause when its time is over; and
 * each when somebody has promoted the rollout past it.
 */
export function canaryNow(deployment: Live<Deployment>, sets: ReplicaSets, now: number): CanaryStatus | undefined {
  const { metadata, spec, status } = deployment;
  const steps = parseCanary(metadata.annotations[releaseAnnotations.canary] ?? '');
  if (typeof steps === 'string' || steps.length === 0 || isRecreate(spec)) return undefined;
  const desired = replicasOf(spec);
  if (desired === 0 || !isTrial(sets)) return undefined;
  const { current } = sets;
  if (current === undefined) return statusAt({ steps, at: 0, name: '', desired, pausedUntil: undefined, now });

  const { name } = current.metadata;
  const before = status.release?.canary?.replicaSet === name ? status.release.canary : undefined;
  const promoted = promotedSteps(metadata.annotations[releaseRecords.promoted], name);
  let at = Math.max(before?.done ?? 0, promoted);
  let pausedUntil = at === before?.done && before.paused ? before.pausedUntil : undefined;
  for (let step = steps[at]; step !== undefined && !spec.paused; step = steps[at]) {
    if (step.type === 'size') {
      if (availableOf(current) < stepSize(step, desired)) break;
    } else {
      pausedUntil ??= endOf(step, now);
      if (pausedUntil === '' || now < (parseTimestamp(pausedUntil) ?? 0)) break;
    }
    at++;
    pausedUntil = undefined;
  }
  return statusAt({ steps, at, name, desired, pausedUntil, now });
}

/** All steps done: the rest is an ordinary rollout. */
export function isCanaryDone(canary: CanaryStatus): boolean {
  return canary.done >= canary.steps;
}

interface Place {
  readonly steps: readonly CanaryStep[];
  readonly at: number;
  readonly name: string;
  readonly desired: number;
  readonly pausedUntil: string | undefined;
  readonly now: number;
}

function statusAt({ steps, at, name, desired, pausedUntil, now }: Place): CanaryStatus {
  const step = steps[at];
  const done = Math.min(at, steps.length);
  const size = steps.slice(0, at + 1).findLast((each) => each.type === 'size');
  const replicas = step === undefined ? desired : size === undefined ? 0 : stepSize(size, desired);
  const paused = step?.type === 'pause';
  const until = paused ? (pausedUntil ?? endOf(step, now)) : '';
  return { replicaSet: name, steps: steps.length, done, replicas, paused, pausedUntil: until };
}

/** Up to a second later than asked for: times are whole seconds. */
function endOf({ ms }: Extract<CanaryStep, { type: 'pause' }>, now: number): string {
  return ms === undefined ? '' : timestamp(now + ms + 999);
}

function promotedSteps(text: string | undefined, name: string): number {
  const [replicaSet, steps] = (text ?? '').split('/');
  if (replicaSet !== name) return 0;
  return steps === 'all' ? Number.MAX_SAFE_INTEGER : /^\d{1,3}$/.test(steps ?? '') ? Number(steps) : 0;
}

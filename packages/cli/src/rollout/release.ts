import { copiesOf, goingBack, pinsOf, rolledBackOf } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { CanaryStatus, Deployment, PodTemplateSpec, ReplicaSet } from '@navarch/proto';
import { going, type RolloutProgress } from './progress.ts';

/** What is to be said of a Deployment that went back, waits for settings, or goes by steps; undefined for all others. */
export function releaseProgress({ metadata, status }: Live<Deployment>): RolloutProgress | undefined {
  const { name, generation } = metadata;
  if (generation > status.observedGeneration) return undefined;
  const rolledBack = status.conditions.find(({ type, status }) => type === 'RolledBack' && status === 'True');
  if (rolledBack !== undefined) {
    return { state: 'failed', message: `deployment "${name}" was rolled back: ${rolledBack.message}` };
  }
  const progressing = status.conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ConfigurationMissing') return going(`deployment "${name}": ${progressing.message}`);
  const canary = status.release?.canary;
  if (canary === undefined || canary.done >= canary.steps) return undefined;
  const next = canary.paused && canary.pausedUntil === '' ? `; go on with: navctl rollout promote deploy/${name}` : '';
  return going(`deployment "${name}" is at ${canaryText(canary)}${next}`);
}

/** step 2 of 4: 1 new Pod, pauses until it is promoted */
export function canaryText({ done, steps, replicas, paused, pausedUntil }: CanaryStatus): string {
  const pods = `${replicas} new ${replicas === 1 ? 'Pod' : 'Pods'}`;
  if (done >= steps) return `all ${steps} steps done`;
  const pause = pausedUntil === '' ? 'pauses until it is promoted' : `pauses until ${pausedUntil}`;
  return `step ${done + 1} of ${steps}: ${pods}${paused ? `, ${pause}` : ''}`;
}

/** What is to be said of each ReplicaSet, by name: why it was given up, or that a rollout that fails goes back to it. */
export function releaseNotes(object: Live<Deployment>): Readonly<Record<string, string>> {
  const notes: Record<string, string> = {};
  const { release } = object.status;
  if (release !== undefined && release.lastGood !== '') notes[release.lastGood] = 'last good';
  const failed = rolledBackOf(object);
  if (failed !== undefined) notes[failed.from] = `failed: ${failed.message}`;
  return notes;
}

export interface Return {
  readonly template: PodTemplateSpec | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether the Deployment is all of that already. */
  readonly isThere: boolean;
}

/** What makes an earlier revision run again, with the settings that it had. */
export function returnTo(
  deployment: Live<Deployment>,
  current: Live<ReplicaSet> | undefined,
  earlier: Live<ReplicaSet>,
): Return {
  const back = goingBack(deployment, copiesOf(current), earlier);
  const pins = (annotations: Readonly<Record<string, string>>) =>
    JSON.stringify(pinsOf({ metadata: { ...deployment.metadata, annotations } }));
  return { ...back, isThere: pins(back.annotations) === pins(deployment.metadata.annotations) };
}

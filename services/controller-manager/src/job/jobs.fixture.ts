/** Jobs and their Pods as the caches would show them, for tests. */
import {
  completionIndexLabel,
  indexFailuresAnnotation,
  indexIgnoredFailuresAnnotation,
  job as jobKind,
  jobTrackingFinalizer,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Job, type Pod } from '@navarch/proto';
import { agoMs, live, pod } from '../objects.fixture.ts';
import { controllerReference } from '../ownership.ts';

type JobParts = Parameters<typeof Job.fromPartial>[0];
export type JobSpecParts = NonNullable<JobParts['spec']>;
export type JobStatusParts = NonNullable<JobParts['status']>;

const labels = { app: 'work' };

/** A Job that the api has completed. It is one minute old and has begun. */
export function job(
  spec: JobSpecParts = {},
  status: JobStatusParts = {},
  metadata: JobParts['metadata'] = {},
): Live<Job> {
  const object = Job.fromPartial({
    metadata: { name: 'work', namespace: 'default', uid: 'uid-work', resourceVersion: '5', generation: 1, ...metadata },
    spec: {
      manualSelector: true,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] },
      },
      ...spec,
    },
    status: { startTime: agoMs(60_000), ...status },
  });
  jobKind.complete?.(object);
  return live(object);
}

export interface PodParts {
  /** Default Running. */
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly index?: number;
  /** How often the index had failed before. */
  readonly failures?: number;
  readonly ignored?: number;
  readonly tracked?: boolean;
  readonly ending?: boolean;
  readonly exitCode?: number;
  readonly restarts?: number;
  /** How long ago its container ended. Default 30 s. */
  readonly endedAgoMs?: number;
  /** Default True for a Pod that runs. */
  readonly ready?: boolean;
  readonly conditions?: readonly string[];
  readonly manager?: 'job' | 'nobody';
}

/** A Pod of the Job `work`. */
export function jobPod(name: string, parts: PodParts = {}): Live<Pod> {
  const { phase = 'Running', index, tracked = true, ending = false, endedAgoMs = 30_000 } = parts;
  const over = phase === 'Succeeded' || phase === 'Failed';
  const exitCode = parts.exitCode ?? (phase === 'Failed' ? 1 : 0);
  const state = over ? { terminated: { exitCode, finishedAt: agoMs(endedAgoMs) } } : {};
  const annotations = {
    ...(index !== undefined && { [completionIndexLabel]: String(index) }),
    ...(parts.failures !== undefined && { [indexFailuresAnnotation]: String(parts.failures) }),
    ...(parts.ignored !== undefined && { [indexIgnoredFailuresAnnotation]: String(parts.ignored) }),
  };
  const made = pod(name, {
    ready: parts.ready ?? phase === 'Running',
    metadata: {
      labels,
      annotations,
      finalizers: tracked ? [jobTrackingFinalizer] : [],
      ownerReferences: parts.manager === 'nobody' ? [] : [controllerReference(jobKind, job())],
      creationTimestamp: agoMs(50_000),
      deletionTimestamp: ending ? agoMs(1_000) : '',
    },
    status: { phase, containerStatuses: [{ name: 'c', state, restartCount: parts.restarts ?? 0 }] },
  });
  for (const type of parts.conditions ?? []) {
    made.status.conditions.push({
      type,
      status: 'True',
      reason: '',
      message: '',
      observedGeneration: 0,
      lastTransitionTime: '',
      lastUpdateTime: '',
    });
  }
  return made;
}

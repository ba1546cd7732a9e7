import { completionIndexLabel, job as jobKind, jobTrackingFinalizer } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { EnvVar, type Job, type Pod } from '@navarch/proto';
import { childNames } from '../child-name.ts';
import { podFromTemplate } from '../pod-from-template.ts';
import { failureAnnotations } from './indexes.ts';

interface Names {
  has(name: string): boolean;
}

const indexVariable = 'JOB_COMPLETION_INDEX';

/** Pods that are as good as one another. */
export function newPods(job: Live<Job>, count: number, taken: Names): readonly Pod[] {
  return childNames(job.metadata, count, taken).map((name) =>
    podFromTemplate(jobKind, job, job.spec.template, { name, finalizers: [jobTrackingFinalizer] }),
  );
}

/** The Pod for one index. `last` is the one whose place it takes, where failures are counted for each index. */
export function newIndexPod(job: Live<Job>, index: number, last: Live<Pod> | undefined, taken: Names): Pod {
  const { name, uid } = job.metadata;
  const hostname = `${name}-${index}`;
  const [own = ''] = childNames({ name: hostname, uid: `${uid} ${index}` }, 1, taken);
  const pod = podFromTemplate(jobKind, job, job.spec.template, {
    name: own,
    labels: { [completionIndexLabel]: String(index) },
    annotations: { [completionIndexLabel]: String(index), ...failureAnnotations(job, last) },
    finalizers: [jobTrackingFinalizer],
  });
  if (pod.spec === undefined) return pod;
  pod.spec.hostname = hostname;
  const fieldPath = `metadata.labels['${completionIndexLabel}']`;
  for (const { env } of [...pod.spec.initContainers, ...pod.spec.containers]) {
    if (env.some((variable) => variable.name === indexVariable)) continue;
    env.push(EnvVar.fromPartial({ name: indexVariable, valueFrom: { fieldRef: { fieldPath } } }));
  }
  return pod;
}

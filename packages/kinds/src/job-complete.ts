import { ObjectMeta, type Job, type JobSpec } from '@navarch/proto';
import { jobNameLabel, jobUidLabel, oldJobNameLabel, oldJobUidLabel } from './job-labels.ts';
import { completePodSpec } from './pod-complete.ts';

/** Defaults of a Job that depend on more than the field itself, and the selector that only its own Pods have. Changes `job`. */
export function completeJob({ metadata, spec }: Job): void {
  if (spec === undefined) return;
  completeJobSpec(spec);
  // A template has no uid yet: its Jobs get their selectors when they are made.
  if (metadata !== undefined && metadata.uid !== '' && spec.manualSelector !== true) chooseOwnPods(metadata, spec);
}

export function completeJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : noLimit;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  completePodSpec(spec.template?.spec);
}

/** Of an int32: Kubernetes' word for a limit that is none. */
const noLimit = 2_147_483_647;

function chooseOwnPods({ name, uid }: ObjectMeta, spec: JobSpec): void {
  spec.selector ??= { matchLabels: { [jobUidLabel]: uid }, matchExpressions: [] };
  const { template } = spec;
  if (template === undefined) return;
  template.metadata ??= ObjectMeta.fromJSON({});
  const { labels } = template.metadata;
  for (const label of [jobNameLabel, oldJobNameLabel]) labels[label] ??= name;
  for (const label of [jobUidLabel, oldJobUidLabel]) labels[label] ??= uid;
}

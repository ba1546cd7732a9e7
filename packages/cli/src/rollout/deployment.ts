import {
  podTemplateHashLabel,
  deployment,
  minReadySecondsOf,
  originalTemplate,
  replicaSet,
  rolledBackOf,
} from '@navarch/kinds';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { deploymentProgress } from './progress.ts';
import { releaseNotes, releaseProgress, returnTo } from './release.ts';
import type { RolloutKind } from './rollout-kind.ts';

const revisionKey = 'deployment.kubernetes.io/revision';
/** Tells the Pods of one revision from those of the others; no part of what the user wrote. */

export const deploymentRollout: RolloutKind<Deployment, ReplicaSet> = {
  kind: deployment,
  progress: (object) => releaseProgress(object) ?? deploymentProgress(object),
  facts: (object) => {
    const { spec, status } = object;
    const canary = status.release?.canary;
    const failed = rolledBackOf(object)?.from;
    const progressing = status.conditions.find(({ type }) => type === 'Progressing');
    const failure = status.conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
    // The clock stands still while the rollout is held, and once it is done.
    const runs = progressing?.status === 'True' && progressing.reason !== 'NewReplicaSetAvailable';
    const since = runs ? Date.parse(progressing.lastUpdateTime) : Number.NaN;
    return {
      selector: spec.selector,
      template: spec.template,
      paused: spec.paused,
      desired: canary?.replicas ?? spec.replicas ?? 1,
      minReadySeconds: minReadySecondsOf(object),
      deadlineAt: Number.isNaN(since) ? undefined : since + (spec.progressDeadlineSeconds ?? 600) * 1000,
      failure: failure?.message ?? '',
      notes: releaseNotes(object),
      ...(failed !== undefined && { failedRecord: failed }),
    };
  },
  records: replicaSet,
  revision: (record) => {
    const { metadata, spec } = record;
    const template = originalTemplate(record);
    if (template === undefined) return undefined;
    return {
      number: Number(metadata.annotations[revisionKey] ?? 0),
      cause: metadata.annotations['kubernetes.io/change-cause'] ?? '',
      hash: spec.template?.metadata?.labels[podTemplateHashLabel] ?? '',
      template,
    };
  },
  returnTo,
  hashLabel: podTemplateHashLabel,
  canPause: true,
};

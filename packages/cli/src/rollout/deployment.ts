import { deployment, replicaSet } from '@navarch/kinds';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { deploymentProgress } from './progress.ts';
import type { RolloutKind } from './rollout-kind.ts';

const revisionKey = 'deployment.kubernetes.io/revision';
/** Tells the Pods of one revision from those of the others; no part of what the user wrote. */
const hashLabel = 'pod-template-hash';

export const deploymentRollout: RolloutKind<Deployment, ReplicaSet> = {
  kind: deployment,
  progress: deploymentProgress,
  facts: ({ spec, status }) => {
    const progressing = status.conditions.find(({ type }) => type === 'Progressing');
    const failure = status.conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
    // The clock stands still while the rollout is held, and once it is done.
    const runs = progressing?.status === 'True' && progressing.reason !== 'NewReplicaSetAvailable';
    const since = runs ? Date.parse(progressing.lastUpdateTime) : Number.NaN;
    return {
      selector: spec.selector,
      template: spec.template,
      paused: spec.paused,
      desired: spec.replicas ?? 1,
      minReadySeconds: spec.minReadySeconds,
      deadlineAt: Number.isNaN(since) ? undefined : since + (spec.progressDeadlineSeconds ?? 600) * 1000,
      failure: failure?.message ?? '',
    };
  },
  records: replicaSet,
  revision: ({ metadata, spec }) => {
    const { template } = spec;
    if (template === undefined) return undefined;
    const { [hashLabel]: hash = '', ...labels } = template.metadata?.labels ?? {};
    return {
      number: Number(metadata.annotations[revisionKey] ?? 0),
      cause: metadata.annotations['kubernetes.io/change-cause'] ?? '',
      hash,
      template: { ...template, metadata: template.metadata && { ...template.metadata, labels } },
    };
  },
  hashLabel,
  canPause: true,
};

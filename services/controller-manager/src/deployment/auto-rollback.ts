import {
  goingBack,
  isAutoRollback,
  releaseRecords,
  type RolledBack,
  rolledBackOf,
  deployment as deploymentKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Deployment, DeploymentStatus } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { conditionOf } from '../conditions.ts';
import type { Plan } from '../plan.ts';
import { revisionOf } from './annotations.ts';
import { type Health, isFailing } from './crashes.ts';
import { isTrial, type ReplicaSets, templateHash } from './replica-sets.ts';
import type { KnownTemplate } from './configuration.ts';

/** Whether a rollout is going on that may have to be taken back. */
export function isOnTrial(deployment: Live<Deployment>, sets: ReplicaSets): boolean {
  return isAutoRollback(deployment) && !deployment.spec.paused && isTrial(sets);
}

/**
 * What of a rollout went wrong; undefined while there is hope. A template that was taken back once is not tried again
 * until somebody has changed it, whoever gives it back: the record of it stands until then.
 */
export function failureOf(
  deployment: Live<Deployment>,
  known: KnownTemplate,
  health: Health,
  status: DeploymentStatus | undefined,
): RolledBack | undefined {
  const template = templateHash(known.template);
  const before = rolledBackOf(deployment);
  if (before?.template === template) return before;
  const given = { template, from: '', to: '' };
  if (isFailing(health)) {
    const message = `${health.failing} of ${health.of} new Pods fail: ${health.example}`;
    return { ...given, reason: 'PodsFail', message };
  }
  const progressing = conditionOf(status?.conditions, 'Progressing');
  if (progressing?.reason !== 'ProgressDeadlineExceeded') return undefined;
  const seconds = deployment.spec.progressDeadlineSeconds ?? 600;
  const message = `it got no further for ${seconds} seconds${health.example === '' ? '' : `: ${health.example}`}`;
  return { ...given, reason: 'ProgressDeadlineExceeded', message };
}

/** One write: the last good template, and why. Undefined when that is what the Deployment says already. */
export function rollback(
  deployment: Live<Deployment>,
  sets: ReplicaSets,
  known: KnownTemplate,
  failure: RolledBack,
): Plan | undefined {
  const { current, lastGood } = sets;
  if (lastGood === undefined) return undefined;
  const { metadata, spec } = deployment;
  const { template, annotations } = goingBack(deployment, known.copies, lastGood);
  const again = failure.from !== '';
  const record: RolledBack = {
    ...failure,
    from: again ? failure.from : (current?.metadata.name ?? ''),
    to: lastGood.metadata.name,
  };
  const object = {
    ...deployment,
    metadata: { ...metadata, annotations: { ...annotations, [releaseRecords.rolledBack]: JSON.stringify(record) } },
    spec: { ...spec, template },
  };
  if (equalValues(object, deployment)) return undefined;
  const write = { type: 'update', kind: deploymentKind, object } as const;
  const message = again
    ? `The template of ${record.from} failed before and is not tried again; change it, or remove the annotation ${releaseRecords.rolledBack}`
    : `Going back from ${record.from} to ${record.to} (revision ${revisionOf(lastGood)}): ${record.message}`;
  const reason = again ? 'RollbackKept' : 'RolledBack';
  return {
    writes: [write],
    events: [{ kind: deploymentKind, object: deployment, type: 'Warning', reason, message, after: write }],
    fieldManager: 'auto-rollback',
  };
}

/** The record of a rollback, as long as the Deployment is what it went back to or the template that failed. */
export function standingRecord(
  deployment: Live<Deployment>,
  sets: ReplicaSets,
  known: KnownTemplate | undefined,
): RolledBack | undefined {
  const record = rolledBackOf(deployment);
  if (record === undefined || known === undefined) return record;
  const stands = sets.current?.metadata.name === record.to || templateHash(known.template) === record.template;
  return stands ? record : undefined;
}

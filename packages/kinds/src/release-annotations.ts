import type { FieldError } from '@navarch/machinery';
import type { Deployment } from '@navarch/proto';
import { parseCanary } from './canary-steps.ts';

/** What a user says about a Deployment's releases. */
export const releaseAnnotations = {
  /** "true": a rollout that fails goes back to the last good revision by itself. */
  autoRollback: 'navarch.io/auto-rollback',
  /** The steps by which a rollout goes: "1, pause 5m, 50%, pause". */
  canary: 'navarch.io/canary',
  /** "true": a change of a ConfigMap or Secret that the template uses is a rollout. */
  configRollout: 'navarch.io/config-rollout',
} as const;

/** What navctl and the controller write down. */
export const releaseRecords = {
  /** On a Deployment: up to which step a rollout was promoted, `<ReplicaSet>/<steps>` or `<ReplicaSet>/all`. */
  promoted: 'navarch.io/canary-promoted',
  /** On a Deployment: the template that was given up, and why. JSON, see RolledBack. */
  rolledBack: 'navarch.io/rolled-back',
  /** On a Deployment: which copies are used although the originals say something else. JSON, see ConfigPins. */
  configPinned: 'navarch.io/config-pinned',
  /** On a ReplicaSet: the copy that its template names for each original. JSON: {"ConfigMap/app": "app-x7c2"}. */
  config: 'navarch.io/config',
  /** On a copy: the original's name. */
  configOf: 'navarch.io/config-of',
} as const;

/** A rollout that went back by itself. */
export interface RolledBack {
  /** What tells the template that failed from all others. */
  readonly template: string;
  /** The ReplicaSets that failed and that it went back to. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly message: string;
}

type Annotated = { readonly metadata?: { readonly annotations: Readonly<Record<string, string>> } | undefined };

export function isAutoRollback(object: Annotated): boolean {
  return object.metadata?.annotations[releaseAnnotations.autoRollback] === 'true';
}

/** A container that crashes at once may be ready before it does. */
const leastReadySeconds = 10;

/**
 * How long a Pod must be ready to count as available. Where a rollout may go back that is at least ten seconds, so that the
 * old Pods are still there when the new ones turn out to crash; less where the rollout's deadline would not allow it.
 */
export function minReadySecondsOf(deployment: Annotated & Pick<Deployment, 'spec'>): number {
  const { minReadySeconds = 0, progressDeadlineSeconds = 600 } = deployment.spec ?? {};
  if (!isAutoRollback(deployment)) return minReadySeconds;
  return Math.max(minReadySeconds, Math.min(leastReadySeconds, progressDeadlineSeconds - 1));
}

export function isConfigRollout(object: Annotated): boolean {
  return object.metadata?.annotations[releaseAnnotations.configRollout] === 'true';
}

/** Undefined when there is none, or one that nobody can read. */
export function rolledBackOf({ metadata }: Annotated): RolledBack | undefined {
  const { template, from, to, reason, message } = readRecord(metadata?.annotations[releaseRecords.rolledBack]);
  const texts = [template, from, to, reason, message];
  if (!texts.every((text) => typeof text === 'string')) return undefined;
  return { template, from, to, reason, message } as RolledBack; // all of them are texts
}

/** JSON that somebody else may have written: an object in any case. */
export function readRecord(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function validateRelease({ metadata, spec }: Deployment): FieldError[] {
  const annotations = metadata?.annotations ?? {};
  const errors: FieldError[] = [];
  for (const name of [releaseAnnotations.autoRollback, releaseAnnotations.configRollout]) {
    const value = annotations[name] ?? 'false';
    if (value !== 'true' && value !== 'false')
      errors.push({ path: pathOf(name), message: `must be "true" or "false", not "${value}"` });
  }
  const path = pathOf(releaseAnnotations.canary);
  const steps = parseCanary(annotations[releaseAnnotations.canary] ?? '');
  if (typeof steps === 'string') errors.push({ path, message: steps });
  else if (steps.length > 0 && spec?.strategy?.type === 'Recreate')
    errors.push({ path, message: 'goes with the strategy RollingUpdate only: Recreate has no steps' });
  return errors;
}

function pathOf(annotation: string): string {
  return `metadata.annotations[${annotation}]`;
}

import type { FieldError } from '@navarch/machinery';
import type { Deployment, DeploymentSpec } from '@navarch/proto';

const standardStep = '25%';

/** The strategy of a Deployment that names none, or only a part of one. */
export function completeStrategy(spec: DeploymentSpec): void {
  spec.strategy ??= { type: undefined, rollingUpdate: undefined };
  const { strategy } = spec;
  strategy.type ??= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= { maxSurge: undefined, maxUnavailable: undefined };
    strategy.rollingUpdate.maxSurge ??= standardStep;
    strategy.rollingUpdate.maxUnavailable ??= standardStep;
  } else if (strategy.rollingUpdate !== undefined) {
    // What was completed above before the type changed to Recreate is nobody's wish, and goes.
    const { maxSurge, maxUnavailable } = strategy.rollingUpdate;
    if (maxSurge === standardStep && maxUnavailable === standardStep) strategy.rollingUpdate = undefined;
  }
}

export function validateStrategy({ spec }: Deployment): FieldError[] {
  const { type, rollingUpdate } = spec?.strategy ?? {};
  if (rollingUpdate === undefined) return [];
  const path = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') return [{ path, message: 'must not be set when the type is Recreate' }];
  const { maxSurge, maxUnavailable } = rollingUpdate;
  if (isZero(maxSurge) && isZero(maxUnavailable)) {
    return [{ path: `${path}.maxUnavailable`, message: 'must not be 0 when maxSurge is 0: nothing could be replaced' }];
  }
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100) {
    return [{ path: `${path}.maxUnavailable`, message: `"${maxUnavailable}" must be at most 100%` }];
  }
  return [];
}

export function validateDeadline({ spec }: Deployment): FieldError[] {
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec ?? {};
  if (deadline === undefined || deadline > minReadySeconds) return [];
  return [{ path: 'spec.progressDeadlineSeconds', message: `must be more than minReadySeconds (${minReadySeconds})` }];
}

function isZero(value: unknown): boolean {
  return value === 0 || value === '0%';
}

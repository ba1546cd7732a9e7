import type { FieldError } from '@navarch/machinery';
import { DaemonSet, type DaemonSetSpec } from '@navarch/proto';
import { ageColumn, labelsText, nameColumn } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { completePodSpec } from './pod-complete.ts';
import { templateColumns, validateTemplate } from './template.ts';

export const daemonSet = defineKind('daemonSet', DaemonSet, {
  group: 'apps',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'DESIRED', type: 'integer', value: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { title: 'CURRENT', type: 'integer', value: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { title: 'READY', type: 'integer', value: ({ status }) => status?.numberReady ?? 0 },
    { title: 'UP-TO-DATE', type: 'integer', value: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { title: 'AVAILABLE', type: 'integer', value: ({ status }) => status?.numberAvailable ?? 0 },
    { title: 'NODE SELECTOR', value: ({ spec }) => labelsText(spec?.template?.spec?.nodeSelector) },
    ageColumn,
    ...templateColumns,
  ],
  complete: ({ spec }) => {
    if (spec === undefined) return;
    completePodSpec(spec.template?.spec);
    completeStrategy(spec);
  },
  validate: (set) => [...validateTemplate(set), ...validateStrategy(set)],
  example: 'kinds/daemonset.yaml',
});

function completeStrategy(spec: DaemonSetSpec): void {
  spec.updateStrategy ??= { type: undefined, rollingUpdate: undefined };
  const { updateStrategy: strategy } = spec;
  strategy.type ??= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= { maxUnavailable: undefined, maxSurge: undefined };
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  } else if (strategy.rollingUpdate !== undefined) {
    // What was completed above before the type changed to OnDelete is nobody's wish, and goes.
    const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
    if (maxUnavailable === 1 && maxSurge === 0) strategy.rollingUpdate = undefined;
  }
}

/** Rules of Kubernetes' pkg/apis/apps/validation. */
function validateStrategy({ spec }: DaemonSet): FieldError[] {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (rollingUpdate === undefined) return [];
  const path = 'spec.updateStrategy.rollingUpdate';
  if (type === 'OnDelete') return [{ path, message: 'must not be set when the type is OnDelete' }];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const errors = Object.entries({ maxUnavailable, maxSurge }).flatMap(([name, value]) => {
    if (typeof value !== 'string' || Number.parseInt(value, 10) <= 100) return [];
    return [{ path: `${path}.${name}`, message: `"${value}" must be at most 100%` }];
  });
  if (isZero(maxSurge) && isZero(maxUnavailable)) {
    const message = 'must not be 0 when maxSurge is 0: nothing could be replaced';
    errors.push({ path: `${path}.maxUnavailable`, message });
  }
  if (!isZero(maxSurge) && !isZero(maxUnavailable)) {
    const message = 'must be 0 when maxSurge is not: Pods are replaced on their nodes, or beside the old ones';
    errors.push({ path: `${path}.maxUnavailable`, message });
  }
  return errors;
}

function isZero(value: unknown): boolean {
  return value === 0 || value === '0%' || value === undefined;
}

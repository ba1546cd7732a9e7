import type { FieldError } from '@navarch/machinery';
import { PriorityClass } from '@navarch/proto';
import { ageColumn, nameColumn } from './columns.ts';
import { defineKind } from './define-kind.ts';

/** The highest value that a user may give. Above it are the cluster's own. */
const highestUserValue = 1_000_000_000;

/**
 * Classes that are always there, for what a node or the cluster can't work without. Source:
 * https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/
 */
export const systemPriorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export const priorityClass = defineKind('priorityClass', PriorityClass, {
  group: 'scheduling.k8s.io',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  scope: 'Cluster',
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'VALUE', value: ({ value }) => value },
    { title: 'GLOBAL-DEFAULT', value: ({ globalDefault }) => String(globalDefault) },
    ageColumn,
    { title: 'PREEMPTIONPOLICY', value: ({ preemptionPolicy }) => preemptionPolicy ?? 'PreemptLowerPriority' },
  ],
  validate: ({ metadata, value }) => {
    const errors: FieldError[] = [];
    if (metadata?.name.startsWith('system-')) {
      const builtIn = Object.keys(systemPriorities).join(' and ');
      const message = `must not begin with system-: such classes are built in (${builtIn})`;
      errors.push({ path: 'metadata.name', message });
    }
    if (value > highestUserValue) {
      errors.push({ path: 'value', message: `must be at most ${highestUserValue}, not ${value}` });
    }
    return errors;
  },
  example: 'kinds/priorityclass.yaml',
});

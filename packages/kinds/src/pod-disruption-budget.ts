import type { FieldError } from '@navarch/machinery';
import { PodDisruptionBudget } from '@navarch/proto';
import { ageColumn, nameColumn } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { validateSelectorValues } from './selector-rules.ts';

export const podDisruptionBudget = defineKind('podDisruptionBudget', PodDisruptionBudget, {
  group: 'policy',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'MIN AVAILABLE', value: ({ spec }) => text(spec?.minAvailable) },
    { title: 'MAX UNAVAILABLE', value: ({ spec }) => text(spec?.maxUnavailable) },
    { title: 'ALLOWED DISRUPTIONS', type: 'integer', value: ({ status }) => status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
  validate: ({ spec }) => {
    if (spec === undefined) return [];
    const { minAvailable, maxUnavailable, selector } = spec;
    const errors = [
      ...atMostAll(minAvailable, 'spec.minAvailable'),
      ...atMostAll(maxUnavailable, 'spec.maxUnavailable'),
      ...validateSelectorValues(selector, 'spec.selector'),
    ];
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      errors.push({ path: 'spec', message: 'minAvailable and maxUnavailable can not both be set' });
    }
    return errors;
  },
  example: 'kinds/poddisruptionbudget.yaml',
});

function atMostAll(value: unknown, path: string): FieldError[] {
  if (typeof value !== 'string' || Number.parseInt(value, 10) <= 100) return [];
  return [{ path, message: `"${value}" must be at most 100%` }];
}

function text(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : 'N/A';
}

import { limitRange, namespace as namespaceKind, priorityClass, resourceQuota } from '@navarch/kinds';
import type { LimitRange, Namespace, PriorityClass, ResourceQuota } from '@navarch/proto';
import type { Live } from '@navarch/machinery';
import type { Session } from '../session.ts';
import { conditionTable } from './conditions.ts';
import { metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';

type Rows = readonly (readonly string[])[];

/** What each scope makes a quota count. */
const scopeMeanings: Readonly<Record<string, string>> = {
  Terminating: 'Pods with an active deadline, which end by themselves',
  NotTerminating: 'Pods without an active deadline',
  BestEffort: 'Pods that request nothing and are not limited',
  NotBestEffort: 'Pods that request something, or are limited',
  PriorityClass: 'Pods of a priority class',
};

export function describeResourceQuota(object: Live<ResourceQuota>): readonly Entry[] {
  const { scopes, scopeSelector } = object.spec;
  const chosen = scopeSelector?.matchExpressions ?? [];
  const scopeLines = [
    ...scopes.map((scope) => `${scope}: ${scopeMeanings[scope] ?? ''}`),
    ...chosen.map(({ scopeName, operator, values }) => `${scopeName} ${operator} ${values.join(',')}`.trimEnd()),
  ];
  return [
    ...metadataEntries(resourceQuota, object),
    ...(scopeLines.length === 0 ? [] : [{ label: 'Scopes', lines: scopeLines }]),
    { label: 'Resources', table: usageRows(object) },
  ];
}

export function describeLimitRange(object: Live<LimitRange>): readonly Entry[] {
  return [...metadataEntries(limitRange, object), { label: 'Limits', table: limitRows([object]) }];
}

export function describePriorityClass(object: Live<PriorityClass>): readonly Entry[] {
  const { value, globalDefault, preemptionPolicy = 'PreemptLowerPriority', description } = object;
  return [
    ...metadataEntries(priorityClass, object),
    { label: 'Value', value },
    { label: 'GlobalDefault', value: globalDefault },
    { label: 'PreemptionPolicy', value: preemptionPolicy },
    { label: 'Description', value: description || '<none>' },
  ];
}

/** A namespace with all that limits what is in it. */
export async function describeNamespace(object: Live<Namespace>, session: Session): Promise<readonly Entry[]> {
  const within = { namespace: object.metadata.name };
  const [quotas, ranges] = await Promise.all([
    session.client().list(resourceQuota, within),
    session.client().list(limitRange, within),
  ]);
  const { conditions, phase } = object.status;
  return [
    ...metadataEntries(namespaceKind, object),
    { label: 'Status', value: phase || 'Active' },
    ...(conditions.length === 0 ? [] : [{ label: 'Conditions', table: conditionTable(conditions) }]),
    {
      label: 'Resource Quotas',
      entries: quotas.items.map((quota) => ({ label: quota.metadata.name, table: usageRows(quota) })),
    },
    { label: 'Resource Limits', table: limitRows(ranges.items) },
  ];
}

/** A question mark for what has not been counted yet. */
function usageRows({ spec, status }: Live<ResourceQuota>): Rows {
  const names = Object.keys(spec.hard).toSorted();
  return [
    ['Resource', 'Used', 'Hard'],
    ...names.map((name) => [name, status.used[name] ?? '?', spec.hard[name] ?? '']),
  ];
}

function limitRows(ranges: readonly Live<LimitRange>[]): Rows {
  const rows = ranges
    .flatMap(({ spec }) => spec.limits)
    .flatMap((item) => {
      const columns = [item.min, item.max, item.defaultRequest, item.default, item.maxLimitRequestRatio];
      const names = new Set(columns.flatMap((amounts) => Object.keys(amounts)));
      return [...names].toSorted().map((name) => [item.type, name, ...columns.map((amounts) => amounts[name] ?? '-')]);
    });
  return [['Type', 'Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio'], ...rows];
}

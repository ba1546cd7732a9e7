import { PriorityClass, ResourceQuota } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { priorityClass } from './priority-class.ts';
import { resourceQuota } from './resource-quota.ts';
import { validateQuota } from './quota-rules.ts';

type Spec = NonNullable<Parameters<typeof ResourceQuota.fromPartial>[0]['spec']>;
const quota = (spec: Spec) => ResourceQuota.fromPartial({ metadata: { name: 'q' }, spec });

describe('ResourceQuota', () => {
  test.each<{ name: string; spec: Spec; paths: string[] }>([
    { name: 'nothing', spec: {}, paths: [] },
    {
      name: 'all that there is',
      spec: {
        hard: {
          pods: '10',
          'requests.cpu': '1500m',
          'limits.memory': '1Gi',
          'count/deployments.apps': '2',
          'count/pods': '3',
          'requests.example.com/gpu': '1',
          'services.nodeports': '0',
        },
      },
      paths: [],
    },
    { name: 'an unknown name', spec: { hard: { pod: '1' } }, paths: ['spec.hard.pod'] },
    { name: 'half a Pod', spec: { hard: { pods: '500m' } }, paths: ['spec.hard.pods'] },
    { name: 'less than nothing', spec: { hard: { cpu: '-1' } }, paths: ['spec.hard.cpu'] },
    { name: 'Pods of a scope', spec: { hard: { pods: '1', cpu: '1' }, scopes: ['NotBestEffort'] }, paths: [] },
    {
      name: 'Services of a scope',
      spec: { hard: { services: '1' }, scopes: ['Terminating'] },
      paths: ['spec.hard.services'],
    },
    {
      name: 'the cores of those that ask for none',
      spec: { hard: { cpu: '1', pods: '1' }, scopes: ['BestEffort'] },
      paths: ['spec.hard.cpu'],
    },
    {
      name: 'scopes that exclude each other',
      spec: { hard: { pods: '1' }, scopes: ['Terminating', 'NotTerminating'] },
      paths: ['spec.scopes'],
    },
    {
      name: 'classes by name',
      spec: {
        hard: { pods: '1' },
        scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
      },
      paths: [],
    },
    {
      name: 'classes by no name',
      spec: { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn' }] } },
      paths: ['spec.scopeSelector.matchExpressions[0].values'],
    },
    {
      name: 'names where none are looked at',
      spec: {
        scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'Exists', values: ['x'] }] },
      },
      paths: ['spec.scopeSelector.matchExpressions[0].values'],
    },
    {
      name: 'BestEffort by name',
      spec: { scopeSelector: { matchExpressions: [{ scopeName: 'BestEffort', operator: 'In', values: ['x'] }] } },
      paths: ['spec.scopeSelector.matchExpressions[0].operator'],
    },
  ])('$name: $paths', ({ spec, paths }) => {
    expect(validateQuota(quota(spec)).map(({ path }) => path)).toEqual(paths);
  });

  test('shows what is used of what there is, and what was not counted yet', () => {
    const object = quota({ hard: { pods: '10', 'limits.cpu': '4', 'requests.cpu': '2' } });
    object.status = { hard: {}, used: { pods: '3', 'limits.cpu': '1500m' } };
    const cells = resourceQuota.columns.slice(1, 3).map((column) => column.value(object, 0));
    expect(cells).toEqual(['pods: 3/10, requests.cpu: ?/2', 'limits.cpu: 1500m/4']);
  });
});

test.each([
  { name: 'high', value: 1_000_000_000, paths: [] },
  { name: 'low', value: -1_000_000, paths: [] },
  { name: 'higher', value: 1_000_000_001, paths: ['value'] },
  { name: 'system-mine', value: 1, paths: ['metadata.name'] },
])('PriorityClass $name of $value: $paths', ({ name, value, paths }) => {
  const object = PriorityClass.fromPartial({ metadata: { name }, value });
  expect(priorityClass.validate?.(object).map(({ path }) => path)).toEqual(paths);
});

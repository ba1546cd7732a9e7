import { LimitRange, PriorityClass, ResourceQuota } from '@navarch/proto';
import type { Live } from '@navarch/machinery';
import { expect, test } from 'vitest';
import { outlineText } from './outline.ts';
import { describeLimitRange, describePriorityClass, describeResourceQuota } from './quota.ts';

const live = <T>(object: T) => object as Live<T>; // what is described has metadata, spec and status

test('a quota shows what is used of each limit, and what it counts', () => {
  const object = ResourceQuota.fromPartial({
    metadata: { name: 'team', namespace: 'shop' },
    spec: {
      hard: { pods: '20', 'limits.cpu': '8' },
      scopes: ['NotBestEffort'],
      scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high', 'low'] }] },
    },
    status: { used: { pods: '3' } },
  });
  expect(outlineText(describeResourceQuota(live(object)))).toBe(`Name:         team
Namespace:    shop
Labels:       <none>
Annotations:  <none>
Scopes:       NotBestEffort: Pods that request something, or are limited
              PriorityClass In high,low
Resources:
  Resource     Used   Hard
  --------     ----   ----
  limits.cpu   ?      8
  pods         3      20
`);
});

test('a limit range shows a line for each type and resource', () => {
  const object = LimitRange.fromPartial({
    metadata: { name: 'sizes', namespace: 'shop' },
    spec: {
      limits: [
        { type: 'Container', max: { memory: '2Gi', cpu: '2' }, defaultRequest: { cpu: '100m' } },
        { type: 'Pod', maxLimitRequestRatio: { cpu: '10' } },
      ],
    },
  });
  const table = outlineText(describeLimitRange(live(object))).split('Limits:\n')[1];
  expect(table?.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['Type', 'Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio'],
    ['----', '--------', '---', '---', '---------------', '-------------', '-----------------------'],
    ['Container', 'cpu', '-', '2', '100m', '-', '-'],
    ['Container', 'memory', '-', '2Gi', '-', '-', '-'],
    ['Pod', 'cpu', '-', '-', '-', '-', '10'],
    [''],
  ]);
});

test('a priority class shows its value and whom it is for', () => {
  const object = PriorityClass.fromPartial({ metadata: { name: 'high' }, value: 1000, description: 'For the shop.' });
  expect(outlineText(describePriorityClass(live(object)))).toMatch(
    /^Name: +high\n[^]*Value: +1000\nGlobalDefault: +false\nPreemptionPolicy: +PreemptLowerPriority\nDescription: +For the shop\.\n$/,
  );
});

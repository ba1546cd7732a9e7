import { LimitRange } from '@navarch/proto';
import { expect, test } from 'vitest';
import { completeLimits, validateLimits } from './limit-rules.ts';

type Item = NonNullable<NonNullable<Parameters<typeof LimitRange.fromPartial>[0]['spec']>['limits']>[number];
const limitRange = (...limits: Item[]) => LimitRange.fromPartial({ metadata: { name: 'l' }, spec: { limits } });

test.each<{ name: string; said: Item; defaults: Item }>([
  { name: 'max', said: { max: { cpu: '2' } }, defaults: { default: { cpu: '2' }, defaultRequest: { cpu: '2' } } },
  { name: 'min', said: { min: { cpu: '1' } }, defaults: { default: {}, defaultRequest: { cpu: '1' } } },
  {
    name: 'default',
    said: { min: { cpu: '1' }, max: { cpu: '9' }, default: { cpu: '3' } },
    defaults: { default: { cpu: '3' }, defaultRequest: { cpu: '3' } },
  },
  {
    name: 'defaultRequest',
    said: { max: { cpu: '9' }, defaultRequest: { cpu: '2' } },
    defaults: { default: { cpu: '9' }, defaultRequest: { cpu: '2' } },
  },
])("containers' defaults follow from $name", ({ said, defaults }) => {
  const object = limitRange({ type: 'Container', ...said });
  completeLimits(object);
  expect(object.spec?.limits[0]).toMatchObject(defaults);
});

test.each<{ name: string; limits: Item[]; paths: string[] }>([
  { name: 'bounds in order', limits: [{ type: 'Pod', min: { cpu: '1' }, max: { cpu: '2' } }], paths: [] },
  {
    name: 'one type twice',
    limits: [{ type: 'Container' }, { type: 'Pod' }, { type: 'Container' }],
    paths: ['spec.limits[2].type'],
  },
  {
    name: 'defaults of a Pod',
    limits: [{ type: 'Pod', default: { cpu: '1' } }],
    paths: ['spec.limits[0].default'],
  },
  {
    name: 'bounds in no order',
    limits: [{ type: 'Container', min: { memory: '2Gi' }, max: { memory: '1G' } }],
    paths: ['spec.limits[0].min.memory'],
  },
  {
    name: 'a default above max',
    limits: [{ type: 'Container', max: { cpu: '1' }, default: { cpu: '1500m' } }],
    paths: ['spec.limits[0].default.cpu'],
  },
  {
    name: 'a ratio below one',
    limits: [{ type: 'Pod', maxLimitRequestRatio: { cpu: '0.5' } }],
    paths: ['spec.limits[0].maxLimitRequestRatio.cpu'],
  },
  {
    name: 'a ratio that the bounds rule out',
    limits: [{ type: 'Pod', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } }],
    paths: ['spec.limits[0].maxLimitRequestRatio.cpu'],
  },
  {
    name: 'a claim without a bound',
    limits: [{ type: 'PersistentVolumeClaim', default: {} }],
    paths: ['spec.limits[0]'],
  },
  { name: 'a claim', limits: [{ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }], paths: [] },
])('$name: $paths', ({ limits, paths }) => {
  expect(validateLimits(limitRange(...limits)).map(({ path }) => path)).toEqual(paths);
});

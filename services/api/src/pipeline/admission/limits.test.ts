import type { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { pod } from '../manifests.fixture.ts';
import { claimBounds, limitBounds, limitDefaults } from './limits.ts';
import { decoded, type Manifest, refusalOf, step, viewOf } from './step.fixture.ts';

const limitRange = (name: string, ...limits: readonly object[]): Manifest => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name },
  spec: { limits },
});
const container = (resources: object, name = 'web') => ({ name, image: 'nginx', resources });

describe('limitDefaults', () => {
  const range = limitRange('a', { type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' } });
  const other = limitRange('b', { type: 'Container', default: { cpu: '9', memory: '1Gi' } });

  test.each([
    { name: 'nothing said', said: {}, has: { limits: { cpu: '500m' }, requests: { cpu: '100m' } } },
    {
      name: 'a request said',
      said: { requests: { cpu: '200m' } },
      has: { limits: { cpu: '500m' }, requests: { cpu: '200m' } },
    },
    {
      name: 'all said',
      said: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } },
      has: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } },
    },
  ])('$name', ({ said, has }) => {
    const spec = { containers: [container(said)], initContainers: [container(said, 'init')] };
    const made = step(viewOf(range), pod('web', spec));
    const before = made.next.spec;
    limitDefaults.admit?.(made);
    const after = (made.next as Pod).spec!;
    expect([...after.containers, ...after.initContainers].map(({ resources }) => resources)).toEqual([has, has]);
    expect(before, 'what came stays as it was, for the next try').toEqual(decoded(pod('web', spec)).object.spec);
  });

  test('of several, the first by name goes before', () => {
    const made = step(viewOf(range, other), pod('web'));
    limitDefaults.admit?.(made);
    expect((made.next as Pod).spec?.containers[0]?.resources?.limits).toEqual({ cpu: '500m', memory: '1Gi' });
  });

  test.each([
    {
      name: 'in another namespace',
      range: { ...range, metadata: { name: 'a', namespace: 'other' } },
      before: undefined,
    },
    { name: 'made after the Pod', range, before: pod('web') },
  ])('a LimitRange $name is none', ({ range, before }) => {
    const made = step(viewOf(range), pod('web'), before);
    limitDefaults.admit?.(made);
    expect((made.next as Pod).spec?.containers[0]?.resources).toBeUndefined();
  });
});

describe('limitBounds', () => {
  const bounds = { min: { cpu: '100m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '2' } };
  const perContainer = limitRange('c', { type: 'Container', ...bounds });
  const perPod = limitRange('p', { type: 'Pod', max: { memory: '1Gi' } });
  const cpu = (request: string, limit: string) => ({ requests: { cpu: request }, limits: { cpu: limit } });
  const memory = (amount: string) => ({ requests: { memory: amount }, limits: { memory: amount } });

  test.each([
    { name: 'within all bounds', range: perContainer, containers: [cpu('500m', '1')], why: [] },
    {
      name: 'nothing said',
      range: perContainer,
      containers: [{}],
      why: [
        'minimum cpu usage per Container is 100m, but container "c0" states no request',
        'maximum cpu usage per Container is 1, but container "c0" states no limit',
        'a cpu limit per Container is at most 2 times the request, but container "c0" states no request',
      ],
    },
    {
      name: 'too small',
      range: perContainer,
      containers: [cpu('50m', '100m')],
      why: ['minimum cpu usage per Container is 100m, but container "c0" requests 50m'],
    },
    {
      name: 'too large, in the second container',
      range: perContainer,
      containers: [cpu('1', '1'), cpu('1', '1500m')],
      why: ['maximum cpu usage per Container is 1, but the limit of container "c1" is 1500m'],
    },
    {
      name: 'too far apart',
      range: perContainer,
      containers: [cpu('100m', '350m')],
      why: ['a cpu limit per Container is at most 2 times the request, but that of container "c0" is 3.5 times'],
    },
    { name: 'a Pod within its bounds', range: perPod, containers: [memory('512Mi'), memory('512Mi')], why: [] },
    {
      name: 'a Pod too large in sum',
      range: perPod,
      containers: [memory('512Mi'), memory('1Gi')],
      why: ['maximum memory usage per Pod is 1Gi, but the limit of the Pod is 1536Mi'],
    },
    {
      name: 'claims, which are no Pods',
      range: limitRange('v', { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }),
      containers: [{}],
      why: [],
    },
  ])('$name', ({ range, containers, why }) => {
    const spec = { containers: containers.map((resources, i) => container(resources, `c${i}`)) };
    const refused = refusalOf(() => limitBounds.admit?.(step(viewOf(range), pod('web', spec))));
    const message = `pods "web" in namespace "default" is forbidden: ${why.join('; ')}`;
    expect(refused).toEqual(why.length === 0 ? undefined : { reason: 'Forbidden', message });
  });

  test('init containers run alone, so a Pod is as large as the neediest', () => {
    const spec = {
      containers: [container(memory('600Mi'))],
      initContainers: [container(memory('1Gi'), 'i1'), container(memory('900Mi'), 'i2')],
    };
    expect(limitBounds.admit?.(step(viewOf(perPod), pod('web', spec)))).toBeUndefined();
  });
});

describe('claimBounds', () => {
  const range = limitRange('v', { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } });
  const claim = (storage: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { resources: { requests: { storage } } },
  });
  test.each([
    { storage: '1Gi', why: '' },
    { storage: '10240Mi', why: '' },
    { storage: '512Mi', why: 'minimum storage usage per PersistentVolumeClaim is 1Gi, but it requests 512Mi' },
    { storage: '11Gi', why: 'maximum storage usage per PersistentVolumeClaim is 10Gi, but it requests 11Gi' },
  ])('a claim for $storage: $why', ({ storage, why }) => {
    const refused = refusalOf(() => claimBounds.admit?.(step(viewOf(range), claim(storage))));
    const message = `persistentvolumeclaims "data" in namespace "default" is forbidden: ${why}`;
    expect(refused).toEqual(why === '' ? undefined : { reason: 'Forbidden', message });
  });

  test('one that is there already is left alone', () => {
    expect(refusalOf(() => claimBounds.admit?.(step(viewOf(range), claim('1Mi'), claim('1Mi'))))).toBeUndefined();
  });
});

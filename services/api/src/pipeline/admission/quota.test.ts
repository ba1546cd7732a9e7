import type { ResourceQuota } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { decodeObject } from '../../cache/cached-object.ts';
import { configMap, deployment, pod, service } from '../manifests.fixture.ts';
import type { OtherWrite } from '../write.ts';
import { quota } from './quota.ts';
import { cached, type Manifest, refusalOf, step, viewOf } from './step.fixture.ts';

const home: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };

/** A quota as it stands after `used` was counted. */
const limits = (hard: Record<string, string>, used: Record<string, string> = {}, scopes: object = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q' },
  spec: { hard, ...scopes },
  status: { hard, used },
});
const asking = (requests: object, more: object = {}, name = 'web') =>
  pod('web', { containers: [{ name, image: 'nginx', resources: { requests, ...more } }] });
const over = (manifest: Manifest): Manifest => ({ ...manifest, status: { phase: 'Succeeded' } });

/** What the quotas say is used after a step. Undefined: the step does not touch them. */
function usedAfter(quotas: readonly Manifest[], next: Manifest, before?: Manifest) {
  const { others = [] } = quota.admit?.(step(viewOf(home, ...quotas), next, before)) ?? {};
  return usedOf(others);
}

function usedAfterRemoval(quotas: readonly Manifest[], going: Manifest) {
  const { circumstances } = step(viewOf(home, ...quotas), going);
  return usedOf(quota.release?.(circumstances, cached(going))?.others ?? []);
}

function usedOf(others: readonly OtherWrite[]) {
  const [first] = others.map(({ object: { kind }, body }) => decodeObject(kind, body) as ResourceQuota);
  return first?.status?.used;
}

describe('what objects use', () => {
  test.each<{ name: string; hard: Record<string, string>; object: Manifest; used: object | undefined }>([
    {
      name: 'a Pod',
      hard: { pods: '9', 'count/pods': '9' },
      object: pod('web'),
      used: { pods: '1', 'count/pods': '1' },
    },
    {
      name: 'requests, under both names',
      hard: { cpu: '9', 'requests.cpu': '9', 'requests.memory': '9Gi' },
      object: asking({ cpu: '250m', memory: '1536Mi' }),
      used: { cpu: '250m', 'requests.cpu': '250m', 'requests.memory': '1536Mi' },
    },
    {
      name: 'limits',
      hard: { 'limits.cpu': '9' },
      object: asking({}, { limits: { cpu: '2' } }),
      used: { 'limits.cpu': '2' },
    },
    {
      name: 'what else nodes offer',
      hard: { 'requests.example.com/gpu': '4' },
      object: asking({ 'example.com/gpu': '2' }),
      used: { 'requests.example.com/gpu': '2' },
    },
    {
      name: 'containers together, or the neediest init container',
      hard: { cpu: '9', memory: '9Gi' },
      object: pod('web', {
        containers: ['a', 'b'].map((name) => ({
          name,
          image: 'nginx',
          resources: { requests: { cpu: '1', memory: '1Gi' } },
        })),
        initContainers: [{ name: 'i', image: 'nginx', resources: { requests: { cpu: '3', memory: '1Gi' } } }],
      }),
      used: { cpu: '3', memory: '2Gi' },
    },
    {
      name: 'a Service with node ports and a load balancer',
      hard: { services: '9', 'services.nodeports': '9', 'services.loadbalancers': '9' },
      object: service('lb', { type: 'LoadBalancer', ports: [{ port: 80 }, { name: 's', port: 443 }] }),
      used: { services: '1', 'services.nodeports': '2', 'services.loadbalancers': '1' },
    },
    {
      name: 'a Service inside the cluster',
      hard: { services: '9', 'services.nodeports': '9' },
      object: service('web'),
      used: { services: '1', 'services.nodeports': '0' },
    },
    {
      name: 'any object, by its kind',
      hard: { 'count/deployments.apps': '9', pods: '9' },
      object: deployment('web'),
      used: { 'count/deployments.apps': '1', pods: '0' },
    },
    {
      name: 'a claim',
      hard: {
        persistentvolumeclaims: '9',
        'requests.storage': '9Gi',
        'local.storageclass.storage.k8s.io/requests.storage': '9Gi',
        'other.storageclass.storage.k8s.io/persistentvolumeclaims': '9',
      },
      object: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: { storageClassName: 'local', resources: { requests: { storage: '2Gi' } } },
      },
      used: {
        persistentvolumeclaims: '1',
        'requests.storage': '2Gi',
        'local.storageclass.storage.k8s.io/requests.storage': '2Gi',
        'other.storageclass.storage.k8s.io/persistentvolumeclaims': '0',
      },
    },
    { name: 'a ConfigMap', hard: { configmaps: '9' }, object: configMap('c'), used: { configmaps: '1' } },
    { name: 'nothing that is limited', hard: { secrets: '9' }, object: configMap('c'), used: undefined },
  ])('$name', ({ hard, object, used }) => {
    expect(usedAfter([limits(hard)], object)).toEqual(used);
  });

  test.each<{ name: string; scopes: object; takes: Manifest[]; leaves: Manifest[] }>([
    {
      name: 'Terminating',
      scopes: { scopes: ['Terminating'] },
      takes: [pod('web', { activeDeadlineSeconds: 9 })],
      leaves: [pod('web')],
    },
    {
      name: 'NotTerminating',
      scopes: { scopes: ['NotTerminating'] },
      takes: [pod('web')],
      leaves: [pod('web', { activeDeadlineSeconds: 9 })],
    },
    {
      name: 'BestEffort',
      scopes: { scopes: ['BestEffort'] },
      takes: [pod('web'), asking({ cpu: '0' })],
      leaves: [asking({ cpu: '1' }), asking({}, { limits: { memory: '1Mi' } })],
    },
    {
      name: 'NotBestEffort and Terminating',
      scopes: { scopes: ['NotBestEffort', 'Terminating'] },
      takes: [{ ...asking({ cpu: '1' }), spec: { ...asking({ cpu: '1' }).spec, activeDeadlineSeconds: 9 } }],
      leaves: [asking({ cpu: '1' }), pod('web', { activeDeadlineSeconds: 9 })],
    },
    {
      name: 'PriorityClass',
      scopes: { scopes: ['PriorityClass'] },
      takes: [pod('web', { priorityClassName: 'high' })],
      leaves: [pod('web')],
    },
    ...(
      [
        ['In', ['high'], ['high'], ['low', '']],
        ['NotIn', ['high'], ['low', ''], ['high']],
        ['Exists', [], ['high'], ['']],
        ['DoesNotExist', [], [''], ['high']],
      ] as const
    ).map(([operator, values, takes, leaves]) => ({
      name: `PriorityClass ${operator} ${values.join()}`,
      scopes: { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator, values }] } },
      takes: takes.map((priorityClassName) => pod('web', { priorityClassName })),
      leaves: leaves.map((priorityClassName) => pod('web', { priorityClassName })),
    })),
  ])('only Pods in scope: $name', ({ scopes, takes, leaves }) => {
    const scoped = limits({ pods: '9' }, {}, scopes);
    for (const manifest of takes) expect(usedAfter([scoped], manifest)).toEqual({ pods: '1' });
    for (const manifest of [...leaves, configMap('c')]) expect(usedAfter([scoped], manifest)).toBeUndefined();
  });
});

describe('a change', () => {
  const pods = limits({ pods: '9', 'count/pods': '9' }, { pods: '5', 'count/pods': '5' });
  const services = limits({ services: '9', 'services.nodeports': '9' }, { services: '3', 'services.nodeports': '2' });

  test.each<{ name: string; quota: Manifest; next: Manifest; before: Manifest; used: object | undefined }>([
    {
      name: 'a Pod that ends frees all but its place in the store',
      quota: pods,
      next: over(pod('web')),
      before: pod('web'),
      used: { pods: '4', 'count/pods': '5' },
    },
    { name: 'a Pod that goes on', quota: pods, next: pod('web'), before: pod('web'), used: undefined },
    { name: 'a Pod that stays ended', quota: pods, next: over(pod('web')), before: over(pod('web')), used: undefined },
    {
      name: 'a Service that gets node ports',
      quota: services,
      next: service('web', { type: 'NodePort' }),
      before: service('web'),
      used: { services: '3', 'services.nodeports': '3' },
    },
    {
      name: 'a Service that loses them',
      quota: services,
      next: service('web'),
      before: service('web', { type: 'LoadBalancer' }),
      used: { services: '3', 'services.nodeports': '1' },
    },
  ])('$name', ({ quota: present, next, before, used }) => {
    expect(usedAfter([present], next, before)).toEqual(used);
  });

  test.each<{ name: string; going: Manifest; used: object }>([
    { name: 'running', going: pod('web'), used: { pods: '4', 'count/pods': '4' } },
    { name: 'ended', going: over(pod('web')), used: { pods: '5', 'count/pods': '4' } },
  ])('a Pod that goes gives back what it had: $name', ({ going, used }) => {
    expect(usedAfterRemoval([pods], going)).toEqual(used);
  });

  test('what is given back is never more than all', () => {
    expect(usedAfterRemoval([limits({ pods: '9' }, { pods: '0' })], pod('web'))).toEqual({ pods: '0' });
  });
});

describe('a refusal', () => {
  const forbidden = (why: string) => ({
    reason: 'Forbidden',
    message: `pods "web" in namespace "default" is forbidden: ${why}`,
  });
  const refusedFor = (hard: Record<string, string>, used: Record<string, string>, next: Manifest, before?: Manifest) =>
    refusalOf(() => usedAfter([limits(hard, used)], next, before));

  test('says what was asked for, what is used, and what there is', () => {
    const hard = { pods: '5', 'requests.cpu': '1', 'requests.memory': '9Gi' };
    const used = { pods: '5', 'requests.cpu': '800m', 'requests.memory': '1Gi' };
    expect(refusedFor(hard, used, asking({ cpu: '300m', memory: '1Gi' }))).toEqual(
      forbidden(
        'exceeded quota: q, requested: pods=1,requests.cpu=300m, used: pods=5,requests.cpu=800m, limited: pods=5,requests.cpu=1',
      ),
    );
  });

  test.each<{ name: string; hard: Record<string, string>; next: Manifest; why: string | undefined }>([
    { name: 'all stated', hard: { 'requests.cpu': '1' }, next: asking({ cpu: '1' }), why: undefined },
    { name: 'not counted, not needed', hard: { 'requests.cpu': '1' }, next: configMap('c'), why: undefined },
    {
      name: 'a request',
      hard: { cpu: '1', pods: '9' },
      next: asking({ memory: '1Gi' }),
      why: 'failed quota: q: must specify cpu for: web',
    },
    {
      name: 'requests and limits of several containers',
      hard: { 'requests.cpu': '1', 'limits.memory': '1Gi' },
      next: pod('web', {
        containers: [
          { name: 'a', image: 'nginx' },
          { name: 'b', image: 'nginx', resources: { limits: { memory: '1Mi' } } },
        ],
      }),
      why: 'failed quota: q: must specify limits.memory for: a; requests.cpu for: a,b',
    },
  ])('asks that what is counted is stated: $name', ({ hard, next, why }) => {
    expect(refusedFor({ ...hard, pods: '9' }, {}, next)).toEqual(why === undefined ? undefined : forbidden(why));
  });

  test('is only for what asks for more: a full quota, or one above its limit, lets go', () => {
    expect(refusedFor({ pods: '1' }, { pods: '7' }, over(pod('web')), pod('web'))).toBeUndefined();
    expect(usedAfterRemoval([limits({ pods: '1' }, { pods: '7' })], pod('web'))).toEqual({ pods: '6' });
  });
});

describe('what has not been counted', () => {
  const uncounted = { ...limits({ pods: '3' }), status: { hard: { pods: '1' }, used: { pods: '99' } } };
  const others = ['a', 'b'].map((name) => pod(name));

  test('is counted by the first write that it concerns', () => {
    expect(usedAfter([uncounted, ...others], pod('web'))).toEqual({ pods: '3' });
    expect(usedAfterRemoval([uncounted, ...others], pod('a'))).toEqual({ pods: '1' });
  });

  test('is no way around the limit', () => {
    const full = [uncounted, ...others, pod('c')];
    expect(refusalOf(() => usedAfter(full, pod('web')))?.message).toContain('used: pods=3, limited: pods=3');
  });

  test('can not be counted by the transaction that brings the limits', () => {
    const made = step({ ...viewOf(home, uncounted), written: () => true }, pod('web'));
    expect(quota.admit?.(made)?.others).toEqual([]);
  });
});

test('everything that a quota may count depends on its namespace, so that a new quota is seen', () => {
  const key = '/navarch/core/namespaces/default';
  const compare = [{ key, modRevision: 5n }];
  expect(quota.admit?.(step(viewOf(home), pod('web')))).toMatchObject({ compare });
  expect(quota.release?.(step(viewOf(home), pod('web')).circumstances, cached(pod('web')))).toMatchObject({ compare });
  expect(quota.admit?.(step(viewOf(home), pod('web'), pod('web'))), 'an ordinary change').toBeUndefined();
});

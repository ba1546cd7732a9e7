import { applyDefaults, type FieldError, type KubeObject } from '@navarch/machinery';
import { ConfigMap, Deployment, Node, Secret, Service } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { configMap } from './config-map.ts';
import type { KindDefinition } from './define-kind.ts';
import { deployment } from './deployment.ts';
import { node } from './node.ts';
import { secret } from './secret.ts';
import { service } from './service.ts';

/** What the kind's own rules say of an object, with defaults and completed as the api does it. */
function check<T extends KubeObject>(kind: KindDefinition<T>, object: T): FieldError[] {
  kind.unify?.(object);
  applyDefaults(kind.schema, object);
  kind.complete?.(object);
  return kind.validate?.(object) ?? [];
}

type DeploymentSpec = NonNullable<Parameters<typeof Deployment.fromPartial>[0]['spec']>;
const labels = { app: 'web' };
const makeDeployment = (more: DeploymentSpec = {}) =>
  Deployment.fromPartial({
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'x' }] } },
      ...more,
    },
  });

describe('Deployment', () => {
  test('rolls in steps of a quarter unless told otherwise', () => {
    const object = makeDeployment({ strategy: { rollingUpdate: { maxSurge: 1 } } });
    expect(check(deployment, object)).toEqual([]);
    expect(object.spec?.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' },
    });
  });

  test('that becomes Recreate forgets the steps that nobody asked for', () => {
    const steps = { maxSurge: '25%', maxUnavailable: '25%' };
    const object = makeDeployment({ strategy: { type: 'Recreate', rollingUpdate: steps } });
    expect(check(deployment, object)).toEqual([]);
    expect(object.spec?.strategy?.rollingUpdate).toBeUndefined();
  });

  test.each<{ name: string; spec: DeploymentSpec; path: string }>([
    { name: 'an empty selector', spec: { selector: {} }, path: 'spec.selector' },
    {
      name: 'a selector that misses the template',
      spec: { selector: { matchLabels: { app: 'api' } } },
      path: 'spec.template.metadata.labels',
    },
    {
      name: 'a condition without values',
      spec: { selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } },
      path: 'spec.selector.matchExpressions[0].values',
    },
    {
      name: 'steps of nothing',
      spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      path: 'spec.strategy.rollingUpdate.maxUnavailable',
    },
    {
      name: 'steps with Recreate',
      spec: { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 3 } } },
      path: 'spec.strategy.rollingUpdate',
    },
    {
      name: 'Pods that end',
      spec: {
        template: { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'x' }] } },
      },
      path: 'spec.template.spec.restartPolicy',
    },
    {
      name: 'a bad container in the template',
      spec: { template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'x y' }] } } },
      path: 'spec.template.spec.containers[0].image',
    },
    {
      name: 'a deadline before Pods can be available',
      spec: { minReadySeconds: 700 },
      path: 'spec.progressDeadlineSeconds',
    },
  ])('refuses $name', ({ spec, path }) => {
    expect(check(deployment, makeDeployment(spec)).map((error) => error.path)).toEqual([path]);
  });
});

type ServiceSpec = NonNullable<Parameters<typeof Service.fromPartial>[0]['spec']>;
const makeService = (spec: ServiceSpec) => Service.fromPartial({ metadata: { name: 'web' }, spec });

describe('Service', () => {
  test('sends to the port it listens on unless told otherwise', () => {
    const object = makeService({ ports: [{ port: 80 }, { name: 'x', port: 81, targetPort: 'http' }] });
    check(service, object);
    expect(object.spec?.ports.map(({ targetPort }): unknown => targetPort)).toEqual([80, 'http']);
  });

  test.each<{ name: string; spec: ServiceSpec; paths: string[] }>([
    { name: 'one port', spec: { ports: [{ port: 80 }] }, paths: [] },
    { name: 'headless', spec: { clusterIp: 'None' }, paths: [] },
    { name: 'another name', spec: { type: 'ExternalName', externalName: 'example.com' }, paths: [] },
    {
      name: 'TCP and UDP on one port',
      spec: {
        ports: [
          { name: 't', port: 53 },
          { name: 'u', port: 53, protocol: 'UDP' },
        ],
      },
      paths: [],
    },
    { name: 'no port', spec: {}, paths: ['spec.ports'] },
    {
      name: 'two ports without names',
      spec: { ports: [{ port: 80 }, { port: 81 }] },
      paths: ['spec.ports[0].name', 'spec.ports[1].name'],
    },
    {
      name: 'one port twice',
      spec: {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
      paths: ['spec.ports[1]'],
    },
    {
      name: 'a node port of a ClusterIP',
      spec: { ports: [{ port: 80, nodePort: 30_080 }] },
      paths: ['spec.ports[0].nodePort'],
    },
    {
      name: 'a node port out of range',
      spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] },
      paths: ['spec.ports[0].nodePort'],
    },
    {
      name: 'a headless load balancer',
      spec: { type: 'LoadBalancer', clusterIp: 'None', ports: [{ port: 80 }] },
      paths: ['spec.clusterIP'],
    },
    { name: 'no address', spec: { clusterIp: 'here', ports: [{ port: 80 }] }, paths: ['spec.clusterIP'] },
    { name: 'no name for ExternalName', spec: { type: 'ExternalName' }, paths: ['spec.externalName'] },
  ])('$name: $paths', ({ spec, paths }) => {
    expect(check(service, makeService(spec)).map(({ path }) => path)).toEqual(paths);
  });

  test('keeps its address', () => {
    const at = (clusterIp: string) => makeService({ type: 'ClusterIP', clusterIp });
    const paths = (next: Service, previous: Service) =>
      service.validateUpdate?.(next, previous).map(({ path }) => path);
    expect(paths(at('10.96.0.1'), at('10.96.0.1'))).toEqual([]);
    expect(paths(at('10.96.0.1'), at(''))).toEqual([]);
    expect(paths(at('10.96.0.2'), at('10.96.0.1'))).toEqual(['spec.clusterIP']);
  });
});

describe('ConfigMap and Secret', () => {
  test('hold at most 1 MiB', () => {
    expect(check(configMap, ConfigMap.fromPartial({ data: { a: 'x'.repeat(1 << 20) } }))).toEqual([]);
    const over = ConfigMap.fromPartial({ data: { a: 'ä'.repeat(1 << 19) }, binaryData: { b: new Uint8Array(1) } });
    expect(check(configMap, over)).toMatchObject([{ path: 'data' }]);
  });

  test('a key stands in one place', () => {
    const twice = ConfigMap.fromPartial({ data: { a: '' }, binaryData: { a: new Uint8Array(0) } });
    expect(check(configMap, twice)).toMatchObject([{ path: 'binaryData.a' }]);
  });

  test('texts of a Secret become bytes, and go before them', () => {
    const object = Secret.fromPartial({
      data: { a: Buffer.from('old'), b: Buffer.from('b') },
      stringData: { a: 'new' },
    });
    check(secret, object);
    expect(Object.entries(object.data).map(([key, value]) => [key, Buffer.from(value).toString()])).toEqual([
      ['a', 'new'],
      ['b', 'b'],
    ]);
    expect(object.stringData).toEqual({});
  });

  test('an immutable one stays as it is', () => {
    const make = (a: string, immutable?: boolean) => Secret.fromPartial({ data: { a: Buffer.from(a) }, immutable });
    const paths = (next: Secret, previous: Secret) => secret.validateUpdate?.(next, previous).map(({ path }) => path);
    expect(paths(make('x', true), make('x', true))).toEqual([]);
    expect(paths(make('y', true), make('x', true))).toEqual(['data']);
    expect(paths(make('x'), make('x', true))).toEqual(['immutable']);
    expect(paths(make('y', true), make('x'))).toEqual([]);
  });
});

test("a node keeps its Pods' addresses", () => {
  const at = (podCidr: string) => Node.fromPartial({ spec: { podCidr } });
  expect(node.validateUpdate?.(at('10.244.1.0/24'), at(''))).toEqual([]);
  expect(node.validateUpdate?.(at('10.244.2.0/24'), at('10.244.1.0/24'))).toMatchObject([{ path: 'spec.podCIDR' }]);
});

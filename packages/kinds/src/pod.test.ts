import { applyDefaults, validateObject } from '@navarch/machinery';
import { EphemeralContainer, Pod, type PodSpec, type VolumeProjection } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { pod } from './pod.ts';
import { podColumns } from './pod-columns.ts';

type Partial = Parameters<typeof Pod.fromPartial>[0];
type SpecPartial = NonNullable<Partial['spec']>;

const now = Date.parse('2026-01-01T01:00:00Z');
const columns = (object: Pod) => podColumns.map((column) => column.value(object, now));
const status = (value: NonNullable<Partial['status']>, more: Partial = {}) =>
  Pod.fromPartial({ spec: { containers: [{ name: 'a' }, { name: 'b' }] }, ...more, status: value });

const projecting = (...sources: Parameters<typeof VolumeProjection.fromPartial>[0][]) => ({
  containers: [a],
  volumes: [{ name: 'v', projected: { sources } }],
});

describe('READY, STATUS and RESTARTS', () => {
  const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  test.each<{ name: string; object: Pod; row: (string | number)[] }>([
    { name: 'nothing seen yet', object: status({}), row: ['0/2', 'Pending', '0'] },
    {
      name: 'running',
      object: status({
        phase: 'Running',
        containerStatuses: [
          { name: 'a', ready: true, state: running },
          { name: 'b', ready: true, state: running },
        ],
      }),
      row: ['2/2', 'Running', '0'],
    },
    {
      name: 'waiting for an image',
      object: status({
        phase: 'Pending',
        containerStatuses: [{ name: 'a', state: { waiting: { reason: 'ImagePullBackOff' } } }],
      }),
      row: ['0/2', 'ImagePullBackOff', '0'],
    },
    {
      name: 'crashing',
      object: status({
        phase: 'Running',
        containerStatuses: [
          {
            name: 'a',
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:55:00Z' } },
          },
        ],
      }),
      row: ['0/2', 'CrashLoopBackOff', '3 (5m ago)'],
    },
    {
      name: 'ended by a signal',
      object: status({ phase: 'Failed', containerStatuses: [{ name: 'a', state: { terminated: { signal: 9 } } }] }),
      row: ['0/2', 'Signal:9', '0'],
    },
    {
      name: 'one of two has completed',
      object: status({
        phase: 'Running',
        containerStatuses: [
          { name: 'a', state: { terminated: { reason: 'Completed' } } },
          { name: 'b', ready: true, state: running },
        ],
      }),
      row: ['1/2', 'NotReady', '0'],
    },
    {
      name: 'an init container runs',
      object: status(
        { phase: 'Pending', initContainerStatuses: [{ name: 'i', state: running }] },
        { spec: { initContainers: [{ name: 'i' }, { name: 'j' }], containers: [{ name: 'a' }] } },
      ),
      row: ['0/1', 'Init:0/2', '0'],
    },
    {
      name: 'an init container has failed',
      object: status({ initContainerStatuses: [{ name: 'i', state: { terminated: { exitCode: 2 } } }] }),
      row: ['0/2', 'Init:ExitCode:2', '0'],
    },
    {
      name: 'ending',
      object: status({ phase: 'Running' }, { metadata: { deletionTimestamp: '2026-01-01T00:59:00Z' } }),
      row: ['0/2', 'Terminating', '0'],
    },
    { name: 'evicted', object: status({ phase: 'Failed', reason: 'Evicted' }), row: ['0/2', 'Evicted', '0'] },
  ])('$name', ({ object, row }) => expect(columns(object)).toEqual(row));
});

/** A Pod as the api checks it: with defaults, completed. */
function make(spec: SpecPartial): Pod {
  const object = Pod.fromPartial({ metadata: { name: 'web', namespace: 'default' }, spec });
  applyDefaults(pod.schema, object);
  pod.complete?.(object);
  return object;
}

const a = { name: 'a', image: 'nginx' };

describe('complete', () => {
  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ])('pulls %s %s', (image, policy) => {
    expect(make({ containers: [{ name: 'a', image }] }).spec?.containers[0]?.imagePullPolicy).toBe(policy);
  });

  test('requests follow limits, where they say nothing', () => {
    const resources = { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '100m' } };
    expect(make({ containers: [{ ...a, resources }] }).spec?.containers[0]?.resources?.requests).toEqual({
      cpu: '100m',
      memory: '64Mi',
    });
  });

  test("ports of the node's network are the node's ports", () => {
    const made = make({ hostNetwork: true, containers: [{ ...a, ports: [{ containerPort: 80 }] }] });
    expect(made.spec?.containers[0]?.ports[0]?.hostPort).toBe(80);
  });

  test('a volume without a source is an empty directory', () => {
    expect(make({ containers: [a], volumes: [{ name: 'v' }] }).spec?.volumes[0]?.emptyDir).toBeDefined();
  });
});

describe('validate', () => {
  test.each<{ name: string; spec: SpecPartial; path: string; message: string }>([
    {
      name: 'two containers of one name',
      spec: { containers: [a], initContainers: [a] },
      path: 'spec.containers[0].name',
      message: 'is there twice',
    },
    {
      name: 'a mount of no volume',
      spec: { containers: [{ ...a, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], volumes: [{ name: 'w' }] },
      path: 'spec.containers[0].volumeMounts[0].name',
      message: 'there is no volume "v"; the Pod has w',
    },
    {
      name: 'two mounts at one path',
      spec: {
        containers: [
          {
            ...a,
            volumeMounts: [
              { name: 'v', mountPath: '/v' },
              { name: 'v', mountPath: '/v' },
            ],
          },
        ],
        volumes: [{ name: 'v' }],
      },
      path: 'spec.containers[0].volumeMounts[1].mountPath',
      message: 'is there twice',
    },
    {
      name: 'a volume of two sources',
      spec: { containers: [a], volumes: [{ name: 'v', emptyDir: {}, secret: { secretName: 's' } }] },
      path: 'spec.volumes[0]',
      message:
        'exactly one of emptyDir, hostPath, configMap, secret, persistentVolumeClaim, projected, downwardAPI must be set; emptyDir and secret are',
    },
    {
      name: 'a projection of two sources',
      spec: projecting({ secret: { name: 's' }, configMap: { name: 'c' } }),
      path: 'spec.volumes[0].projected.sources[0]',
      message: 'exactly one of configMap, secret, downwardAPI must be set; configMap and secret are',
    },
    {
      name: 'two projections to one file',
      spec: projecting(
        { secret: { name: 's', items: [{ key: 'k', path: 'x' }] } },
        { downwardApi: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ),
      path: 'spec.volumes[0].projected.sources[1]',
      message: 'is there twice',
    },
    {
      name: 'a file of a field that may not be known by one',
      spec: {
        containers: [a],
        volumes: [{ name: 'v', downwardApi: { items: [{ path: 'ip', fieldRef: { fieldPath: 'status.podIP' } }] } }],
      },
      path: 'spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath',
      message: '"status.podIP" is not among metadata.name',
    },
    {
      name: 'a file of an amount of nobody in particular',
      spec: {
        containers: [a],
        volumes: [
          { name: 'v', downwardApi: { items: [{ path: 'cpu', resourceFieldRef: { resource: 'limits.cpu' } }] } },
        ],
      },
      path: 'spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName',
      message: 'must name a container of the Pod: a',
    },
    {
      name: 'a file above its volume',
      spec: {
        containers: [a],
        volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'k', path: '../k' }] } }],
      },
      path: 'spec.volumes[0].secret.items[0].path',
      message: 'relative path',
    },
    {
      name: 'a request above its limit',
      spec: { containers: [{ ...a, resources: { limits: { memory: '1Gi' }, requests: { memory: '2000Mi' } } }] },
      path: 'spec.containers[0].resources.requests.memory',
      message: '"2000Mi" must be at most the limit "1Gi"',
    },
    {
      name: 'an unknown resource',
      spec: { containers: [{ ...a, resources: { limits: { ram: '1' }, requests: { ram: '1' } } }] },
      path: 'spec.containers[0].resources.limits.ram',
      message: 'must be cpu, memory',
    },
    {
      name: 'a probe that does two things',
      spec: { containers: [{ ...a, livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 80 } } }] },
      path: 'spec.containers[0].livenessProbe',
      message: 'exactly one of exec, httpGet, tcpSocket',
    },
    {
      name: 'a probe of a port that has no name',
      spec: { containers: [{ ...a, readinessProbe: { httpGet: { port: 'web' } } }] },
      path: 'spec.containers[0].readinessProbe.httpGet.port',
      message: 'no port called "web"',
    },
    {
      name: 'a value from two places',
      spec: {
        containers: [
          { ...a, env: [{ name: 'E', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
        ],
      },
      path: 'spec.containers[0].env[0].valueFrom',
      message: 'must not be set together with value',
    },
    {
      name: 'a value from a field that there is not',
      spec: { containers: [{ ...a, env: [{ name: 'E', valueFrom: { fieldRef: { fieldPath: 'metadata.nam' } } }] }] },
      path: 'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath',
      message: '"metadata.nam"',
    },
    {
      name: 'one host port twice',
      spec: {
        containers: [
          { ...a, ports: [{ containerPort: 80, hostPort: 80 }] },
          { name: 'b', image: 'x', ports: [{ containerPort: 81, hostPort: 80 }] },
        ],
      },
      path: 'spec.containers',
      message: '"80/TCP" is there twice',
    },
  ])('refuses $name', ({ spec, path, message }) => {
    const object = make(spec);
    expect(validateObject(pod.schema, object)).toEqual([]);
    const errors = pod.validate?.(object) ?? [];
    expect(errors.filter((error) => error.path === path)).toMatchObject([
      { message: expect.stringContaining(message) as string },
    ]);
  });
});

describe('validateUpdate', () => {
  const previous = make({ containers: [a], activeDeadlineSeconds: 60 });
  const change = (edit: (spec: PodSpec) => void): string[] => {
    const next = structuredClone(previous);
    edit(next.spec!);
    return (pod.validateUpdate?.(next, previous) ?? []).map(({ path }) => path);
  };

  test('an image may change, a node may be set, a deadline may be shortened', () => {
    expect(change((spec) => (spec.containers[0]!.image = 'nginx:2'))).toEqual([]);
    expect(change((spec) => (spec.nodeName = 'n1'))).toEqual([]);
    expect(change((spec) => (spec.activeDeadlineSeconds = 30))).toEqual([]);
  });

  test('ephemeral containers may be added, and not changed or taken away', () => {
    const look = EphemeralContainer.fromPartial({ name: 'look', image: 'busybox', resources: {} });
    expect(change((spec) => spec.ephemeralContainers.push(look))).toEqual([]);
    const looked = structuredClone(previous);
    looked.spec!.ephemeralContainers.push(look);
    const paths = (edit: (spec: PodSpec) => void) => {
      const next = structuredClone(looked);
      edit(next.spec!);
      return (pod.validateUpdate?.(next, looked) ?? []).map(({ path }) => path);
    };
    expect(paths((spec) => (spec.ephemeralContainers[0]!.image = 'x'))).toEqual(['spec.ephemeralContainers[0].image']);
    expect(paths((spec) => spec.ephemeralContainers.pop())).toEqual(['spec.ephemeralContainers']);
  });

  test('nothing else may', () => {
    expect(change((spec) => (spec.containers[0]!.command = ['x']))).toEqual(['spec.containers']);
    expect(change((spec) => spec.containers.pop())).toEqual(['spec.containers']);
    expect(change((spec) => (spec.hostNetwork = true))).toEqual(['spec.hostNetwork']);
    expect(change((spec) => (spec.activeDeadlineSeconds = 90))).toEqual(['spec.activeDeadlineSeconds']);
  });
});

test('nobody has to end a Pod that runs nowhere', () => {
  const grace = (spec: SpecPartial, phase = '') =>
    pod.gracePeriodSeconds?.(Pod.fromPartial({ spec, status: { phase } }));
  expect(grace({ terminationGracePeriodSeconds: 5 })).toBe(0);
  expect(grace({ nodeName: 'n1', terminationGracePeriodSeconds: 5 })).toBe(5);
  expect(grace({ nodeName: 'n1' })).toBe(30);
  expect(grace({ nodeName: 'n1' }, 'Succeeded')).toBe(0);
});

import { Deployment, Pod, Secret } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { applyDefaults } from './defaults.ts';
import { validateImmutable } from './immutable.ts';
import { messageSchema } from './schema.ts';
import { validateObject } from './validate.ts';

const podSchema = messageSchema(Pod.$type);
const good = () =>
  Pod.fromPartial({ metadata: { name: 'web' }, spec: { containers: [{ name: 'a', image: 'nginx' }] } });

describe('validateObject', () => {
  test('says nothing of a good object', () => expect(validateObject(podSchema, good())).toEqual([]));

  test.each<{ name: string; spoil: (pod: Pod) => void; path: string; message: string }>([
    {
      name: 'required message',
      spoil: (pod) => (pod.spec = undefined),
      path: 'spec',
      message: 'must be set',
    },
    {
      name: 'required list',
      spoil: (pod) => (pod.spec = { ...pod.spec!, containers: [] }),
      path: 'spec.containers',
      message: 'must be set',
    },
    {
      name: 'required text',
      spoil: (pod) => (pod.spec!.containers[0]!.image = ''),
      path: 'spec.containers[0].image',
      message: 'must be set',
    },
    {
      name: 'format',
      spoil: (pod) => (pod.spec!.containers[0]!.name = 'A b'),
      path: 'spec.containers[0].name',
      message: '"A b" must be a DNS label: at most 63',
    },
    {
      name: 'allowed',
      spoil: (pod) => (pod.spec!.restartPolicy = 'Sometimes'),
      path: 'spec.restartPolicy',
      message: '"Sometimes" must be one of Always, OnFailure, Never',
    },
    {
      name: 'min',
      spoil: (pod) => (pod.spec!.terminationGracePeriodSeconds = -1),
      path: 'spec.terminationGracePeriodSeconds',
      message: '-1 must be at least 0',
    },
    {
      name: 'min and max',
      spoil: (pod) =>
        pod.spec!.containers[0]!.ports.push({ name: '', containerPort: 70_000, hostPort: 0, protocol: 'TCP' }),
      path: 'spec.containers[0].ports[0].containerPort',
      message: '70000 must be from 1 to 65535',
    },
    {
      name: 'key format',
      spoil: (pod) => (pod.metadata!.labels = { 'bad key': 'x' }),
      path: 'metadata.labels[bad key]',
      message: 'the name "bad key" must be a name',
    },
    {
      name: 'format of a map value',
      spoil: (pod) => (pod.metadata!.labels = { 'example.com/tier': '-' }),
      path: 'metadata.labels[example.com/tier]',
      message: 'must be a label value',
    },
  ])('$name', ({ spoil, path, message }) => {
    const pod = good();
    spoil(pod);
    const errors = validateObject(podSchema, pod);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ path, message: expect.stringContaining(message) as string });
  });
});

test('defaults fill what is absent, everywhere, and nothing else', () => {
  const pod = Pod.fromPartial({
    spec: { restartPolicy: 'Never', containers: [{ ports: [{ containerPort: 80 }], livenessProbe: { exec: {} } }] },
  });
  applyDefaults(podSchema, pod);
  expect(pod.spec).toMatchObject({
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
  });
  expect(pod.spec?.containers[0]).toMatchObject({
    ports: [{ protocol: 'TCP' }],
    livenessProbe: { periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: undefined,
  });
  const once = structuredClone(pod);
  applyDefaults(podSchema, pod);
  expect(pod).toEqual(once);
});

describe('validateImmutable', () => {
  const deployment = (app: string, template: string) =>
    Deployment.fromPartial({
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: { app } }, template: { metadata: { name: template } } },
    });
  const check = (next: Deployment, previous: Deployment) =>
    validateImmutable(messageSchema(Deployment.$type), next, previous).map(({ path }) => path);

  test('finds what changed in metadata and spec', () => {
    expect(check(deployment('a', ''), deployment('a', ''))).toEqual([]);
    expect(check(deployment('b', ''), deployment('a', ''))).toEqual(['spec.selector']);
    const renamed = deployment('a', '');
    renamed.metadata!.name = 'other';
    expect(check(renamed, deployment('a', ''))).toEqual(['metadata.name']);
  });

  test("a template's metadata may change", () => {
    expect(check(deployment('a', 'x'), deployment('a', 'y'))).toEqual([]);
  });

  test('finds fields of the object itself', () => {
    const secret = (type: string) => Secret.fromPartial({ type });
    expect(validateImmutable(messageSchema(Secret.$type), secret('a'), secret('b'))).toMatchObject([{ path: 'type' }]);
  });
});

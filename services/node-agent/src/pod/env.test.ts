import { EnvVar } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { type EnvSources, environment, expand } from './env.ts';
import { aPod, container } from './pod.fixture.ts';

const sources: EnvSources = {
  configMaps: new Map([
    [
      'settings',
      new Map([
        ['COLOR', Buffer.from('red')],
        ['SIZE', Buffer.from('2')],
      ]),
    ],
  ]),
  secrets: new Map([['keys', new Map([['token', Buffer.from('s3cret')]])]]),
  podIp: '10.0.0.2',
  hostIp: '192.0.2.1',
  nodeName: 'n1',
  allocatable: { cpuMillis: 2000, memoryBytes: 1 << 30 },
};
const pod = aPod({}, { labels: { app: 'web' }, annotations: { 'example.com/note': 'hi' } });
const resources = { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '128Mi' } };
const value = (valueFrom: Parameters<typeof EnvVar.fromPartial>[0]['valueFrom']) =>
  environment(
    pod,
    container({ env: [EnvVar.fromPartial({ name: 'X', ...(valueFrom && { valueFrom }) })], resources }),
    sources,
  )[0]?.value;
const keyRef = (name: string, key: string, optional = false) => ({ name, key, optional });

describe('the environment', () => {
  test.each([
    { path: 'metadata.name', value: 'web' },
    { path: 'metadata.namespace', value: 'default' },
    { path: 'metadata.uid', value: 'u1' },
    { path: "metadata.labels['app']", value: 'web' },
    { path: "metadata.annotations['example.com/note']", value: 'hi' },
    { path: "metadata.labels['none']", value: '' },
    { path: 'spec.nodeName', value: 'n1' },
    { path: 'status.hostIP', value: '192.0.2.1' },
    { path: 'status.podIP', value: '10.0.0.2' },
  ])('knows the field $path', ({ path, value: expected }) => {
    expect(value({ fieldRef: { fieldPath: path } })).toBe(expected);
  });

  test.each([
    { resource: 'requests.cpu', divisor: '', value: '1' },
    { resource: 'requests.cpu', divisor: '1m', value: '250' },
    { resource: 'limits.memory', divisor: '1Mi', value: '128' },
    { resource: 'requests.memory', divisor: '', value: String(64 << 20) },
    { resource: 'limits.cpu', divisor: '', value: '2' },
  ])('knows the resource $resource in units of "$divisor"', ({ resource, divisor, value: expected }) => {
    expect(value({ resourceFieldRef: { containerName: '', resource, divisor } })).toBe(expected);
  });

  test('takes keys of ConfigMaps and Secrets', () => {
    expect(value({ configMapKeyRef: keyRef('settings', 'COLOR') })).toBe('red');
    expect(value({ secretKeyRef: keyRef('keys', 'token') })).toBe('s3cret');
  });

  test.each([
    { source: { configMapKeyRef: keyRef('none', 'x') }, message: 'ConfigMap "none" not found' },
    { source: { configMapKeyRef: keyRef('settings', 'x') }, message: 'key "x" not found in ConfigMap "settings"' },
    { source: { secretKeyRef: keyRef('keys', 'x') }, message: 'key "x" not found in Secret "keys"' },
    { source: { fieldRef: { fieldPath: 'spec.secrets' } }, message: 'fieldRef "spec.secrets"' },
    {
      source: { resourceFieldRef: { containerName: '', resource: 'limits.luck', divisor: '' } },
      message: 'limits.luck',
    },
  ])('says that $message', ({ source, message }) => {
    expect(() => value(source)).toThrow(message);
  });

  test('leaves out what is optional and missing', () => {
    expect(value({ configMapKeyRef: keyRef('none', 'x', true) })).toBeUndefined();
  });

  test('takes whole ConfigMaps first; what is named goes before', () => {
    const env = environment(
      pod,
      container({
        envFrom: [{ prefix: 'MY_', configMapRef: { name: 'settings', optional: false }, secretRef: undefined }],
        env: [
          EnvVar.fromPartial({ name: 'MY_SIZE', value: '3' }),
          EnvVar.fromPartial({ name: 'ALL', value: '$(MY_COLOR)-$(MY_SIZE)' }),
        ],
      }),
      sources,
    );
    expect(Object.fromEntries(env.map(({ name, value }) => [name, value]))).toEqual({
      MY_COLOR: 'red',
      MY_SIZE: '3',
      ALL: 'red-3',
    });
  });
});

test.each([
  { template: '$(A)', result: 'a' },
  { template: 'x$(A)$(A)y', result: 'xaay' },
  { template: '$(UNKNOWN)', result: '$(UNKNOWN)' },
  { template: '$$(A)', result: '$(A)' },
  { template: '$A ${A} $', result: '$A ${A} $' },
  { template: '$(A', result: '$(A' },
  { template: '$$$(A)', result: '$a' },
])('"$template" becomes "$result"', ({ template, result }) => {
  expect(expand(template, new Map([['A', 'a']]))).toBe(result);
});

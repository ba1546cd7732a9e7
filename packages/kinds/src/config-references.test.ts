import { PodSpec } from '@navarch/proto';
import { expect, test } from 'vitest';
import { configKey, configReferences, withConfigNames } from './config-references.ts';

const reference = (name: string) => ({ name, key: 'k' });
const spec = PodSpec.fromPartial({
  initContainers: [{ env: [{ name: 'A', valueFrom: { configMapKeyRef: reference('init') } }] }],
  containers: [
    {
      env: [{ name: 'B', valueFrom: { secretKeyRef: reference('env') } }],
      envFrom: [{ configMapRef: { name: 'all' } }, { secretRef: { name: 'all', optional: true } }],
    },
  ],
  volumes: [
    { name: 'a', configMap: { name: 'files' } },
    { name: 'b', secret: { secretName: 'files' } },
    { name: 'c', projected: { sources: [{ configMap: { name: 'some' } }, { secret: { name: 'some' } }] } },
  ],
});
const named = ['ConfigMap/init', 'Secret/env', 'ConfigMap/all', 'Secret/all', 'ConfigMap/files', 'Secret/files'];
const all = [...named, 'ConfigMap/some', 'Secret/some'];

test('every place that names a ConfigMap or Secret is found', () => {
  expect(configReferences(spec).map(configKey)).toEqual(all);
});

test('and can name another, in a copy', () => {
  const renamed = withConfigNames(spec, ({ name }) => `${name}-2`);
  expect(configReferences(renamed).map(configKey)).toEqual(all.map((key) => `${key}-2`));
  expect(configReferences(spec).map(configKey)).toEqual(all);
});

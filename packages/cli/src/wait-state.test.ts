import { deployment } from '@navarch/kinds';
import { Deployment } from '@navarch/proto';
import { expect, test } from 'vitest';
import { readState } from './wait-state.ts';

const web = Deployment.fromPartial({
  metadata: { name: 'web', generation: 3 },
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'a' }, { name: 'b' }] } } },
  status: {
    observedGeneration: 3,
    conditions: [
      { type: 'Available', status: 'True' },
      { type: 'Progressing', status: 'False', reason: 'X' },
    ],
  },
});

test.each<[string, boolean]>([
  ['condition=Available', true],
  ['condition=available=true', true],
  ['condition=Progressing', false],
  ['condition=Progressing=False', true],
  ['condition=Other', false],
  ['jsonpath={.spec.replicas}=2', true],
  ['jsonpath={.spec.replicas}=3', false],
  ['jsonpath=.spec.replicas=2', true],
  ['jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=X', true],
  ['jsonpath={.metadata.name}="web"', true],
  ['jsonpath={.metadata.name}', true],
  ['jsonpath={.spec.paused}', false],
  ['create', true],
  ['delete', false],
])('--for=%s holds: %s', (text, holds) => {
  expect(readState(text).holds(deployment, web)).toBe(holds);
});

test('what was seen before the last change does not count', () => {
  const changed = { ...web, metadata: web.metadata && { ...web.metadata, generation: 4 } };
  expect(readState('condition=Available').holds(deployment, changed)).toBe(false);
});

test.each([
  ['delete', true],
  ['create', false],
  ['condition=Ready', false],
  ['jsonpath={.a}', false],
])('--for=%s of an object that is not there: %s', (text, holds) => {
  expect(readState(text).holds(deployment, undefined)).toBe(holds);
});

test.each([
  ['lunch', '--for must be'],
  ['condition=', '--for must be'],
  ['jsonpath={.a[}=1', '".a[" is no path'],
  ['jsonpath={.a}=', 'the value is missing'],
])('--for=%s is refused', (text, message) => {
  expect(() => readState(text)).toThrow(message);
});

test.each([
  ['jsonpath={.spec.template.spec.containers[*].name}=a', 'leads to 2 values'],
  ['jsonpath={.status.conditions}=a', 'leads to a list'],
  ['jsonpath={.spec.template}=a', 'leads to an object'],
])('--for=%s can not be compared', (text, message) => {
  expect(() => readState(text).holds(deployment, web)).toThrow(message);
});

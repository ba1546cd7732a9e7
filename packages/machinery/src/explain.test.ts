import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import { messageSchema } from './schema.ts';

const deployment = { kind: 'Deployment', apiVersion: 'apps/v1', schema: messageSchema('navarch.apps.v1.Deployment') };

test('a kind, with its fields and the two that say which it is', () => {
  const { text } = explain(deployment, []);
  expect(text).toContain('GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n');
  expect(text).toMatch(/FIELDS:\n {2}apiVersion\t<string>/);
  expect(text).toContain('  spec\t<DeploymentSpec> -required-\n    What should be.');
});

test('a field, with its rules', () => {
  const { text } = explain(deployment, ['spec', 'replicas']);
  expect(text).toContain('FIELD: replicas <integer>');
  expect(text).toContain('How many Pods.');
  expect(text).toContain('Default: 1');
});

test('everything below', () => {
  const { text } = explain(deployment, ['spec', 'template'], true);
  expect(text).toMatch(/\n {2}spec\t<PodSpec> -required-\n {4}volumes\t<\[\]Volume>\n {6}name\t<string> -required-/);
});

test('a field that is not there', () => {
  expect(explain(deployment, ['spec', 'nope', 'x'])).toMatchObject({
    text: undefined,
    known: ['spec'],
    fields: expect.arrayContaining(['replicas']) as string[],
  });
});

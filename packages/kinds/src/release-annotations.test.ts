import { Deployment } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { parseCanary, stepSize } from './canary-steps.ts';
import { deployment } from './deployment.ts';
import { rolledBackOf } from './release-annotations.ts';

const withAnnotations = (annotations: Record<string, string>, type = 'RollingUpdate') =>
  Deployment.fromPartial({
    metadata: { name: 'web', annotations },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      strategy: { type },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'nginx' }] },
      },
    },
  });
const errorsOf = (object: Deployment) =>
  (deployment.validate?.(object) ?? []).filter(({ path }) => path.includes('navarch.io'));

describe('the steps of a canary', () => {
  test('are sizes, shares and pauses', () => {
    expect(parseCanary(' 1, pause,25% ,pause 10m, pause 30s')).toEqual([
      { type: 'size', size: 1, percent: false },
      { type: 'pause', ms: undefined },
      { type: 'size', size: 25, percent: true },
      { type: 'pause', ms: 600_000 },
      { type: 'pause', ms: 30_000 },
    ]);
  });

  test.each([['101%'], ['-1'], ['pause 5'], ['pause for ever'], ['1,,2'], ['half']])('are not "%s"', (text) => {
    expect(errorsOf(withAnnotations({ 'navarch.io/canary': text }))).toEqual([
      {
        path: 'metadata.annotations[navarch.io/canary]',
        message: expect.stringMatching(/is no step: a number of Pods/),
      },
    ]);
  });

  test.each([
    { step: { size: 1, percent: true }, of: 10, is: 1 },
    { step: { size: 25, percent: true }, of: 10, is: 3 },
    { step: { size: 4, percent: false }, of: 3, is: 3 },
    { step: { size: 100, percent: true }, of: 7, is: 7 },
  ])('$step of $of Pods are $is', ({ step, of, is }) => {
    expect(stepSize({ type: 'size', ...step }, of)).toBe(is);
  });

  test('don’t go with Recreate, which has none', () => {
    expect(errorsOf(withAnnotations({ 'navarch.io/canary': '1, pause' }, 'Recreate'))).toHaveLength(1);
    expect(errorsOf(withAnnotations({ 'navarch.io/canary': '' }, 'Recreate'))).toEqual([]);
  });
});

test.each([['navarch.io/auto-rollback'], ['navarch.io/config-rollout']])('%s is true or false', (name) => {
  expect(errorsOf(withAnnotations({ [name]: 'yes' }))).toEqual([
    { path: `metadata.annotations[${name}]`, message: 'must be "true" or "false", not "yes"' },
  ]);
  expect(errorsOf(withAnnotations({ [name]: 'true' }))).toEqual([]);
});

test.each([['{'], ['null'], ['[]'], ['{"template":1}'], ['"x"']])(
  'a record that somebody else wrote, %s, is none',
  (text) => {
    expect(rolledBackOf(withAnnotations({ 'navarch.io/rolled-back': text }))).toBeUndefined();
  },
);

import type { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { pod } from '../manifests.fixture.ts';
import { priority } from './priority.ts';
import { type Manifest, step, viewOf } from './step.fixture.ts';

const priorityClass = (name: string, value: number, more: Manifest = {}): Manifest => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
  ...more,
});
const high = priorityClass('high', 1000);
const patient = priorityClass('patient', 10, { preemptionPolicy: 'Never' });
const usual = priorityClass('usual', 5, { globalDefault: true });
const greedy = priorityClass('greedy', 900, { globalDefault: true });

function given(classes: readonly Manifest[], spec: object, before?: Manifest) {
  const made = step(viewOf(...classes), pod('web', spec), before);
  priority.admit?.(made);
  const { priorityClassName, priority: number, preemptionPolicy } = (made.next as Pod).spec!;
  return [priorityClassName, number, preemptionPolicy];
}

describe('a new Pod', () => {
  test.each([
    { name: 'without classes', classes: [], spec: {}, gets: ['', 0, 'PreemptLowerPriority'] },
    { name: 'of no class', classes: [high], spec: {}, gets: ['', 0, 'PreemptLowerPriority'] },
    {
      name: 'of no class, with a default',
      classes: [high, usual],
      spec: {},
      gets: ['usual', 5, 'PreemptLowerPriority'],
    },
    {
      name: 'of no class, with two defaults',
      classes: [greedy, usual],
      spec: {},
      gets: ['usual', 5, 'PreemptLowerPriority'],
    },
    {
      name: 'of a class',
      classes: [high, usual],
      spec: { priorityClassName: 'high' },
      gets: ['high', 1000, 'PreemptLowerPriority'],
    },
    {
      name: 'of a patient class',
      classes: [patient],
      spec: { priorityClassName: 'patient' },
      gets: ['patient', 10, 'Never'],
    },
    {
      name: 'that the node needs',
      classes: [],
      spec: { priorityClassName: 'system-node-critical' },
      gets: ['system-node-critical', 2_000_001_000, 'PreemptLowerPriority'],
    },
    {
      name: 'that says what is so',
      classes: [high],
      spec: { priorityClassName: 'high', priority: 1000 },
      gets: ['high', 1000, 'PreemptLowerPriority'],
    },
  ])('$name gets $gets', ({ classes, spec, gets }) => {
    expect(given(classes, spec)).toEqual(gets);
  });

  test.each([
    { spec: { priorityClassName: 'hihg' }, why: 'no PriorityClass "hihg"' },
    {
      spec: { priorityClassName: 'high', priority: 7 },
      why: 'spec.priority must not be 7: the priority class "high" gives 1000',
    },
    { spec: { priority: 7 }, why: 'Pods without a priority class get 0' },
    { spec: { preemptionPolicy: 'Never' }, why: 'spec.preemptionPolicy must not be Never' },
  ])('$spec is forbidden', ({ spec, why }) => {
    expect(() => given([high], spec)).toThrow(
      expect.objectContaining({ reason: 'Forbidden', message: expect.stringContaining(why) }),
    );
  });
});

test('a Pod keeps what it was given, whatever becomes of its class', () => {
  const before = pod('web', { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'PreemptLowerPriority' });
  expect(given([greedy], {}, before)).toEqual(['high', 1000, 'PreemptLowerPriority']);
});

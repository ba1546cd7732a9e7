import { expect, test } from 'vitest';
import { clients, type Fault, faults, lastingKeys, type Step, steps } from './plan.ts';

function first<T>(endless: Generator<T, never, void>, count: number): T[] {
  return Array.from({ length: count }, () => endless.next().value);
}

test('a seed brings the same steps and the same faults each time, another seed others', () => {
  expect(first(steps(7, 0), 200)).toEqual(first(steps(7, 0), 200));
  expect(first(faults(7, 1), 50)).toEqual(first(faults(7, 1), 50));
  expect(first(steps(7, 0), 200)).not.toEqual(first(steps(8, 0), 200));
  expect(first(steps(7, 0), 200)).not.toEqual(first(steps(7, 1), 200));
  expect(first(faults(7, 0), 50)).not.toEqual(first(faults(8, 0), 50));
});

test('every kind of step and of fault comes up', () => {
  const taken = Array.from({ length: clients }, (_, client) => first(steps(1, client), 100)).flat();
  const kinds: Step['type'][] = [
    'increment',
    'put',
    'create',
    'generate',
    'status',
    'remove',
    'get',
    'list',
    'transfer',
  ];
  for (const type of [...kinds, 'several']) expect(taken.map((step) => step.type)).toContain(type);
  const inflicted = [0, 1].flatMap((row) => first(faults(1, row), 40)).map(({ fault }) => fault.type);
  const types: Fault['type'][] = ['kill', 'pause', 'cut', 'hold', 'refuse', 'lose'];
  for (const type of types) expect(inflicted).toContain(type);
});

test('what is there from the beginning is never removed', () => {
  const taken = Array.from({ length: clients }, (_, client) => first(steps(1, client), 1_000)).flat();
  const removed = taken.flatMap((step) => (step.type === 'remove' ? [step.key] : []));
  expect(removed.filter((key) => lastingKeys.includes(key))).toEqual([]);
  expect(removed.length).toBeGreaterThan(0);
});

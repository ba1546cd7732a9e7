import { expect, test } from 'vitest';
import { agoMs, lines, pod } from '../objects.fixture.ts';
import { collectPods } from './reconcile.ts';

const over = (name: string, ageMs: number) =>
  pod(name, { status: { phase: 'Failed' }, metadata: { creationTimestamp: agoMs(ageMs) } });
const look = (pods: ReturnType<typeof pod>[], goneForMs = 0) =>
  lines(
    collectPods(
      { pods, nodeExists: (name) => name === 'n1', nodeGoneForMs: () => goneForMs },
      { mostOver: 2, nodeGoneMs: 40_000 },
    ).writes,
  );

test('keeps Pods that are over up to the limit, and of more removes the oldest', () => {
  expect(look([over('a', 1_000), over('b', 3_000)])).toEqual([]);
  expect(look([over('a', 1_000), over('b', 9_000), over('c', 5_000)])).toEqual(['delete pod b']);
});

test('removes Pods whose node has been gone for a while', () => {
  const lost = pod('a', { spec: { nodeName: 'n2' } });
  expect(look([lost, pod('b')], 1_000)).toEqual([]);
  expect(look([lost, pod('b')], 40_000)).toEqual(['delete pod a']);
});

test('leaves Pods alone that have no node yet', () => {
  expect(look([pod('a', { spec: { nodeName: '' } })], 99_000)).toEqual([]);
});

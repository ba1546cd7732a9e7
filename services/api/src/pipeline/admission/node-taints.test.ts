import type { Node } from '@navarch/proto';
import { expect, test } from 'vitest';
import { nodeTaints } from './node-taints.ts';
import { type Manifest, step, viewOf } from './step.fixture.ts';

const node = (taints: readonly object[]): Manifest => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  spec: { taints },
});
const earlier = '2025-12-31T00:00:00Z';
const now = '2026-01-01T00:00:00Z';
const taint = { key: 'a', effect: 'NoExecute' };

test.each([
  { name: 'a new one gets the time of now', taints: [taint], times: [now] },
  { name: 'one that says so itself keeps its time', taints: [{ ...taint, timeAdded: earlier }], times: [earlier] },
  {
    name: 'one that was there keeps its time',
    taints: [taint],
    before: [{ ...taint, timeAdded: earlier }],
    times: [earlier],
  },
  {
    name: 'one that was there with another value is new',
    taints: [taint],
    before: [{ ...taint, value: 'x', timeAdded: earlier }],
    times: [now],
  },
  { name: 'one that ends no Pods needs none', taints: [{ key: 'a', effect: 'NoSchedule' }], times: [''] },
])('of taints $name', ({ taints, before, times }) => {
  const asked = step(viewOf(), node(taints), before && node(before));
  nodeTaints.admit?.(asked);
  expect((asked.next as Node).spec?.taints.map(({ timeAdded }) => timeAdded)).toEqual(times);
});

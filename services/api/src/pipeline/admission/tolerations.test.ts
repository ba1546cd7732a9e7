import type { Pod } from '@navarch/proto';
import { expect, test } from 'vitest';
import { type Manifest, step, viewOf } from './step.fixture.ts';
import { tolerations } from './tolerations.ts';

const pod = (own: readonly object[]): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { containers: [{ name: 'c', image: 'nginx' }], tolerations: own },
});
const admitted = (own: readonly object[], before?: readonly object[]) => {
  const asked = step(viewOf(), pod(own), before && pod(before));
  tolerations.admit?.(asked);
  return ((asked.next as Pod).spec?.tolerations ?? []).map(
    ({ key, effect, tolerationSeconds: seconds }) =>
      `${key.split('/').at(-1)}:${effect}${seconds ? ` ${seconds} s` : ''}`,
  );
};
const usual = ['not-ready:NoExecute 300 s', 'unreachable:NoExecute 300 s'];
const notReady = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };

test.each([
  { name: 'nothing: both for five minutes', own: [], has: usual },
  { name: 'another taint: both are added', own: [{ key: 'a' }], has: ['a:', ...usual] },
  { name: 'one of both: the other is added', own: [notReady], has: ['not-ready:NoExecute 5 s', usual[1]] },
  { name: 'all taints: nothing is added', own: [{ operator: 'Exists' }], has: [':'] },
  {
    name: 'one of both with another effect: both are added',
    own: [{ ...notReady, effect: 'NoSchedule', tolerationSeconds: undefined }],
    has: ['not-ready:NoSchedule', ...usual],
  },
])('a Pod that tolerates $name', ({ own, has }) => {
  expect(admitted(own)).toEqual(has);
});

test('what was added is kept when a manifest says nothing of it, and added again beside what it says', () => {
  expect(admitted([], [{ key: 'a' }, notReady])).toEqual(['a:', 'not-ready:NoExecute 5 s', usual[1]]);
  expect(admitted([{ key: 'a' }], [{ key: 'a' }, notReady])).toEqual(['a:', ...usual]);
});

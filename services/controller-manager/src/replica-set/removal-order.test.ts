import { removalOrder } from '@navarch/kinds';
import { expect, test } from 'vitest';
import { agoMs, pod } from '../objects.fixture.ts';

const cost = 'controller.kubernetes.io/pod-deletion-cost';

test.each([
  { name: 'without a node', goes: { spec: { nodeName: '' } }, stays: {} },
  { name: 'pending', goes: { status: { phase: 'Pending' } }, stays: {} },
  { name: 'not ready', goes: { ready: false }, stays: {} },
  { name: 'cheaper to lose', goes: { metadata: { annotations: { [cost]: '-5' } } }, stays: {} },
  { name: 'ready for a shorter time', goes: { readyForMs: 1_000 }, stays: { readyForMs: 9_000 } },
  {
    name: 'restarted more often',
    goes: { status: { containerStatuses: [{ name: 'c', restartCount: 3 }] } },
    stays: {},
  },
  {
    name: 'younger',
    goes: { metadata: { creationTimestamp: agoMs(1_000) } },
    stays: { metadata: { creationTimestamp: agoMs(9_000) } },
  },
])('first goes what is $name', ({ goes, stays }) => {
  const first = pod('z-goes', { ...goes, metadata: { ...('metadata' in goes ? goes.metadata : {}), name: 'z-goes' } });
  const last = pod('a-stays', {
    ...stays,
    metadata: { ...('metadata' in stays ? stays.metadata : {}), name: 'a-stays' },
  });
  expect(removalOrder([last, first]).map(({ metadata }) => metadata.name)).toEqual(['z-goes', 'a-stays']);
});

test('of two nodes the one with more of the Pods gives one up', () => {
  const pods = [
    pod('a', { spec: { nodeName: 'n1' } }),
    pod('b', { spec: { nodeName: 'n2' } }),
    pod('c', { spec: { nodeName: 'n2' } }),
  ];
  expect(removalOrder(pods)[0]?.spec.nodeName).toBe('n2');
});

test('Pods of a Deployment’s other ReplicaSets count there, too', () => {
  const pods = [pod('a', { spec: { nodeName: 'n1' } }), pod('b', { spec: { nodeName: 'n2' } })];
  const related = [pod('c', { spec: { nodeName: 'n2' } })];
  expect(removalOrder(pods, related)[0]?.spec.nodeName).toBe('n2');
});

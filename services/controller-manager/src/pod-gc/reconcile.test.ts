import type { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, lines, node, now, pod } from '../objects.fixture.ts';
import { collectPods } from './reconcile.ts';

type PodShape = NonNullable<Parameters<typeof pod>[1]>;

const over = (name: string, ageMs: number, more: PodShape = {}) =>
  pod(name, {
    ...more,
    status: { phase: 'Failed', ...more.status },
    metadata: { creationTimestamp: agoMs(ageMs), ...more.metadata },
  });
const going = (name: string, more: PodShape = {}) =>
  pod(name, {
    ...more,
    metadata: { deletionTimestamp: agoMs(60_000), deletionGracePeriodSeconds: 30, ...more.metadata },
  });
const taint = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' };
const nodes = [
  node('n1'),
  node('silent', { ready: 'Unknown' }),
  node('off', { ready: 'Unknown', spec: { taints: [taint] } }),
  node('contradicts', { spec: { taints: [taint] } }),
];
const plan = (pods: ReturnType<typeof pod>[], goneForMs?: number) =>
  collectPods(
    {
      pods,
      nodeOf: (name) => nodes.find(({ metadata }) => metadata.name === name),
      nodeGoneForMs: () => goneForMs,
    },
    { mostOver: 2, nodeGoneMs: 40_000 },
    now,
  );
const look = (pods: ReturnType<typeof pod>[], goneForMs?: number) => lines(plan(pods, goneForMs).writes);

describe('of Pods that are over', () => {
  test('as many as the limit says stay, and of more the oldest go', () => {
    expect(look([over('a', 1_000), over('b', 3_000)])).toEqual([]);
    expect(look([over('a', 1_000), over('b', 9_000), over('c', 5_000)])).toEqual(['delete pod b']);
  });

  test('those that were evicted go before older ones', () => {
    const evicted = over('a', 1_000, { status: { reason: 'Evicted' } });
    expect(look([evicted, over('b', 9_000), over('c', 5_000)])).toEqual(['delete pod a']);
  });
});

describe('a Pod of a node that is gone', () => {
  const on = { spec: { nodeName: 'n2' } };

  test('fails, then goes, when the node has been gone for a while', () => {
    expect(look([pod('a', on), pod('b')], 1_000)).toEqual([]);
    expect(look([pod('a', on), pod('b')], 40_000)).toEqual(['updateStatus pod a']);
    const [write] = plan([pod('a', on)], 40_000).writes;
    const failed = write?.type === 'updateStatus' ? (write.object as Pod) : undefined;
    expect(failed?.status).toMatchObject({
      phase: 'Failed',
      conditions: [{ type: 'Ready' }, { type: 'DisruptionTarget', reason: 'DeletionByPodGC' }],
    });
    const { writes, events } = plan([over('a', 1_000, on)], 40_000);
    expect(writes).toMatchObject([{ type: 'delete', options: { uid: 'uid-a', gracePeriodSeconds: 0 } }]);
    expect(events).toMatchObject([{ reason: 'PodGC', after: writes[0] }]);
  });

  test('stays while nobody knows whether the node is gone', () => {
    expect(look([pod('a', on)], undefined)).toEqual([]);
  });
});

describe('a Pod that is ending', () => {
  test.each([
    { name: 'on a node that works is left to it', nodeName: 'n1', writes: [] },
    { name: 'on a node that is only silent may run on: it stays', nodeName: 'silent', writes: [] },
    { name: 'on a node that is out of service fails', nodeName: 'off', writes: ['updateStatus pod a'] },
    { name: 'on a node that is out of service, but is Ready, is left to it', nodeName: 'contradicts', writes: [] },
    { name: 'and has no node goes', nodeName: '', writes: ['delete pod a'] },
  ])('$name', ({ nodeName, writes }) => {
    expect(look([going('a', { spec: { nodeName } })])).toEqual(writes);
  });

  test('has failed on a node that is out of service, and goes', () => {
    expect(look([going('a', { spec: { nodeName: 'off' }, status: { phase: 'Failed' } })])).toEqual(['delete pod a']);
  });

  test('and only its finalizers keep is said to have failed, where nobody else can, and not asked again', () => {
    const kept = (phase: string, nodeName: string) =>
      going('a', {
        spec: { nodeName },
        status: { phase },
        metadata: { deletionTimestamp: agoMs(0), deletionGracePeriodSeconds: 0 },
      });
    expect(look([kept('Pending', '')])).toEqual(['updateStatus pod a']);
    expect(look([kept('Running', 'off')])).toEqual(['updateStatus pod a']);
    expect(look([kept('Running', 'n1')])).toEqual([]);
    expect(look([kept('Failed', '')])).toEqual([]);
  });
});

test('Pods are left alone that have no node yet, or run on one that is out of service and were not asked to go', () => {
  expect(look([pod('a', { spec: { nodeName: '' } }), pod('b', { spec: { nodeName: 'off' } })], 99_000)).toEqual([]);
});

import type { Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, lines, node, now, pod } from '../objects.fixture.ts';
import { reconcileTaintedNode } from './reconcile.ts';

const unreachable = 'node.kubernetes.io/unreachable';
const tainted = (agoS: number, effect = 'NoExecute') =>
  node('n1', { spec: { taints: [{ key: unreachable, effect, timeAdded: agoMs(agoS * 1000) }] } });
const forSeconds = (tolerationSeconds?: number) => ({
  key: unreachable,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds !== undefined && { tolerationSeconds }),
});
const told = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
/** Came an hour ago, unless said otherwise, and has been told why it is going to end. */
const a = (tolerations: object[] = [], cameAgoS = 3600, more: object[] = [told]) =>
  pod('a', {
    spec: { tolerations },
    status: {
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: agoMs(cameAgoS * 1000) }, ...more],
    },
  });

describe('a Pod on a node with a NoExecute taint', () => {
  test.each([
    { name: 'that it does not tolerate ends at once', pod: a(), agoS: 0, ends: true },
    { name: 'that it tolerates for ever stays', pod: a([forSeconds()]), agoS: 9_999, ends: false },
    {
      name: 'that it tolerates for a while stays so long',
      pod: a([forSeconds(300)]),
      agoS: 299,
      ends: false,
      againAfterS: 1,
    },
    { name: 'that it tolerated for a while ends then', pod: a([forSeconds(300)]), agoS: 300, ends: true },
    { name: 'that it tolerates for 0 seconds ends at once', pod: a([forSeconds(0)]), agoS: 0, ends: true },
    { name: 'the shortest of several times counts', pod: a([forSeconds(300), forSeconds(10)]), agoS: 10, ends: true },
    {
      name: 'the time counts from when it came, if that was later',
      pod: a([forSeconds(300)], 100),
      agoS: 5_000,
      ends: false,
      againAfterS: 200,
    },
    {
      name: 'a toleration for another effect is none',
      pod: a([{ ...forSeconds(), effect: 'NoSchedule' }]),
      agoS: 0,
      ends: true,
    },
  ])('$name', ({ pod: seen, agoS, ends, againAfterS }) => {
    const plan = reconcileTaintedNode({ node: tainted(agoS), pods: [seen] }, now);
    expect(lines(plan.writes)).toEqual(ends ? ['delete pod a'] : []);
    expect(plan.againAfterMs).toBe(againAfterS === undefined ? undefined : againAfterS * 1000);
  });

  test('is told why before it is asked to end, gracefully', () => {
    const first = reconcileTaintedNode({ node: tainted(0), pods: [a([], 3600, [])] }, now);
    expect(lines(first.writes)).toEqual(['updateStatus pod a']);
    const [write] = first.writes;
    const after = write?.type === 'updateStatus' ? (write.object as Pod) : undefined;
    expect(after?.status?.conditions.at(-1)).toMatchObject({
      type: 'DisruptionTarget',
      reason: 'DeletionByTaintManager',
    });
    const second = reconcileTaintedNode({ node: tainted(0), pods: [a()] }, now);
    expect(second.writes).toEqual([expect.objectContaining({ type: 'delete', options: { uid: 'uid-a' } })]);
    expect(second.events).toMatchObject([{ reason: 'TaintManagerEviction' }]);
  });

  test('is left alone once it is going, or over, and on a node with other taints', () => {
    const going = pod('a', { metadata: { deletionTimestamp: agoMs(0) } });
    const over = pod('b', { status: { phase: 'Failed' } });
    expect(reconcileTaintedNode({ node: tainted(0), pods: [going, over] }, now).writes).toEqual([]);
    expect(reconcileTaintedNode({ node: tainted(0, 'NoSchedule'), pods: [a()] }, now).writes).toEqual([]);
  });

  test('with two taints goes when the first of the two times is over', () => {
    const both = node('n1', {
      spec: {
        taints: [
          { key: unreachable, effect: 'NoExecute', timeAdded: agoMs(10_000) },
          { key: 'b', effect: 'NoExecute', timeAdded: agoMs(50_000) },
        ],
      },
    });
    const seen = a([forSeconds(300), { key: 'b', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }]);
    expect(reconcileTaintedNode({ node: both, pods: [seen] }, now).againAfterMs).toBe(10_000);
  });
});

import type { Live } from '@navarch/machinery';
import { type Pod, PodStanding } from '@navarch/proto';
import { expect, test } from 'vitest';
import { nodeInfo, pod, podInfo, snapshotOf } from '../objects.fixture.ts';
import { withUnschedulable } from '../pod-conditions.ts';
import { explainPod } from './explain-pod.ts';
import type { Picture } from './picture.ts';

const profiles = new Map([['default-scheduler', { schedulerName: 'default-scheduler', strategy: 'argmax' } as const]]);

function explain(subject: Live<Pod>, more: Partial<Picture> = {}) {
  const snapshot = snapshotOf([
    nodeInfo('a', { cpu: '4' }, [podInfo('other', { cpu: '3' })]),
    nodeInfo('b', { cpu: '2' }),
    nodeInfo('c', { cpu: '2' }),
  ]);
  if (subject.spec.nodeName !== '')
    snapshot.place(`default/${subject.metadata.name}`, subject.spec.nodeName, podInfo('x'));
  const steps = explainPod(subject, {
    snapshot,
    budgets: [],
    profiles,
    withClaims: (info) => info,
    waits: () => undefined,
    nominationOf: () => undefined,
    isLeaving: () => false,
    ...more,
  });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const gated = (name: string): Live<Pod> => {
  const made = pod(name);
  return { ...made, spec: { ...made.spec, schedulingGates: [{ name: 'x.io/wait' }] } };
};

interface Case {
  readonly name: string;
  readonly subject: Live<Pod>;
  readonly more?: Partial<Picture>;
  readonly standing: PodStanding;
  readonly summary: string;
}

test.each<Case>([
  {
    name: 'on a node that it would get again',
    subject: pod('p', { cpu: '1', on: 'b' }),
    standing: PodStanding.PLACED,
    summary: 'it is on node b; decided now, it would be the best place: 3 nodes could have it',
  },
  {
    name: 'on a node that is not the best any more',
    subject: pod('p', { cpu: '1', on: 'a' }),
    standing: PodStanding.PLACED,
    summary: 'it is on node a; decided now, 2 nodes suit it better',
  },
  {
    name: 'on a node that could not have it any more',
    subject: pod('p', { cpu: '2', on: 'a' }),
    standing: PodStanding.PLACED,
    summary: 'it is on node a; decided now, it could not be there',
  },
  {
    name: 'nowhere',
    subject: pod('p', { cpu: '3' }),
    standing: PodStanding.REFUSED,
    summary: '0 of 3 nodes can have it',
  },
  {
    name: 'held by a gate',
    subject: gated('p'),
    standing: PodStanding.HELD,
    summary: 'nobody looks for a node until its scheduling gates are taken off: x.io/wait',
  },
  {
    name: 'held by a claim',
    subject: pod('p'),
    more: {
      withClaims: (info) => ({
        ...info,
        claims: [{ key: 'default/d', name: 'd', nodeName: '', problem: 'is not there' }],
      }),
    },
    standing: PodStanding.HELD,
    summary: 'it waits for its claim d, which is not there',
  },
  {
    name: 'of another scheduler',
    subject: pod('p', { scheduler: 'theirs' }),
    standing: PodStanding.UNKNOWN_SCHEDULER,
    summary: 'it asks for the scheduler "theirs", which this is not; here are: default-scheduler',
  },
  {
    name: 'ended',
    subject: pod('p', { on: 'a', phase: 'Succeeded' }),
    standing: PodStanding.OVER,
    summary: 'it has ended (Succeeded)',
  },
  {
    name: 'in back-off',
    subject: pod('p', { cpu: '1' }),
    more: { waits: () => 'backoff' },
    standing: PodStanding.ABOUT_TO_BE_PLACED,
    summary: '3 of 3 nodes can have it now; it is tried again in some seconds',
  },
  {
    name: 'kept by more than nodes',
    subject: withUnschedulable(pod('p', { cpu: '1' }), 'its group waits for 2 more Pods.', 0) ?? pod('p'),
    standing: PodStanding.ABOUT_TO_BE_PLACED,
    summary: '3 of 3 nodes can have it now; when it was last tried: its group waits for 2 more Pods',
  },
  {
    name: 'room is being made',
    subject: pod('p', { cpu: '3' }),
    more: { nominationOf: () => 'a', isLeaving: () => true },
    standing: PodStanding.MAKING_ROOM,
    summary: 'less important Pods are leaving node a for it',
  },
])('$name', ({ subject, more, standing, summary }) => {
  expect(explain(subject, more)).toMatchObject({ standing, summary });
});

test('nodes with the same in their way are told together, the most first, and those that come closest', () => {
  const { refused } = explain(pod('p', { cpu: '3' }));
  expect(refused?.map(({ reason, count, nodes }) => [reason, count, nodes.map(({ name }) => name)])).toEqual([
    ['cpu', 3, ['b', 'c', 'a']],
  ]);
  expect(refused?.[0]?.nodes[0]?.obstacles[0]).toMatchObject({
    needed: 3000n,
    free: 2000n,
    total: 2000n,
    subject: 'cpu',
  });
});

test('the node that it has stands beside its runners-up, as if it were not there itself', () => {
  const { able } = explain(pod('p', { cpu: '1', on: 'b' }));
  expect(able?.map(({ name, score, chosen }) => [name, score, chosen])).toEqual([
    ['b', 2, true],
    ['c', 2, false],
    ['a', 1, false],
  ]);
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeInfo, type NodeShape, podInfo, type PodShape, snapshotOf } from '../objects.fixture.ts';
import { nodeFacts } from '../node-info.ts';
import { footprint, type PodInfo, toPodInfo } from '../pod-info.ts';
import { rejections, schedule } from '../schedule.ts';
import { Snapshot } from '../snapshot.ts';
import { namespaces, nodeOf, nodeShape, podOf, step } from '../stories.fixture.ts';
import { type Change, changeText, costOf, withChanges } from './change.ts';
import { obstacleMessage } from './obstacle-text.ts';
import { obstaclesOf } from './obstacles.ts';
import { type ProvenChange, smallestChanges } from './smallest-changes.ts';

const profile = { schedulerName: 'x', strategy: 'argmax' } as const;

function run<T>(steps: Generator<void, T, void>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const told = (proven: readonly ProvenChange[]) =>
  proven.map(({ changes, nodeName }) => `${changes.map(changeText).join(' and ')} → ${nodeName}`);

interface Case {
  readonly name: string;
  readonly pod: PodShape;
  readonly nodes: Readonly<Record<string, NodeShape & { readonly has?: readonly PodShape[] }>>;
  readonly says: readonly string[];
  readonly smallest: string;
}

const hostname = 'kubernetes.io/hostname';
const spread = (topologyKey: string, maxSkew = 1) => [
  { topologyKey, maxSkew, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'a' } } },
];
const apart = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: hostname, labelSelector: { matchLabels: { app: 'a' } } },
    ],
  },
};

describe('what is in the way, by how much, and the smallest change that lifts it', () => {
  test.each<Case>([
    {
      name: 'cpu',
      pod: { cpu: '2' },
      nodes: { a: { cpu: '4', has: [{ cpu: '2750m' }] }, b: { cpu: '1' } },
      says: ['a: cpu: needs 2, 1250m free of 4: 750m short', 'b: cpu: needs 2, 1 free of 1: 1 short'],
      smallest: 'let the Pod ask for 1250m of cpu instead of 2, 750m less → a',
    },
    {
      name: 'memory that is all taken: others have to go, as few as can be',
      pod: { memory: '1Gi' },
      nodes: { a: { memory: '2Gi', has: [{ memory: '512Mi' }, { memory: '1Gi' }, { memory: '512Mi' }] } },
      says: ['a: memory: needs 1Gi, 0 free of 2Gi: 1Gi short'],
      smallest: 'have one Pod fewer: a default/a1 on a → a',
    },
    {
      name: 'a taint',
      pod: {},
      nodes: { a: { taints: [{ key: 'gpu', value: 'true', effect: 'NoSchedule' }] } },
      says: ['a: it has the taint gpu=true:NoSchedule, which the Pod does not tolerate'],
      smallest: 'give the Pod a toleration for gpu=true:NoSchedule → a',
    },
    {
      name: 'a cordon, and the taint that comes with it, are one thing to undo',
      pod: {},
      nodes: {
        a: { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
      },
      says: [
        'a: it is cordoned: it takes no new Pods',
        'a: it has the taint node.kubernetes.io/unschedulable:NoSchedule, which the Pod does not tolerate',
      ],
      smallest: 'uncordon node a → a',
    },
    {
      name: 'a node that is not ready',
      pod: {},
      nodes: { a: { ready: false } },
      says: ['a: it is not ready'],
      smallest: 'make node a ready again → a',
    },
    {
      name: 'a label',
      pod: { selector: { disk: 'ssd' } },
      nodes: { a: { labels: { disk: 'hdd' } } },
      says: ['a: nodeSelector wants disk=ssd, and it has disk=hdd'],
      smallest: 'give node a the label disk=ssd → a',
    },
    {
      name: 'a host port, with who has it',
      pod: { hostPort: 80 },
      nodes: { a: { has: [{ hostPort: 80 }] } },
      says: ['a: host port TCP/80 is taken by a default/a0'],
      smallest: 'let the Pod do without the host port TCP/80 → a',
    },
    {
      name: 'spread',
      pod: { labels: { app: 'a' }, spread: spread('zone') },
      nodes: {
        a: { labels: { zone: 'x' }, has: [{ labels: { app: 'a' } }, { labels: { app: 'a' } }] },
        b: { labels: { zone: 'y' }, unschedulable: true },
      },
      says: [
        'a: spread over zone: x has 2, at most 0 may be there before it comes (fewest anywhere 0, maxSkew 1)',
        'b: it is cordoned: it takes no new Pods',
      ],
      smallest: 'uncordon node b → b',
    },
    {
      name: 'spread where nothing else can be done',
      pod: { labels: { app: 'a' }, spread: spread('zone') },
      nodes: {
        a: { labels: { zone: 'x' }, has: [{ labels: { app: 'a' } }, { labels: { app: 'a' } }] },
        b: { labels: { zone: 'y' }, cpu: '0', has: [], pods: '0' },
      },
      says: [
        'a: spread over zone: x has 2, at most 0 may be there before it comes (fewest anywhere 0, maxSkew 1)',
        'b: pods: all 0 that the node takes are there',
      ],
      smallest: 'allow a maxSkew of 3 instead of 1 over zone → a',
    },
    {
      name: 'anti-affinity',
      pod: { affinity: apart, labels: { app: 'a' } },
      nodes: { a: { labels: { [hostname]: 'a' }, has: [{ labels: { app: 'a' } }] } },
      says: [`a: Pod anti-affinity over ${hostname}: a has a default/a0`],
      smallest: `take the required Pod anti-affinity over ${hostname} out of the Pod → a`,
    },
    {
      name: 'two things at once, of which neither alone would do',
      pod: { cpu: '2', selector: { disk: 'ssd' } },
      nodes: { a: { cpu: '1' } },
      says: ['a: nodeSelector wants disk=ssd, and it has no such label', 'a: cpu: needs 2, 1 free of 1: 1 short'],
      smallest: 'give node a the label disk=ssd and let the Pod ask for 1 of cpu instead of 2, 1 less → a',
    },
  ])('$name', ({ pod: shape, nodes, says, smallest }) => {
    const snapshot = snapshotOf(
      Object.entries(nodes).map(([name, { has = [], ...node }]) =>
        nodeInfo(
          name,
          node,
          has.map((each, index) => podInfo(`${name}${index}`, each)),
        ),
      ),
    );
    const pod = podInfo('new', shape);
    const obstacles = obstaclesOf(pod, snapshot);
    const texts = snapshot.nodes.flatMap(({ name }, place) =>
      obstacles(place).map((obstacle) => `${name}: ${obstacleMessage(obstacle).text}`),
    );
    expect(texts).toEqual(says);
    expect(told(run(smallestChanges(pod, snapshot, profile)))[0]).toBe(smallest);
  });

  test('nothing is proposed where nothing helps', () => {
    const snapshot = snapshotOf([nodeInfo('a')]);
    const pod: PodInfo = { ...podInfo('new'), claims: [{ key: 'default/data', name: 'data', nodeName: 'gone' }] };
    expect(run(smallestChanges(pod, snapshot, profile))).toEqual([]);
  });
});

/** A cluster after some happenings, and a Pod that wants to be in it. */
const stories = fc.record({
  nodes: fc.array(nodeShape, { minLength: 1, maxLength: 5 }),
  steps: fc.array(step, { maxLength: 25 }),
  pod: step.filter((each) => 'pod' in each),
});

function tell({ nodes, steps, pod }: { nodes: unknown[]; steps: unknown[]; pod: unknown }) {
  const snapshot = new Snapshot();
  for (const [name, labels] of Object.entries(namespaces)) snapshot.setNamespace(name, labels);
  for (const [number, shape] of nodes.entries()) snapshot.putNode(nodeFacts(nodeOf(shape as never, number)));
  for (const [number, each] of (steps as { pod?: never }[]).entries()) {
    if (each.pod === undefined) continue;
    const info = toPodInfo(podOf(each.pod, number));
    const decision = schedule(info, snapshot, profile, number);
    if (decision.type === 'place') snapshot.place(info.key, decision.nodeName, footprint(podOf(each.pod, number)));
  }
  return { snapshot, pod: toPodInfo(podOf((pod as { pod: never }).pod, 1_000)) };
}

describe('on random clusters', () => {
  test('a node has obstacles exactly where the scheduler refuses it, and the first is its reason', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { snapshot, pod } = tell(story);
        const refused = rejections(pod, snapshot);
        const obstacles = obstaclesOf(pod, snapshot);
        for (const [place, { name }] of snapshot.nodes.entries()) {
          expect(obstacles(place)[0]?.filter).toBe(refused.get(name)?.filter);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('what is proposed places the Pod, less of the same sort does not, and the snapshot is left as it was', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { snapshot, pod } = tell(story);
        if (schedule(pod, snapshot, profile, 0).type === 'place') return;
        const before = picture(snapshot);
        const proven = run(smallestChanges(pod, snapshot, profile));
        expect(picture(snapshot)).toEqual(before);
        const decide = (changes: ProvenChange['changes']) => {
          const copy = snapshot.copy();
          return withChanges(pod, copy, changes, (changed) => schedule(changed, copy, profile, 7).type);
        };
        expect(proven.map(({ cost }) => cost)).toEqual(proven.map(({ cost }) => cost).toSorted((a, b) => a - b));
        for (const { changes, cost } of proven) {
          expect(decide(changes)).toBe('place');
          expect(cost).toBeCloseTo(changes.reduce((sum, change) => sum + costOf(change), 0));
          for (const less of smaller(changes)) expect(decide(less)).toBe('reject');
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** What is a little less of the same sort. */
function smaller(changes: readonly Change[]): readonly (readonly Change[])[] {
  const [only] = changes;
  if (changes.length > 1 || only === undefined) return [];
  if (only.type === 'ask-less') return [[{ ...only, to: only.to + 1 }]];
  if (only.type === 'allow-skew') return only.to > only.from + 1 ? [[{ ...only, to: only.to - 1 }]] : [];
  if (only.type !== 'fewer-pods') return [];
  return only.pods.map(({ key }) => [{ ...only, pods: only.pods.filter((each) => each.key !== key) }]);
}

/** All that decisions go by, as text. */
function picture({ nodes }: Snapshot): unknown {
  return nodes.map(({ name, labels, ready, unschedulable, taints, requested, pods }) => {
    const amounts = Object.entries(requested).filter(([, amount]) => amount !== 0);
    return {
      name,
      labels,
      ready,
      unschedulable,
      taints,
      amounts: Object.fromEntries(amounts),
      pods: [...pods.keys()].sort(),
    };
  });
}

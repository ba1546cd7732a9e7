import { describe, expect, test } from 'vitest';
import { nodeInfo, type PodShape, podInfo, snapshotOf } from './objects.fixture.ts';
import { rejections, schedule } from './schedule.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const profile = { schedulerName: 'argmax', strategy: 'argmax' } as const;
const web = { labels: { app: 'web' } };
const selector = { matchLabels: { app: 'web' } };

/** How many web Pods each zone has; each zone is a node of its name, `-` one without a zone. */
function cluster(counts: Readonly<Record<string, number>>, there: PodShape = web) {
  return snapshotOf(
    Object.entries(counts).map(([zone, count]) => {
      const labels: Record<string, string> = zone === '-' ? {} : { zone };
      const pods = Array.from({ length: count }, (_, at) => podInfo(`${zone}${at}`, there));
      return nodeInfo(zone, { labels }, pods);
    }),
  );
}
const able = (pod: PodShape, snapshot: ReturnType<typeof cluster>) => {
  const refused = rejections(podInfo('new', pod), snapshot);
  return snapshot.nodes.flatMap(({ name }) => (refused.has(name) ? [] : [name])).join('');
};
const rule = (more: object) => ({ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', ...more });

describe('topology spread', () => {
  test.each<{ name: string; counts: Record<string, number>; rule: object; labels?: object; able: string }>([
    { name: 'only the emptiest when all are even but one', counts: { a: 1, b: 1, c: 0 }, rule: {}, able: 'c' },
    { name: 'any when all are even', counts: { a: 1, b: 1 }, rule: {}, able: 'ab' },
    { name: 'a larger skew lets more', counts: { a: 2, b: 1, c: 0 }, rule: { maxSkew: 2 }, able: 'bc' },
    {
      name: 'a Pod that is not counted itself may be one over',
      counts: { a: 1, b: 0 },
      rule: {},
      labels: {},
      able: 'ab',
    },
    { name: 'too few zones: the fewest is taken to be 0', counts: { a: 1, b: 1 }, rule: { minDomains: 3 }, able: '' },
    { name: 'as many zones as asked for', counts: { a: 1, b: 1 }, rule: { minDomains: 2 }, able: 'ab' },
    { name: 'no node without the label', counts: { a: 5, '-': 0 }, rule: {}, able: 'a' },
    {
      name: 'no rule for a mere wish',
      counts: { a: 5, b: 0 },
      rule: { whenUnsatisfiable: 'ScheduleAnyway' },
      able: 'ab',
    },
    { name: 'of no selector nothing counts', counts: { a: 5, b: 0 }, rule: { labelSelector: undefined }, able: 'ab' },
  ])('$name', ({ counts, rule: more, labels = web.labels, able: expected }) => {
    const spread = [rule({ labelSelector: selector, ...more })];
    expect(able({ labels: labels as Record<string, string>, spread }, cluster(counts))).toBe(expected);
  });

  test('zones that the Pod excludes are no zones, unless told otherwise', () => {
    const snapshot = snapshotOf([
      nodeInfo('a', { labels: { zone: 'a', disk: 'ssd' } }, [podInfo('x', web)]),
      nodeInfo('b', { labels: { zone: 'b' } }),
    ]);
    const pod = (policy: string): PodShape => ({
      ...web,
      selector: { disk: 'ssd' },
      spread: [rule({ labelSelector: selector, nodeAffinityPolicy: policy })],
    });
    expect([able(pod('Honor'), snapshot), able(pod('Ignore'), snapshot)]).toEqual(['a', '']);
  });

  test('zones of taints that it does not tolerate are zones, unless told otherwise', () => {
    const snapshot = snapshotOf([
      nodeInfo('a', { labels: { zone: 'a' } }, [podInfo('x', web)]),
      nodeInfo('b', { labels: { zone: 'b' }, taints: [{ key: 'k', effect: 'NoSchedule' }] }),
    ]);
    const pod = (policy: string): PodShape => ({
      ...web,
      spread: [rule({ labelSelector: selector, nodeTaintsPolicy: policy })],
    });
    expect([able(pod('Honor'), snapshot), able(pod('Ignore'), snapshot)]).toEqual(['a', '']);
  });
});

describe('affinity to Pods', () => {
  const near = (kind: 'podAffinity' | 'podAntiAffinity', ...keys: string[]) => ({
    affinity: { [kind]: { [required]: keys.map((topologyKey) => ({ topologyKey, labelSelector: selector })) } },
  });
  test.each<{ name: string; counts: Record<string, number>; pod: PodShape; there?: PodShape; able: string }>([
    { name: 'near is in a zone with one', counts: { a: 1, b: 0 }, pod: near('podAffinity', 'zone'), able: 'a' },
    {
      name: 'the first of its kind goes anywhere',
      counts: { a: 0, b: 0 },
      pod: { ...web, ...near('podAffinity', 'zone') },
      able: 'ab',
    },
    {
      name: 'but not where there is no zone',
      counts: { a: 0, '-': 0 },
      pod: { ...web, ...near('podAffinity', 'zone') },
      able: 'a',
    },
    {
      name: 'one that needs others waits for them',
      counts: { a: 0, b: 0 },
      pod: near('podAffinity', 'zone'),
      able: '',
    },
    {
      name: 'away is in a zone without any',
      counts: { a: 1, b: 0, '-': 0 },
      pod: near('podAntiAffinity', 'zone'),
      able: '-b',
    },
    {
      name: 'Pods that are there keep it away, though it says nothing',
      counts: { a: 1, b: 0 },
      there: near('podAntiAffinity', 'zone'),
      pod: web,
      able: 'b',
    },
    { name: 'and others not', counts: { a: 1, b: 0 }, there: near('podAntiAffinity', 'zone'), pod: {}, able: 'ab' },
  ])('$name', ({ counts, pod, there, able: expected }) => {
    expect(able(pod, cluster(counts, there))).toBe(expected);
  });
});

test('why a Pod waits says which rule about other Pods', () => {
  const pod: PodShape = { ...web, spread: [rule({ labelSelector: selector, minDomains: 3 })] };
  expect(schedule(podInfo('new', pod), cluster({ a: 1, '-': 0 }), profile, 1)).toEqual({
    type: 'reject',
    message:
      "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label).",
    filters: new Set(['PodTopologySpread']),
  });
});

import { podGroupLabel } from '@navarch/kinds';
import { expect, test } from 'vitest';
import { pod } from './objects.fixture.ts';
import { type Crowd, ownerOf } from './ownership.ts';
import { toPodInfo } from './pod-info.ts';
import { PodRules } from './pod-rules.ts';

const crowd = (...replicas: string[]): Crowd => ({ replicas, rules: new PodRules(), namespaces: new Map() });
const many = Array.from({ length: 300 }, (_, at) => toPodInfo(pod(`p${at}`)));
const placesOf = (each: Crowd) => many.map((info) => ownerOf(info, each));

test('plain Pods are divided about equally, and everybody divides them alike', () => {
  const owners = placesOf(crowd('a', 'b', 'c'));
  expect(placesOf(crowd('c', 'a', 'b'))).toEqual(owners);
  for (const identity of ['a', 'b', 'c']) {
    const own = owners.filter((owner) => owner?.type === 'replica' && owner.identity === identity);
    expect(own.length).toBeGreaterThan(60);
  }
});

test('when a replica goes only its own Pods change owners', () => {
  const before = placesOf(crowd('a', 'b', 'c'));
  const after = placesOf(crowd('a', 'c'));
  const changed = before.filter((owner, at) => JSON.stringify(owner) !== JSON.stringify(after[at]));
  expect(new Set(changed.map((owner) => owner?.type === 'replica' && owner.identity))).toEqual(new Set(['b']));
});

const anti = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } },
    ],
  },
};
const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' };

test.each([
  { name: 'required anti-affinity', made: pod('p', { affinity: anti }) },
  { name: 'membership of a group', made: pod('p', { labels: { [podGroupLabel]: 'g' } }) },
  { name: 'a node that is being emptied for it', made: pod('p', { nominated: 'n1' }) },
])('$name makes a Pod the leader’s', ({ made }) => {
  expect(ownerOf(toPodInfo(made), crowd('a', 'b'))).toEqual({ type: 'leader' });
});

test('a Pod that no node could have is the leader’s from then on', () => {
  const plain = pod('p');
  const waiting = { ...plain, status: { ...plain.status, conditions: [condition] } };
  expect(ownerOf(toPodInfo(waiting as unknown as typeof plain), crowd('a'))).toEqual({ type: 'leader' });
});

test('Pods that others keep away are the leader’s, for as long as there is one that does', () => {
  const each = crowd('a');
  const [web, other] = [pod('p', { labels: { app: 'web' } }), pod('q', { labels: { app: 'db' } })].map(toPodInfo);
  const jealous = toPodInfo(pod('jealous', { affinity: anti }));
  expect(each.rules.onPod(jealous.key, jealous.repels)).toBe(true);
  expect([web, other].map((info) => info && ownerOf(info, each)?.type)).toEqual(['leader', 'replica']);
  each.rules.onPod(jealous.key, []);
  expect(web && ownerOf(web, each)?.type).toBe('replica');
});

test('a rule counts as announced while there are Pods that have it, and no longer', () => {
  const rules = new PodRules();
  const { key, repels } = toPodInfo(pod('jealous', { affinity: anti }));
  rules.onPod(key, repels);
  expect(rules.areAnnounced(repels)).toBe(false);
  rules.toAnnounce().kept();
  expect(rules.areAnnounced(repels)).toBe(true);
  rules.onPod(key, []);
  rules.onPod(key, repels);
  expect(rules.areAnnounced(repels)).toBe(false);
  const { kept } = rules.toAnnounce();
  rules.onPod(key, []);
  rules.onPod(key, repels);
  kept();
  expect(rules.areAnnounced(repels)).toBe(false);
});

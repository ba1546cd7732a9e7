import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NodeShape, nodeInfo, type PodShape, podInfo, snapshotOf } from '../objects.fixture.ts';
import type { Profile } from '../profiles.ts';
import { type Gang, type GangDecision, scheduleGang } from './schedule-gang.ts';

const profile: Profile = { schedulerName: 'default-scheduler', strategy: 'argmax' };
const members = (count: number, shape: PodShape = { cpu: '1' }) =>
  Array.from({ length: count }, (_, index) => podInfo(`m-${index}`, shape));
const inZone = (zone: string, cpu: string, taken = '0'): [NodeShape, string] => [{ cpu, labels: { zone } }, taken];
const cluster = (...nodes: (readonly [NodeShape, string])[]) =>
  snapshotOf(
    nodes.map(([shape, taken], index) => {
      const guests = taken === '0' ? [] : [podInfo(`guest-${index}`, { cpu: taken })];
      return nodeInfo(`n${index}`, shape, guests);
    }),
  );
const zone = (required: boolean, taken: readonly string[] = []) => ({ key: 'zone', required, taken });

/** How many members each node gets; or why none. */
const seen = (decision: GangDecision) => {
  if (decision.type === 'reject') return decision.message;
  const counts = Map.groupBy(decision.placements, ({ nodeName }) => nodeName);
  return Object.fromEntries([...counts].map(([name, { length }]) => [name, length]));
};

describe('a group is placed whole or not at all', () => {
  test.each<{ name: string; gang: Gang; nodes: (readonly [NodeShape, string])[]; is: unknown }>([
    {
      name: 'all that it needs, spread by the profile',
      gang: { members: members(4), need: 4 },
      nodes: [inZone('a', '2'), inZone('b', '2')],
      is: { n0: 2, n1: 2 },
    },
    {
      name: 'nothing, when one member has no place',
      gang: { members: members(5), need: 5 },
      nodes: [inZone('a', '2'), inZone('b', '2')],
      is: '5 places are needed and 4 fit: 0/2 nodes are available: 2 Insufficient cpu.',
    },
    {
      name: 'more than it needs, where there is room',
      gang: { members: members(5), need: 3 },
      nodes: [inZone('a', '2'), inZone('b', '2')],
      is: { n0: 2, n1: 2 },
    },
    {
      name: 'the large members first, so that the small ones do not take their places',
      gang: { members: [...members(2), podInfo('large', { cpu: '4' })], need: 3 },
      nodes: [inZone('a', '4'), inZone('a', '2')],
      is: { n0: 1, n1: 2 },
    },
    {
      name: 'by filling nodes up, where spreading does not work out',
      // Spread, the two of 2 take a node each, and the third finds 2 on neither.
      gang: { members: [...members(2, { cpu: '2' }), podInfo('third', { cpu: '1900m', memory: '7Gi' })], need: 3 },
      nodes: [inZone('a', '4'), inZone('a', '2')],
      is: { n0: 2, n1: 1 },
    },
    {
      name: 'members that must not be together',
      gang: {
        members: members(3, {
          labels: { app: 'x' },
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } },
              ],
            },
          },
        }),
        need: 3,
      },
      nodes: ['n0', 'n1'].map((name) => [{ labels: { 'kubernetes.io/hostname': name } }, '0'] as const),
      is: "3 places are needed and 2 fit: 0/2 nodes are available: 2 node(s) didn't satisfy existing pods anti-affinity rules.",
    },
    {
      name: 'required: the zone that it just fits into, and the large one stays whole',
      gang: { members: members(4), need: 4, topology: zone(true) },
      nodes: [inZone('a', '8'), inZone('b', '2'), inZone('b', '2'), inZone('c', '3')],
      is: { n1: 2, n2: 2 },
    },
    {
      name: 'required: says how many fit where',
      gang: { members: members(8), need: 8, topology: zone(true) },
      nodes: [inZone('a', '5'), inZone('b', '8', '2'), inZone('c', '1')],
      is: '8 places are needed in one zone: 6 fit in b, 5 fit in a, 1 fit in c. In b: 0/1 nodes are available: 1 Insufficient cpu.',
    },
    {
      name: 'required: where some are already, whatever else there is',
      gang: { members: members(2), need: 1, topology: zone(true, ['b']) },
      nodes: [inZone('a', '8'), inZone('b', '1')],
      is: { n1: 1 },
    },
    {
      name: 'required: nowhere, without the label',
      gang: { members: members(1), need: 1, topology: zone(true) },
      nodes: [[{}, '0']],
      is: '1 place is needed in one zone: no node has that label.',
    },
    {
      name: 'preferred: one zone, when one can have all',
      gang: { members: members(4), need: 4, topology: zone(false) },
      nodes: [inZone('a', '3'), inZone('b', '4'), inZone('c', '9')],
      is: { n1: 4 },
    },
    {
      name: 'preferred: as few zones as possible',
      gang: { members: members(7), need: 7, topology: zone(false) },
      nodes: [inZone('a', '2'), inZone('b', '5'), inZone('c', '3'), inZone('d', '1')],
      is: { n0: 2, n1: 5 },
    },
    {
      name: 'preferred: near those that are there',
      gang: { members: members(2), need: 1, topology: zone(false, ['c']) },
      nodes: [inZone('a', '2'), inZone('c', '1')],
      is: { n0: 1, n1: 1 },
    },
  ])('$name', ({ gang, nodes, is }) => {
    expect(seen(scheduleGang(gang, cluster(...nodes), profile, 7))).toEqual(is);
  });

  test('what can help is what refused a member', () => {
    const decision = scheduleGang({ members: members(3), need: 3 }, cluster(inZone('a', '2')), profile, 1);
    expect(decision.type === 'reject' && [...decision.filters]).toEqual(['NodeResourcesFit']);
    const zoned = scheduleGang(
      { members: members(3), need: 3, topology: zone(true) },
      cluster(inZone('a', '2')),
      profile,
      1,
    );
    expect(zoned.type === 'reject' && [...zoned.filters].sort()).toEqual(['NodeResourcesFit', 'NodeSelector']);
  });
});

const world = fc.record({
  nodes: fc.array(fc.record({ cpu: fc.nat({ max: 5 }), zone: fc.constantFrom('a', 'b', 'c') }), {
    minLength: 1,
    maxLength: 5,
  }),
  count: fc.integer({ min: 1, max: 7 }),
  size: fc.integer({ min: 1, max: 3 }),
  need: fc.integer({ min: 1, max: 7 }),
  seed: fc.nat(),
});

/** So many members of a size fit on these. */
const roomIn = (nodes: readonly { cpu: number }[], size: number) =>
  nodes.reduce((sum, { cpu }) => sum + Math.floor(cpu / size), 0);

describe('beside brute force, for members that are alike', () => {
  const check = (topology: 'none' | 'required' | 'preferred') =>
    fc.property(world, ({ nodes, count, size, need: wanted, seed }) => {
      const need = Math.min(wanted, count);
      const snapshot = cluster(...nodes.map(({ cpu, zone }) => inZone(zone, String(cpu))));
      const gang: Gang = {
        members: members(count, { cpu: String(size) }),
        need,
        topology: topology === 'none' ? undefined : zone(topology === 'required'),
      };
      const picture = () =>
        JSON.stringify(snapshot.nodes.map(({ requested, pods }) => [requested['cpu'] ?? 0, [...pods.keys()]]));
      const before = picture();
      const decision = scheduleGang(gang, snapshot, profile, seed);
      expect(picture()).toBe(before);
      const zones = Map.groupBy(nodes, (node) => node.zone);
      const rooms = [...zones.values()].map((own) => roomIn(own, size)).sort((one, other) => other - one);
      const most = topology === 'required' ? (rooms[0] ?? 0) : roomIn(nodes, size);
      expect(decision.type).toBe(most >= need ? 'place' : 'reject');
      if (decision.type === 'reject') return;
      expect(decision.placements).toHaveLength(Math.min(count, most));
      const used = new Map<string, number>();
      for (const { nodeName } of decision.placements) used.set(nodeName, (used.get(nodeName) ?? 0) + size);
      for (const [name, cpu] of used) expect(cpu).toBeLessThanOrEqual(nodes[Number(name.slice(1))]?.cpu ?? -1);
      const inZones = new Set([...used.keys()].map((name) => nodes[Number(name.slice(1))]?.zone));
      if (topology === 'required') expect(inZones.size).toBe(1);
      if (topology === 'preferred') {
        let [fewest, held] = [0, 0];
        while (held < decision.placements.length) held += rooms[fewest++] ?? 0;
        expect(inZones.size).toBe(fewest);
      }
    });
  test.each(['none', 'required', 'preferred'] as const)('topology %s', (topology) => {
    fc.assert(check(topology), { numRuns: 150 });
  });
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeInfo, podInfo } from '../objects.fixture.ts';
import type { Profile } from '../profiles.ts';
import { Snapshot } from '../snapshot.ts';
import { makeRoom, type Pushing } from './make-room.ts';
import { type Gang, scheduleGang } from './schedule-gang.ts';

const profile: Profile = { schedulerName: 'default-scheduler', strategy: 'argmax' };
const members = (count: number, size: number): Gang['members'] =>
  Array.from({ length: count }, (_, index) => podInfo(`m-${index}`, { cpu: String(size), priority: 10 }));

interface Guest {
  readonly node: number;
  readonly cpu: number;
  readonly priority?: number;
  /** Guests of one group leave together. */
  readonly group?: string;
}

const keyOf = ({ group = '' }: Guest, index: number) => `default/${group}-${index}`;

function scene(cpus: readonly number[], guests: readonly Guest[], zones: readonly string[] = []) {
  const snapshot = new Snapshot();
  for (const [index, cpu] of cpus.entries()) {
    const labels = { zone: zones[index] ?? 'a' };
    snapshot.putNode(nodeInfo(`n${index}`, { cpu: String(cpu), labels }).facts);
  }
  for (const [index, guest] of guests.entries()) {
    const { node, cpu, priority = 0 } = guest;
    snapshot.place(keyOf(guest, index), `n${node}`, podInfo(`g-${index}`, { cpu: String(cpu), priority }));
  }
  const company: Pushing['company'] = (victims) => {
    const groups = new Set(
      guests.flatMap((guest, index) => (victims.includes(keyOf(guest, index)) ? (guest.group ?? []) : [])),
    );
    const others = guests.flatMap((guest, index) =>
      guest.group !== undefined && groups.has(guest.group) ? [keyOf(guest, index)] : [],
    );
    return [...new Set([...victims, ...others])];
  };
  return { snapshot, pushing: { priority: 10, budgets: [], company } satisfies Pushing };
}

describe('who has to leave for a group', () => {
  test.each<{ name: string; cpus: number[]; guests: Guest[]; gang: Gang; is: string[] | undefined; zones?: string[] }>([
    {
      name: 'nobody, when the whole group does not fit even then',
      cpus: [2, 2],
      guests: [{ node: 0, cpu: 2 }],
      gang: { members: members(3, 2), need: 3 },
      is: undefined,
    },
    {
      name: 'only as many as it takes',
      cpus: [2, 2, 2],
      guests: [
        { node: 0, cpu: 2 },
        { node: 1, cpu: 2 },
      ],
      gang: { members: members(2, 2), need: 2 },
      is: ['default/-0'],
    },
    {
      name: 'nobody who is as important',
      cpus: [2, 2],
      guests: [{ node: 0, cpu: 2, priority: 10 }],
      gang: { members: members(2, 2), need: 2 },
      is: undefined,
    },
    {
      name: 'the less important',
      cpus: [2, 2],
      guests: [
        { node: 0, cpu: 2, priority: 5 },
        { node: 1, cpu: 2, priority: 1 },
      ],
      gang: { members: members(1, 2), need: 1 },
      is: ['default/-1'],
    },
    {
      name: 'a group whole, wherever its members are',
      cpus: [2, 2],
      guests: [
        { node: 0, cpu: 1, group: 'x' },
        { node: 1, cpu: 1, group: 'x' },
        { node: 1, cpu: 1, priority: 10 },
      ],
      gang: { members: members(1, 2), need: 1 },
      is: ['default/x-0', 'default/x-1'],
    },
    {
      name: 'nobody for members beyond those that it needs',
      cpus: [2, 2],
      guests: [{ node: 0, cpu: 2 }],
      gang: { members: members(2, 2), need: 1 },
      is: [],
    },
    {
      name: 'in the zone where it is the least loss',
      cpus: [2, 2],
      zones: ['a', 'b'],
      guests: [
        { node: 0, cpu: 2, priority: 5 },
        { node: 1, cpu: 1, priority: 2 },
        { node: 1, cpu: 1, priority: 2 },
      ],
      gang: { members: members(2, 1), need: 2, topology: { key: 'zone', required: true, taken: [] } },
      is: ['default/-1', 'default/-2'],
    },
  ])('$name', ({ cpus, zones, guests, gang, is }) => {
    const { snapshot, pushing } = scene(cpus, guests, zones);
    expect(makeRoom(gang, snapshot, profile, pushing, 0)?.victims.toSorted()).toEqual(is);
  });
});

const guest = fc.record({
  node: fc.nat({ max: 3 }),
  cpu: fc.integer({ min: 1, max: 2 }),
  priority: fc.constantFrom(0, 5, 10),
  group: fc.option(fc.constantFrom('x', 'y'), { nil: undefined, freq: 1 }),
});

test('on random clusters: it fits once they have left, they are less important, whole groups, and all is as it was', () => {
  fc.assert(
    fc.property(
      fc.array(guest, { maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(),
      (drawn, count, size, seed) => {
        // A group is of one importance here, so that all of it may leave.
        const guests = drawn.map(
          ({ group, ...rest }): Guest => (group === undefined ? rest : { ...rest, group, priority: 5 }),
        );
        const { snapshot, pushing } = scene([4, 4, 4, 4], guests);
        const picture = () =>
          JSON.stringify(snapshot.nodes.map(({ requested, pods }) => [requested['cpu'] ?? 0, [...pods.keys()].sort()]));
        const before = picture();
        const gang: Gang = { members: members(count, size), need: count };
        const found = makeRoom(gang, snapshot, profile, pushing, seed);
        expect(picture()).toBe(before);
        if (found === undefined) return;
        const victims = new Set(found.victims);
        for (const [index, each] of guests.entries()) {
          if (!victims.has(keyOf(each, index))) continue;
          expect(each.priority).toBeLessThan(10);
          const companions = guests.flatMap((other, at) =>
            each.group !== undefined && other.group === each.group ? keyOf(other, at) : [],
          );
          for (const companion of companions) expect(victims).toContain(companion);
        }
        for (const key of victims) snapshot.take(key);
        expect(scheduleGang(gang, snapshot, profile, seed).type).toBe('place');
        for (const { info, nodeName } of found.placements) snapshot.place(info.key, nodeName, info);
        for (const node of snapshot.nodes) {
          const taken = node.requested['cpu'] ?? 0;
          const overcommitted =
            guests.filter(({ node: at }) => `n${at}` === node.name).reduce((sum, { cpu }) => sum + cpu, 0) > 4;
          expect(overcommitted || taken <= 4_000).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('groups and single Pods that come in any order: each group is there whole or not at all, and none is left that fits', () => {
  const coming = fc.array(
    fc.record({
      members: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 1, max: 3 }),
      ends: fc.nat({ max: 9 }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(
      coming,
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (groups, cpus, seed) => {
        const { snapshot } = scene(cpus, []);
        const waiting = new Map<number, Gang>();
        const there = new Set<number>();
        const podsOf = (name: number, { members: count, size }: (typeof groups)[number]) =>
          Array.from({ length: count }, (_, index) => podInfo(`${name}-${index}`, { cpu: String(size) }));
        const tryAll = () => {
          for (const [name, gang] of waiting) {
            const decision = scheduleGang(gang, snapshot, profile, seed + name);
            if (decision.type === 'reject') continue;
            for (const { info, nodeName } of decision.placements) snapshot.place(info.key, nodeName, info);
            waiting.delete(name);
            there.add(name);
          }
        };
        for (const [name, group] of groups.entries()) {
          waiting.set(name, { members: podsOf(name, group), need: group.members });
          tryAll();
          const ending = group.ends;
          const ended = groups[ending];
          if (ended !== undefined && there.delete(ending))
            for (const { key } of podsOf(ending, ended)) snapshot.take(key);
          tryAll();
          for (const [other, { members: count }] of groups.slice(0, name + 1).entries()) {
            const placed = podsOf(other, groups[other] ?? group).filter(({ key }) => snapshot.placed(key)).length;
            expect(placed).toBe(there.has(other) ? count : 0);
          }
          for (const left of waiting.keys()) {
            const { members: count = 0, size = 1 } = groups[left] ?? {};
            const room = snapshot.nodes.reduce(
              (sum, { allocatable, requested }) =>
                sum + Math.floor(((allocatable['cpu'] ?? 0) - (requested['cpu'] ?? 0)) / (size * 1_000)),
              0,
            );
            expect(room).toBeLessThan(count);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

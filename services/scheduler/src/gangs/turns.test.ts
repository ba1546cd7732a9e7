import { liveObject, podGroup as podGroupKind, toResource } from '@navarch/kinds';
import { PodGroup } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { podInfo } from '../objects.fixture.ts';
import { type Group, groupOf } from './group.ts';
import { couldFit, holdsUp, type InLine, type Line, turnOf, usage } from './turns.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const line = (quota: Line['quota']): Line => ({ quota, patienceMs: 300_000 });

interface Shape {
  readonly waiting?: number;
  readonly placed?: number;
  readonly min?: number;
  readonly priority?: number;
  readonly agoMs?: number;
  readonly couldGo?: boolean;
}

/** A group of members with one core each. */
function inLine(
  name: string,
  { waiting = 2, placed = 0, min = 2, priority = 0, agoMs = 0, couldGo = true }: Shape,
): InLine {
  const object = liveObject<PodGroup>(
    toResource(
      podGroupKind,
      PodGroup.fromJSON({ metadata: { name, namespace: 'default' }, spec: { minMember: min }, status: {} }),
    ),
  );
  const members = Array.from({ length: waiting + placed }, (_, index) => ({
    info: podInfo(`${name}-${index}`, { cpu: '1', priority }),
    nodeName: index < placed ? 'n1' : '',
  }));
  return { group: groupOf(`default/${name}`, object, members, () => true), sinceMs: now - agoMs, couldGo };
}

const outcome = (
  self: InLine,
  others: readonly InLine[],
  cores: number | undefined,
  running: readonly Group[] = [],
) => {
  const quota: Line['quota'] = cores === undefined ? {} : { cpu: cores * 1_000 };
  const turn = turnOf(self, others, line(quota), usage([...running, self.group]), now);
  return turn.type === 'go' ? turn.members.length : `${turn.reason}: ${turn.message}`;
};
const minute = 60_000;

describe('whose turn it is', () => {
  const self = inLine('self', {});
  const running = [inLine('running', { waiting: 0, placed: 3 }).group];
  test.each<{ name: string; is: unknown; self?: InLine; others?: InLine[]; cores?: number; running?: Group[] }>([
    { name: 'anybody, where nothing is limited', is: 2 },
    { name: 'who fits into the quota', cores: 5, running, is: 2 },
    { name: 'not who does not', cores: 4, running, is: 'QueueFull: its queue has no room: not enough cpu' },
    { name: 'no more members than the quota has room for', self: inLine('self', { waiting: 5 }), cores: 3, is: 3 },
    { name: 'who comes later, while the first is patient', others: [inLine('giant', { agoMs: 4 * minute })], is: 2 },
    {
      name: 'not who comes later, once the first has waited long',
      others: [inLine('giant', { agoMs: 6 * minute })],
      is: 'Behind: it is behind default/giant, which has waited for so long that nobody passes it now',
    },
    { name: 'but then the others again for a while', others: [inLine('giant', { agoMs: 11 * minute })], is: 2 },
    {
      name: 'not behind one that could not go anyway',
      others: [inLine('giant', { agoMs: 6 * minute, couldGo: false })],
      is: 2,
    },
    {
      name: 'not behind one that came later',
      self: inLine('self', { agoMs: 8 * minute }),
      others: [inLine('giant', { agoMs: 6 * minute })],
      is: 2,
    },
    {
      name: 'behind a more important one that came later',
      self: inLine('self', { agoMs: 8 * minute }),
      others: [inLine('giant', { agoMs: 6 * minute, priority: 9 })],
      is: 'Behind: it is behind default/giant, which has waited for so long that nobody passes it now',
    },
    {
      name: 'who has lost members, whoever waits and however full it is',
      self: inLine('self', { placed: 3, waiting: 1, min: 4 }),
      others: [inLine('giant', { agoMs: 6 * minute })],
      cores: 3,
      is: 1,
    },
    {
      name: 'more than it needs: only within the quota',
      self: inLine('self', { placed: 2, waiting: 3, min: 2 }),
      cores: 4,
      is: 2,
    },
  ])('$name', ({ self: one = self, others = [], cores, running: on = [], is }) => {
    expect(outcome(one, others, cores, on)).toEqual(is);
  });

  test('the places of members that a group has lost are kept for it', () => {
    const broken = inLine('broken', { placed: 1, waiting: 1, min: 2 });
    expect(usage([broken.group])).toMatchObject({ cpu: 2_000, pods: 2 });
    expect(outcome(self, [broken], 3, [broken.group])).toBe('QueueFull: its queue has no room: not enough cpu');
  });

  test('a group that is larger than the quota could never go', () => {
    expect([1, 2].map((cores) => couldFit(self.group, line({ cpu: cores * 1_000 })))).toEqual([false, true]);
  });
});

test('who is held up is let go again and again; who waits holds up the others for ever longer', () => {
  const at = (minutes: number) => holdsUp(minutes * minute, 5 * minute);
  const changes = [0, 5, 10, 15, 25, 30, 50, 55, 95, 100];
  for (const [index, from] of changes.entries()) {
    expect([from, at(from)]).toEqual([from, index % 2 === 1]);
    expect([from, at((changes[index + 1] ?? 180) - 1)]).toEqual([from, index % 2 === 1]);
  }
});

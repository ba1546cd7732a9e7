import { describe, expect, test } from 'vitest';
import { lines, node, now, pod } from '../objects.fixture.ts';
import { isBlind, reconcileNode } from './lifecycle.ts';

const settings = { graceMs: 40_000, evictionMs: 60_000 };
const ready = { ready: true, message: '' };
const look = (
  more: Partial<Parameters<typeof reconcileNode>[0]>,
  silentForMs: number,
  said: { ready: boolean; message: string } | 'nothing' = ready,
) =>
  reconcileNode(
    {
      node: node('n1'),
      pods: [pod('a'), pod('b', { ready: false })],
      blind: false,
      signs: { silentForMs, said: said === 'nothing' ? undefined : said },
      ...more,
    },
    settings,
    now,
  );

describe('a node', () => {
  test.each([
    { name: 'that is heard of is left alone', silentForMs: 5_000, writes: [] },
    {
      name: 'that is silent for the grace period is Unknown, its ready Pods not ready',
      silentForMs: 40_000,
      writes: ['updateStatus node n1', 'updateStatus pod a'],
    },
    {
      name: 'that stays silent loses its Pods',
      silentForMs: 100_000,
      writes: ['updateStatus node n1', 'delete pod a', 'delete pod b'],
    },
  ])('$name', ({ silentForMs, writes }) => {
    expect(lines(look({}, silentForMs).writes)).toEqual(writes);
  });

  test('is written Unknown once', () => {
    const unknown = node('n1', { ready: 'Unknown' });
    expect(lines(look({ node: unknown, pods: [pod('a', { ready: false })] }, 50_000).writes)).toEqual([]);
  });

  test('that is heard of again is Ready again', () => {
    const unknown = node('n1', { ready: 'Unknown' });
    expect(look({ node: unknown }, 0).writes).toMatchObject([
      { object: { status: { conditions: [{ type: 'Ready', status: 'True' }] } } },
    ]);
    expect(look({ node: unknown }, 0, 'nothing').writes).toMatchObject([
      { object: { status: { conditions: [{ type: 'Ready', status: 'True' }] } } },
    ]);
  });

  test('that is heard of again but not ready is not Ready', () => {
    const said = { ready: false, message: 'containerd is away' };
    expect(look({ node: node('n1', { ready: 'Unknown' }) }, 0, said).writes).toMatchObject([
      { object: { status: { conditions: [{ status: 'False', message: 'containerd is away' }] } } },
    ]);
  });

  test('that wrote another state than its last heartbeat said is left alone: the heartbeat is older', () => {
    expect(look({}, 0, { ready: false, message: 'the agent is starting' }).writes).toEqual([]);
  });

  test('that only renews its Lease keeps what it said last', () => {
    expect(look({ node: node('n1', { ready: 'False' }) }, 0, 'nothing').writes).toEqual([]);
  });

  test('loses its Pods without waiting for it: it could not answer', () => {
    const deletes = look({}, 100_000).writes.filter(({ type }) => type === 'delete');
    expect(deletes).toMatchObject([
      { options: { uid: 'uid-a', gracePeriodSeconds: 0 } },
      { options: { uid: 'uid-b', gracePeriodSeconds: 0 } },
    ]);
  });
});

describe('when most nodes are silent', () => {
  test('no Pod is touched', () => {
    expect(lines(look({ blind: true }, 1_000_000).writes)).toEqual(['updateStatus node n1']);
  });

  test.each([
    { silent: 0, all: 0, blind: false },
    { silent: 1, all: 1, blind: true },
    { silent: 1, all: 2, blind: false },
    { silent: 2, all: 2, blind: true },
    { silent: 1, all: 3, blind: false },
    { silent: 2, all: 3, blind: true },
    { silent: 5, all: 10, blind: false },
    { silent: 6, all: 10, blind: true },
  ])('$silent of $all: $blind', ({ silent, all, blind }) => {
    expect(isBlind(silent, all)).toBe(blind);
  });
});

import { describe, expect, test } from 'vitest';
import { agoMs, lines, node, now, pod } from '../objects.fixture.ts';
import { failingOf, isWell, type NodeSigns, reconcileNode } from './lifecycle.ts';

const settings = { graceMs: 40_000 };
const ready = { ready: true, message: '' };
const signs = (silentForMs: number, said: NodeSigns['said'] | 'nothing' = ready): NodeSigns => ({
  silentForMs,
  heard: true,
  said: said === 'nothing' ? undefined : said,
});
const look = (
  more: Partial<Parameters<typeof reconcileNode>[0]>,
  silentForMs: number,
  said: NodeSigns['said'] | 'nothing' = ready,
) =>
  reconcileNode(
    {
      node: node('n1'),
      pods: [pod('a'), pod('b', { ready: false })],
      stopped: false,
      signs: signs(silentForMs, said),
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
      name: 'that stays silent keeps its Pods: what becomes of them its taints say',
      silentForMs: 1_000_000,
      writes: ['updateStatus node n1', 'updateStatus pod a'],
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

  test('that was marked as silent stays so while we only begin to listen', () => {
    const unknown = node('n1', { ready: 'Unknown' });
    expect(look({ node: unknown, signs: { ...signs(1_000), heard: false } }, 0).writes).toEqual([]);
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
});

test('when most nodes seem gone, no Pod is touched', () => {
  expect(lines(look({ stopped: true }, 1_000_000).writes)).toEqual(['updateStatus node n1']);
});

test.each([
  { condition: 'True', silentForMs: 0, failing: 'well', well: true },
  { condition: 'True', silentForMs: 50_000, failing: 'well', well: false },
  { condition: 'False', silentForMs: 0, failing: 'not-ready', well: false },
  { condition: 'False', sinceMs: 4_000, silentForMs: 0, failing: 'unclear', well: false },
  { condition: 'Unknown', silentForMs: 50_000, failing: 'unreachable', well: false },
  { condition: 'Unknown', silentForMs: 5_000, failing: 'unclear', well: false },
  { condition: '', silentForMs: 0, failing: 'unclear', well: false },
])(
  'Ready is "$condition", silent for $silentForMs ms: $failing',
  ({ condition, sinceMs = 60_000, silentForMs, failing, well }) => {
    const conditions =
      condition === '' ? [] : [{ type: 'Ready', status: condition, lastTransitionTime: agoMs(sinceMs) }];
    const seen = node('n1', { status: { conditions } });
    expect(failingOf(seen, signs(silentForMs), settings, now)).toBe(failing);
    expect(isWell(seen, signs(silentForMs), settings)).toBe(well);
  },
);

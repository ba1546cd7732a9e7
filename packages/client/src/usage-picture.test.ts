import { createLogger, VirtualClock } from '@navarch/kit';
import { NodeUsageReport } from '@navarch/proto';
import { beforeEach, expect, test } from 'vitest';
import { UsagePicture } from './usage-picture.ts';

const report = (nodeName: string, cpuNanocores = 5n) =>
  NodeUsageReport.fromPartial({
    nodeName,
    time: '2026-01-01T00:00:10Z',
    windowMs: 10_000n,
    intervalMs: 10_000n,
    node: { cpuNanocores, memoryBytes: 7n },
    pods: [{ uid: 'u1', containers: [{ name: 'c', usage: { cpuNanocores: 1n, memoryBytes: 2n } }] }],
  });

let clock: VirtualClock;
let connected: boolean;
let picture: UsagePicture;
beforeEach(() => {
  clock = new VirtualClock();
  connected = true;
  picture = new UsagePicture({
    bus: {
      get connected() {
        return connected;
      },
      subscribe: () => {
        throw new Error('not asked for');
      },
    },
    isNode: (name) => name.startsWith('n'),
    clock,
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
});

test('knows the newest report of each node', () => {
  picture.take(report('n1'));
  picture.take(report('n1', 6n));
  expect(picture.ofNode('n1')).toEqual({
    atMs: Date.UTC(2026, 0, 1, 0, 0, 10),
    windowMs: 10_000,
    used: { cpuNanocores: 6n, memoryBytes: 7n },
  });
  expect(picture.ofPod('n1', 'u1')?.used).toMatchObject([{ name: 'c', usage: { cpuNanocores: 1n } }]);
  expect(picture.ofPod('n1', 'u2')).toBeUndefined();
  expect(picture.ofNode('n2')).toBeUndefined();
});

test('forgets a node of which three reports did not come', async () => {
  picture.take(report('n1'));
  await clock.advance(29_999);
  expect(picture.ofNode('n1')).toBeDefined();
  await clock.advance(1);
  expect(picture.ofNode('n1')).toBeUndefined();
  expect(picture.ofPod('n1', 'u1')).toBeUndefined();
});

test('believes no node for long, whatever it says of itself', async () => {
  picture.take({ ...report('n1'), intervalMs: 1_000_000_000n });
  await clock.advance(600_000);
  expect(picture.ofNode('n1')).toBeUndefined();
});

test('remembers nothing of what is no node', () => {
  picture.take(report('stranger'));
  expect(picture.ofNode('stranger')).toBeUndefined();
});

test('says that it hears nothing while the bus is down', () => {
  connected = false;
  expect(picture.explanation).toContain('NATS');
});

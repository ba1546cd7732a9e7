import { MemoryBus, MemoryHub, subject } from '@navarch/bus';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import { type Clock, createLogger, createMetrics, systemClock } from '@navarch/kit';
import { NodeHeartbeat } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { conditionOf } from '../conditions.ts';
import { node, pod } from '../objects.fixture.ts';
import { World } from '../world.fixture.ts';
import { NodeLifecycle } from './lifecycle-loop.ts';
import { usualZoneSettings } from './zones.ts';

vi.setConfig({ testTimeout: 30_000 });

const settings = { ...usualZoneSettings, graceMs: 400 };
let world: World;
let bus: MemoryBus;
let life: AbortController;
let running: Promise<unknown>;
let beating: string[];
let heart: NodeJS.Timeout;
let looks: number;

/** Between two looks at the nodes the loop sleeps once. */
const countingClock: Clock = {
  ...systemClock,
  sleep(ms, signal) {
    looks++;
    return systemClock.sleep(ms, signal);
  },
};

beforeEach(async () => {
  looks = 0;
  world = new World();
  bus = new MemoryBus(new MemoryHub());
  life = new AbortController();
  const lifecycle = new NodeLifecycle({
    informers: world,
    caches: readCaches(world),
    hands: { client: world.client, events: world.recorder },
    bus,
    settings,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics('test', { process: false }),
    clock: countingClock,
  });
  for (const name of ['a', 'b', 'c', 'd']) {
    await world.write({ type: 'create', kind: nodeKind, object: node(name) });
    // As its node-agent does, once it has registered.
    const { metadata } = world.all(nodeKind).find((made) => made.metadata.name === name) ?? node(name);
    await world.write({ type: 'updateStatus', kind: nodeKind, object: { ...node(name), metadata } });
    await world.write({ type: 'create', kind: podKind, object: pod(`on-${name}`, { spec: { nodeName: name } }) });
  }
  beating = ['a', 'b', 'c', 'd'];
  heart = setInterval(() => {
    for (const nodeName of beating) {
      const beat = NodeHeartbeat.fromPartial({ nodeName, ready: true });
      bus.publish(subject('heartbeats', nodeName), NodeHeartbeat.encode(beat).finish());
    }
  }, 20);
  running = Promise.all([lifecycle.listen(life.signal), lifecycle.lead(world.term())]);
});
afterEach(async () => {
  clearInterval(heart);
  life.abort();
  await world.end();
  await running;
  await bus.close();
});

const readiness = () =>
  world
    .all(nodeKind)
    .map(({ status }) => conditionOf(status.conditions, 'Ready')?.status)
    .join(' ');
const pods = () => world.all(podKind).map(({ metadata }) => metadata.name);
/** The nodes whose Pods are to be moved. */
const givenUp = () =>
  world
    .all(nodeKind)
    .filter(({ spec }) => spec.taints.some(({ effect }) => effect === 'NoExecute'))
    .map(({ metadata }) => metadata.name);

test('a silent node becomes Unknown and is given up; heard again it is Ready, and its Pods may stay', async () => {
  await waitFor(() => readiness() === 'True True True True');
  beating = ['a', 'b', 'c'];
  await waitFor(() => readiness() === 'True True True Unknown');
  await waitFor(() => givenUp().includes('d'));
  expect(givenUp()).toEqual(['d']);
  beating = ['a', 'b', 'c', 'd'];
  await waitFor(() => readiness() === 'True True True True' && givenUp().length === 0);
  expect(pods()).toEqual(['on-a', 'on-b', 'on-c', 'on-d']);
});

test('a node whose agent writes that it is Ready is heard of, with a whole grace period from then on', async () => {
  await waitFor(() => readiness() === 'True True True True');
  beating = ['a', 'b', 'c'];
  await waitFor(() => givenUp().includes('d'));
  const startMs = systemClock.monotonicMs();
  const { metadata } = world.all(nodeKind).find((each) => each.metadata.name === 'd') ?? node('d');
  await world.write({ type: 'updateStatus', kind: nodeKind, object: { ...node('d'), metadata } });
  expect(readiness()).toBe('True True True True');
  await waitFor(() => readiness() === 'True True True Unknown');
  expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(settings.graceMs);
});

test('when all fall silent none is given up, and one that was is not any more', async () => {
  await waitFor(() => readiness() === 'True True True True');
  beating = ['a', 'b', 'c'];
  await waitFor(() => givenUp().includes('d'));
  beating = [];
  await waitFor(() => readiness() === 'Unknown Unknown Unknown Unknown');
  await waitFor(() => givenUp().length === 0);
  // Looked at for far longer than it would take to give them up.
  const enough = looks + 20;
  await waitFor(() => looks >= enough);
  expect(givenUp()).toEqual([]);
});

import { MemoryBus, MemoryHub, subject } from '@navarch/bus';
import { node as nodeKind } from '@navarch/kinds';
import { createLogger, createMetrics, VirtualClock } from '@navarch/kit';
import { type Random, randomFrom } from '@navarch/machinery';
import { NodeHeartbeat } from '@navarch/proto';
import { expect, test, vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { node } from '../objects.fixture.ts';
import { World } from '../world.fixture.ts';
import { NodeLifecycle } from './lifecycle-loop.ts';
import { failingTaints } from './taints.ts';
import { usualZoneSettings } from './zones.ts';

vi.setConfig({ testTimeout: 120_000 });

const graceMs = 40_000;
const zones = ['a', 'b', 'c'];
const names = zones.flatMap((zone) => Array.from({ length: 5 }, (_, i) => `${zone}${i}`));

/** What happens every half a minute: which nodes are silent from then on. */
function nextSilent(silent: ReadonlySet<string>, random: Random): ReadonlySet<string> {
  const zone = random.pick(zones);
  const one = () => new Set([...silent, random.pick(names)]);
  const whole = () => new Set([...silent, ...names.filter((name) => name.startsWith(zone))]);
  const most = () => new Set(names.filter(() => random.chance(0.8)));
  const flap = () => new Set(names.filter((name) => silent.has(name) !== random.chance(0.2)));
  const back = () => new Set<string>();
  return random.pick([one, one, whole, most, flap, back])();
}

/** Drives the real loop by a virtual clock, and looks at every node it gives up. */
async function story(seed: number): Promise<{ faults: string[]; givenUp: number; stops: number }> {
  const random = randomFrom(seed);
  const world = new World();
  world.lagMs = 0;
  const clock = new VirtualClock();
  const bus = new MemoryBus(new MemoryHub());
  const life = new AbortController();
  const faults: string[] = [];
  let [givenUp, stops, stoppedForS] = [0, 0, 0];
  /** As the test itself knows it: when each node was last heard of, and when each zone last lost one. */
  const heardMs = new Map(names.map((name) => [name, clock.monotonicMs()]));
  const lastMs = new Map<string, number>();
  const silentShare = () =>
    names.filter((name) => clock.monotonicMs() - (heardMs.get(name) ?? 0) >= graceMs).length / names.length;
  world.onChange(nodeKind, (change) => {
    if (
      change.type !== 'modified' ||
      failingTaints(change.object).length === 0 ||
      failingTaints(change.previous).length > 0
    )
      return;
    const { name, labels } = change.object.metadata;
    const zone = labels['topology.kubernetes.io/zone'] ?? '';
    const sinceMs = clock.monotonicMs() - (lastMs.get(zone) ?? Number.NEGATIVE_INFINITY);
    lastMs.set(zone, clock.monotonicMs());
    givenUp++;
    // The loop looks once a second, and a write takes effect within the second after.
    if (sinceMs < 9_000) faults.push(`${name} was given up ${sinceMs} ms after another in its zone`);
    if (clock.monotonicMs() - (heardMs.get(name) ?? 0) < graceMs)
      faults.push(`${name} was given up while it was heard of`);
    if (silentShare() > 0.55) faults.push(`${name} was given up while ${silentShare()} of all were silent`);
  });
  const lifecycle = new NodeLifecycle({
    informers: world,
    caches: readCaches(world),
    hands: { client: world.client, events: world.recorder },
    bus,
    settings: { ...usualZoneSettings, graceMs },
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics('test', { process: false }),
    clock,
  });
  for (const name of names) {
    const object = node(name, { metadata: { labels: { 'topology.kubernetes.io/zone': name.slice(0, 1) } } });
    await world.write({ type: 'create', kind: nodeKind, object });
    const made = world.all(nodeKind).find(({ metadata }) => metadata.name === name);
    await world.write({ type: 'updateStatus', kind: nodeKind, object: { ...object, metadata: made?.metadata } });
  }
  const running = Promise.all([lifecycle.listen(life.signal), lifecycle.lead(world.term())]);
  const settle = async () => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  };
  let silent: ReadonlySet<string> = new Set();
  for (let second = 0; second < 900; second++) {
    if (second % 30 === 0) silent = nextSilent(silent, random);
    if (second % 10 === 0) {
      for (const name of names.filter((each) => !silent.has(each))) {
        heardMs.set(name, clock.monotonicMs());
        const beat = NodeHeartbeat.fromPartial({ nodeName: name, ready: true });
        bus.publish(subject('heartbeats', name), NodeHeartbeat.encode(beat).finish());
      }
      await settle();
    }
    await clock.advance(1_000);
    await settle();
    stoppedForS = silentShare() > 0.55 ? stoppedForS + 1 : 0;
    if (stoppedForS === 1) stops++;
    const left = world.all(nodeKind).filter((each) => failingTaints(each).length > 0).length;
    // A second for each of: the look, the condition's write and the taint's.
    if (stoppedForS > 3 && left > 0) faults.push(`${left} were still given up in a full stop`);
  }
  life.abort();
  await world.end();
  await running;
  await bus.close();
  return { faults, givenUp, stops };
}

test.each([1, 2, 3])(
  'whatever nodes do, they are given up at the pace of their zone, and none while most seem gone: story %i',
  async (seed) => {
    const { faults, givenUp, stops } = await story(seed);
    expect(faults).toEqual([]);
    expect(givenUp).toBeGreaterThan(5);
    expect(stops).toBeGreaterThan(0);
  },
);

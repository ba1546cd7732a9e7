import assert from 'node:assert/strict';
import { node, pod, service } from '@navarch/kinds';
import { createLogger, VirtualClock } from '@navarch/kit';
import { type KubeObject, keyOf } from '@navarch/machinery';
import { Node, Pod, Service } from '@navarch/proto';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Change, InformerSet, InformerTarget } from './informer-set.ts';
import { createInformerSet } from './informers.ts';
import { selects } from './selects.ts';
import { type Fate, LossyBus, Publisher, World } from './world.fixture.ts';

const logger = createLogger({ name: 'test', level: 'silent' });
const stopping: AbortController[] = [];
afterEach(() => stopping.splice(0).forEach((controller) => controller.abort(new Error('the test is over'))));

const podOn = (name: string, nodeName = '', labels = {}) =>
  Pod.fromJSON({ metadata: { name, namespace: 'default', uid: name, labels }, spec: { nodeName } });
const nodeNamed = (name: string) => Node.fromJSON({ metadata: { name, uid: name } });
const serviceNamed = (name: string) => Service.fromJSON({ metadata: { name, namespace: 'default', uid: name } });

class Rig {
  readonly world = new World();
  readonly bus = new LossyBus();
  readonly clock = new VirtualClock();
  readonly publisher = new Publisher(this.world, this.bus);
  readonly abort = new AbortController();
  readonly heard: string[] = [];
  readonly changes: Change<KubeObject>[] = [];
  readonly informers: InformerSet;
  readonly targets: readonly InformerTarget[];
  running: Promise<void> | undefined;

  constructor(targets: readonly InformerTarget[] = [{ kind: pod }, { kind: node }, { kind: service }], useBus = true) {
    stopping.push(this.abort);
    this.targets = targets;
    const { world: api, clock, bus } = this;
    this.informers = createInformerSet({ api, targets, logger, clock, freeze: true, ...(useBus ? { bus } : {}) });
    for (const { kind } of targets) {
      this.informers.onChange(kind, (change) => {
        this.changes.push(change);
        const resourceVersion = change.object.metadata?.resourceVersion ?? '';
        this.heard.push(`${change.type} ${kind.singular} ${keyOf(change.object)}@${resourceVersion}`);
        // The cache shows the change, and all that came before it, when the handler hears of it.
        const cached = this.informers.lister(kind).get(keyOf(change.object));
        assert.equal(cached, change.type === 'deleted' ? undefined : change.object);
        assert(this.informers.revision >= BigInt(resourceVersion));
      });
    }
  }

  async start(): Promise<void> {
    this.running = this.informers.run(this.abort.signal);
    await this.clock.advance(0);
  }

  /** The change of one revision, published at once. */
  async write(...writes: Parameters<World['write']>): Promise<void> {
    this.world.write(...writes);
    this.publisher.publish();
    await this.clock.advance(0);
  }

  cached(): string[] {
    return this.targets.flatMap(({ kind }) => {
      const objects = this.informers.lister(kind).list();
      return objects.map((object) => `${keyOf(object)}@${object.metadata?.resourceVersion}`).sort();
    });
  }

  truth(): string[] {
    return this.targets.flatMap((target) => this.world.truth(target.kind, selects(target)));
  }

  /** What the handlers should have heard after revision `after`: each write of each revision, in order. */
  expected(after: bigint): string[] {
    return this.world.history
      .filter(({ revision }) => revision > after)
      .flatMap(({ revision, writes }) =>
        writes
          .filter(({ kind }) => this.targets.some((target) => target.kind === kind))
          .map(({ type, kind, object }) => `${type} ${kind.singular} ${keyOf(object)}@${revision}`),
      );
  }
}

describe('an informer set', () => {
  test('begins with what there is, then takes the feed and closes the Watch', async () => {
    const rig = new Rig();
    rig.world.write({ kind: pod, object: podOn('a') }, { kind: node, object: nodeNamed('n1') });
    await rig.start();
    expect(rig.heard).toEqual(['added pod default/a@2', 'added node n1@2']);
    expect([rig.informers.source, rig.world.watching, rig.informers.revision]).toEqual(['watch', 1, 2n]);

    await rig.write({ kind: pod, object: podOn('b') });
    expect([rig.informers.source, rig.world.watching, rig.informers.revision]).toEqual(['feed', 0, 3n]);
    await rig.write({ kind: pod, object: podOn('b', 'n1') }, { kind: service, object: serviceNamed('s') });
    await rig.write({ kind: pod, object: podOn('a'), gone: true });
    expect(rig.heard.slice(2)).toEqual(rig.expected(2n));
    expect(rig.cached()).toEqual(rig.truth());
    expect(rig.world.watching).toBe(0);
  });

  test('tells what a change changed, and lends objects that nobody can change', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.write({ kind: pod, object: podOn('a') });
    await rig.write({ kind: pod, object: podOn('a', 'n1') });
    const change = rig.changes.at(-1);
    expect(change).toMatchObject({ previous: { spec: { nodeName: '' } }, object: { spec: { nodeName: 'n1' } } });
    const cached = rig.informers.lister(pod).get('default/a');
    expect(() => Object.assign(cached?.spec ?? {}, { nodeName: 'n2' })).toThrow(TypeError);
  });

  test('asks the api when the feed falls silent, and when the bus is down, and returns to the feed', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.write({ kind: pod, object: podOn('a') });
    expect(rig.informers.source).toBe('feed');
    rig.world.write({ kind: pod, object: podOn('b') });
    await rig.clock.advance(3_000);
    expect(rig.informers.source).toBe('watch');
    expect(rig.cached()).toEqual(rig.truth());

    rig.publisher.publish();
    await rig.clock.advance(0);
    expect(rig.informers.source).toBe('feed');
    rig.bus.setConnected(false);
    await rig.write({ kind: pod, object: podOn('c') });
    expect([rig.informers.source, rig.world.watching]).toEqual(['watch', 1]);
    expect(rig.cached()).toEqual(rig.truth());
    rig.bus.setConnected(true);
    await rig.write({ kind: pod, object: podOn('d') });
    expect(rig.informers.source).toBe('feed');
    expect(rig.heard).toEqual(rig.expected(1n));
  });

  test('waits for a batch that comes after its bookmark, but not for long', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.write({ kind: pod, object: podOn('a') });
    const fates: Fate[] = ['delay', 'deliver'];
    rig.world.write({ kind: pod, object: podOn('b') });
    rig.publisher.publish(() => fates.shift() ?? 'deliver');
    await rig.clock.advance(20);
    expect([rig.informers.source, rig.informers.revision]).toEqual(['feed', 2n]);
    rig.bus.deliverLate();
    await rig.clock.advance(0);
    expect([rig.informers.source, rig.informers.revision]).toEqual(['feed', 3n]);

    rig.world.write({ kind: pod, object: podOn('c') });
    fates.push('drop', 'deliver');
    rig.publisher.publish(() => fates.shift() ?? 'deliver');
    await rig.clock.advance(60);
    expect(rig.informers.revision).toBe(4n);
    expect(rig.cached()).toEqual(rig.truth());
  });

  test('lists again after Expired, and tells the difference', async () => {
    const rig = new Rig([{ kind: pod }], false);
    rig.world.write({ kind: pod, object: podOn('stays') }, { kind: pod, object: podOn('goes') });
    rig.world.write({ kind: pod, object: podOn('another') }, { kind: pod, object: podOn('changes') });
    await rig.start();
    rig.heard.length = 0;
    rig.world.down = true;
    rig.world.cutWatches();
    await rig.clock.advance(0);
    rig.world.write({ kind: pod, object: podOn('goes'), gone: true }, { kind: pod, object: podOn('changes', 'n1') });
    const another = Pod.fromJSON({ metadata: { name: 'another', namespace: 'default', uid: 'other' }, spec: {} });
    rig.world.write({ kind: pod, object: another }, { kind: pod, object: podOn('comes') });
    rig.world.compacted = rig.world.revision;
    rig.world.down = false;
    await rig.clock.advance(10_000);
    expect(rig.heard.toSorted()).toEqual([
      'added pod default/another@5',
      'added pod default/comes@5',
      'deleted pod default/another@3',
      'deleted pod default/goes@2',
      'modified pod default/changes@4',
    ]);
    expect(rig.cached()).toEqual(rig.truth());
  });

  test('follows a store that was restored from a backup', async () => {
    const rig = new Rig();
    await rig.start();
    for (const name of ['a', 'b', 'c', 'd']) await rig.write({ kind: pod, object: podOn(name) });
    rig.world.write({ kind: pod, object: podOn('e') });
    const fates: Fate[] = ['drop', 'deliver'];
    rig.publisher.publish(() => fates.shift() ?? 'deliver');
    rig.world.restore(3n);
    await rig.clock.advance(5_000);
    expect([rig.informers.source, rig.informers.revision]).toEqual(['watch', 3n]);
    expect(rig.cached()).toEqual(rig.truth());
    const publisher = new Publisher(rig.world, rig.bus);
    rig.world.write({ kind: pod, object: podOn('f') });
    publisher.publish();
    await rig.clock.advance(1_000);
    expect([rig.informers.source, rig.informers.revision]).toEqual(['feed', 4n]);
    expect(rig.cached()).toEqual(rig.truth());
  });

  test('reached waits for the revision, and for nothing once the signal aborts', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.informers.synced(rig.abort.signal);
    let reached = false;
    const waiting = rig.informers.reached(3n, rig.abort.signal).then(() => (reached = true));
    await rig.write({ kind: pod, object: podOn('a') });
    expect(reached).toBe(false);
    // Nobody watches leases here: the bookmark alone tells.
    rig.world.write();
    rig.publisher.publish();
    await waiting;
    const { signal, abort } = cancellable();
    const never = rig.informers.reached(99n, signal);
    abort();
    await expect(never).rejects.toThrow('enough');
  });

  test('gives up a Watch that says nothing', async () => {
    const rig = new Rig([{ kind: pod }], false);
    await rig.start();
    await rig.clock.advance(14_000);
    expect(rig.informers.source).toBe('watch');
    rig.world.down = true;
    await rig.clock.advance(1_500);
    expect([rig.informers.source, rig.world.watching]).toEqual(['none', 0]);
    rig.world.down = false;
    await rig.clock.advance(5_000);
    expect(rig.informers.source).toBe('watch');
  });

  test('ends with its signal', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.write({ kind: pod, object: podOn('a') });
    rig.abort.abort(new Error('stop'));
    await expect(rig.running).resolves.toBeUndefined();
    expect(rig.world.watching).toBe(0);
  });

  test('indexes follow the objects', async () => {
    const rig = new Rig();
    const pods = rig.informers.lister(pod);
    pods.addIndex('node', ({ spec }) => [spec.nodeName]);
    await rig.start();
    await rig.write({ kind: pod, object: podOn('a') }, { kind: pod, object: podOn('b', 'n1') });
    await rig.write({ kind: pod, object: podOn('a', 'n1') });
    expect(pods.byIndex('node', 'n1').map(keyOf)).toEqual(['default/b', 'default/a']);
    expect(pods.byIndex('node', '')).toEqual([]);
    expect(pods.list('default')).toHaveLength(2);
    expect(pods.list('other')).toEqual([]);
  });
});

function cancellable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('enough')) };
}

/** The order of changes within one revision is nobody's promise. */
const byRevision = (heard: readonly string[]) => {
  const groups: { revision: string | undefined; heard: string[] }[] = [];
  for (const line of heard) {
    const revision = line.split('@')[1];
    if (groups.at(-1)?.revision === revision) groups.at(-1)?.heard.push(line);
    else groups.push({ revision, heard: [line] });
  }
  return groups.map(({ heard }) => heard.sort());
};

const names = ['a', 'b', 'c', 'd'];
const write = fc.oneof(
  fc.record({
    kind: fc.constant(pod),
    object: fc.tuple(fc.constantFrom(...names), fc.constantFrom('', 'n1', 'n2')).map(([name, on]) => podOn(name, on)),
    gone: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant(node),
    object: fc.constantFrom('n1', 'n2').map(nodeNamed),
    gone: fc.boolean(),
  }),
  fc.record({ kind: fc.constant(service), object: fc.constantFrom(...names).map(serviceNamed), gone: fc.boolean() }),
);
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      writes: fc.uniqueArray(write, { maxLength: 3, selector: (w) => `${w.kind.kind} ${keyOf(w.object)}` }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 0, 10, 60, 1_000, 4_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('late' as const, 'tick' as const, 'cut' as const, 'publish into the void' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('bus down' as const, 'bus up' as const, 'new publisher' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('api down' as const, 'api up' as const) }) },
);
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('deliver') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('drop', 'double', 'delay') },
);

/** Runs a history against a rig, then lets everything heal. */
async function live(
  rig: Rig,
  commands: readonly (typeof command extends fc.Arbitrary<infer C> ? C : never)[],
  nextFate: () => Fate,
) {
  let publishers = [rig.publisher];
  const settle = () => rig.clock.advance(0);
  await rig.start();
  for (const step of commands) {
    if (step.do === 'write') rig.world.write(...step.writes);
    else if (step.do === 'publish') for (const publisher of publishers) publisher.publish(nextFate);
    else if (step.do === 'publish into the void') for (const publisher of publishers) publisher.publish(() => 'drop');
    else if (step.do === 'wait') await rig.clock.advance(step.ms);
    else if (step.do === 'late') rig.bus.deliverLate();
    else if (step.do === 'tick') rig.world.tick();
    else if (step.do === 'cut') rig.world.cutWatches();
    else if (step.do === 'new publisher') publishers = [...publishers.slice(-1), new Publisher(rig.world, rig.bus)];
    else if (step.do === 'api down' || step.do === 'api up') {
      rig.world.down = step.do === 'api down';
      rig.world.cutWatches();
    } else rig.bus.setConnected(step.do === 'bus up');
    await settle();
  }
  rig.world.down = false;
  rig.bus.setConnected(true);
  rig.bus.deliverLate();
  for (let second = 0; second < 8; second++) {
    await rig.clock.advance(1_000);
    rig.world.tick();
    for (const publisher of publishers) publisher.publish();
    await settle();
  }
}

describe('whatever is lost, late or doubled', () => {
  test('the caches end up with the truth, and handlers hear each change once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), fc.infiniteStream(fate), async (commands, fates) => {
        const rig = new Rig();
        await live(rig, commands, () => fates.next().value ?? 'deliver');
        expect(rig.cached()).toEqual(rig.truth());
        expect(byRevision(rig.heard)).toEqual(byRevision(rig.expected(1n)));
        expect(rig.informers.revision).toBe(rig.world.revision);
        expect(rig.informers.source).toBe('feed');
        rig.abort.abort(new Error('done'));
        await rig.running;
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test("a node's Pods, heard on the node's own subject, are exactly that", async () => {
    const target = { kind: pod, fieldSelector: 'spec.nodeName=n1', feedToken: 'n1' };
    // A Pod never leaves its node, nor does it come back under the same uid.
    const bindings = fc.array(command, { maxLength: 60 }).map((commands) => {
      let serial = 0;
      const bound = new Map<string, string>();
      return commands.map((step) => {
        if (step.do !== 'write') return step;
        const writes = step.writes.flatMap((write) => {
          if (write.kind !== pod) return [];
          const name = write.object.metadata?.name ?? '';
          const wanted = (write.object as Pod).spec?.nodeName ?? '';
          const on = bound.get(name) || wanted;
          if (write.gone) bound.delete(name);
          else bound.set(name, on);
          serial++;
          return [{ kind: pod, object: podOn(name, on, { serial: String(serial) }), gone: write.gone }];
        });
        return { ...step, writes };
      });
    });
    await fc.assert(
      fc.asyncProperty(bindings, fc.infiniteStream(fate), async (commands, fates) => {
        const rig = new Rig([target, { kind: service }]);
        await live(rig, commands, () => fates.next().value ?? 'deliver');
        expect(rig.cached()).toEqual(rig.truth());
        rig.abort.abort(new Error('done'));
        await rig.running;
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

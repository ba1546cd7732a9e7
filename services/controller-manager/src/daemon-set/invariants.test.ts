import type { ClientWrite } from '@navarch/client';
import { revisionHashLabel, node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { isActive } from '../pod-state.ts';
import { fitOf, nodeOf } from './placement.ts';
import type { DaemonSetPlan } from './reconcile.ts';
import { limitsOf } from './strategy.ts';
import { isAvailable, type View, viewOf } from './view.ts';
import { DaemonWorld, onDelete, rolling, type Strategy, surging } from './world.fixture.ts';

vi.setConfig({ testTimeout: 120_000 });

/** What happens to the world between two steps of the controller. `nth` chooses among what is there. */
type Happening =
  | { readonly type: 'join'; readonly name: string; readonly labels: Record<string, string>; readonly effect: string }
  | { readonly type: 'leave' | 'bind' | 'run' | 'unready' | 'fail' | 'end' | 'delete'; readonly nth: number }
  | { readonly type: 'image'; readonly image: string }
  | { readonly type: 'strategy'; readonly strategy: Strategy; readonly minReadySeconds: number }
  | { readonly type: 'time'; readonly ms: number };

const nth = fc.nat({ max: 20 });
const join = fc.record({
  type: fc.constant('join' as const),
  name: fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5'),
  labels: fc.constantFrom({ disk: 'ssd' }, { disk: 'ssd' }, { disk: 'ssd' }, { disk: 'hdd' }),
  effect: fc.constantFrom('', '', '', 'NoSchedule', 'NoExecute'),
});
const toPods = fc.record({
  type: fc.constantFrom('run', 'run', 'run', 'run', 'end', 'end', 'end', 'bind', 'unready', 'fail', 'delete', 'leave'),
  nth,
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { arbitrary: toPods, weight: 10 },
  { arbitrary: join, weight: 2 },
  {
    arbitrary: fc.record({ type: fc.constant('image' as const), image: fc.constantFrom('v1', 'v2', 'v3') }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      type: fc.constant('strategy' as const),
      strategy: fc.constantFrom(rolling(1), rolling(2), rolling('40%'), surging(1), surging('40%'), onDelete),
      minReadySeconds: fc.constantFrom(0, 0, 5),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({ type: fc.constant('time' as const), ms: fc.constantFrom(1_000, 6_000, 60_000) }),
    weight: 2,
  },
);

/** The world, with what must hold at every step of the controller. */
class Watched {
  readonly world = new DaemonWorld({
    template: {
      metadata: { labels: { app: 'logs' } },
      spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'v1' }] },
    },
  });
  /** What must not be, and was. */
  readonly wrongs: string[] = [];
  /** Nodes from which an update took a Pod that served, and that have none that serves yet. */
  readonly #takenFrom = new Set<string>();

  happen(one: Happening): void {
    const { world } = this;
    switch (one.type) {
      case 'join': {
        const taints = one.effect === '' ? [] : [{ key: 'x', value: '', effect: one.effect }];
        return world.node(one.name, one.labels, taints);
      }
      case 'image':
        return world.image(one.image);
      case 'strategy':
        return world.edit((spec) => {
          spec.updateStrategy = structuredClone(one.strategy);
          spec.minReadySeconds = one.minReadySeconds;
        });
      case 'time':
        world.nowMs += one.ms;
        return;
      case 'leave': {
        const nodes = world.objects.all(nodeKind);
        const chosen = nodes[one.nth % Math.max(1, nodes.length)];
        if (chosen !== undefined && one.nth % 3 === 0) world.leave(chosen.metadata.name);
        return;
      }
      default: {
        const { pods } = world;
        const chosen = pods[one.nth % Math.max(1, pods.length)];
        if (chosen !== undefined) this.#toPod(one.type, chosen);
      }
    }
  }

  #toPod(type: 'bind' | 'run' | 'unready' | 'fail' | 'end' | 'delete', pod: Live<Pod>): void {
    const { world } = this;
    const going = pod.metadata.deletionTimestamp !== '';
    const there = world.objects.get(nodeKind, nodeOf(pod) ?? '', '') !== undefined;
    if (type === 'end' && (going || !there)) world.end(pod);
    if (going || !there) return;
    const { namespace, name } = pod.metadata;
    if (type === 'delete') world.do({ type: 'delete', kind: podKind, key: { namespace, name } });
    const bound = type === 'bind' || type === 'run' ? world.bind(pod) : pod;
    if (bound.spec.nodeName === '' || bound.status.phase === 'Failed') return;
    if (type === 'run') world.become(bound, 'Running');
    if (type === 'unready') world.become(bound, 'Running', false);
    if (type === 'fail') world.become(bound, 'Failed');
  }

  /** One step of the controller. */
  step(): DaemonSetPlan {
    const { world } = this;
    const before = this.#view();
    for (const { name, fit, active } of before.nodes) {
      if (fit !== 'should' || active.some((pod) => isAvailable(before, pod))) this.#takenFrom.delete(name);
    }
    const known = new Set(before.nodes.map(({ name }) => name));
    for (const name of this.#takenFrom) if (!known.has(name)) this.#takenFrom.delete(name);
    const plan = world.plan();
    world.carryOut(plan);
    const touched = plan.writes.some(({ type }) => type === 'create' || type === 'delete');
    const isRevision = plan.writes.some((write) => write.type !== 'bind' && write.kind.kind === 'ControllerRevision');
    if (touched && !isRevision) this.#checkPods(before, plan.writes);
    return plan;
  }

  #view(): View {
    const { world } = this;
    // The hash plays no part in what is looked at here.
    return viewOf(world.set, { nodes: world.objects.all(nodeKind), pods: world.pods, hash: '' }, world.nowMs);
  }

  #checkPods(before: View, writes: readonly ClientWrite[]): void {
    const limits = limitsOf(before) ?? { maxSurge: 0, maxUnavailable: 0 };
    const after = this.#view();
    for (const { name, active, fit } of after.nodes) {
      const most = fit === 'must-not' ? 0 : limits.maxSurge > 0 ? 2 : 1;
      this.#atMost(most, active.length, `Pods on ${name}`);
    }
    this.#checkCreations(before, writes, limits.maxSurge);
    let taken = 0;
    for (const { name, fit, active } of before.nodes) {
      const served = active.some((pod) => isAvailable(before, pod));
      const serves = after.nodes.find((node) => node.name === name)?.active.some((pod) => isAvailable(after, pod));
      if (fit !== 'should' || !served || serves === true) continue;
      this.#takenFrom.add(name);
      taken++;
    }
    if (taken === 0) return;
    this.#atMost(limits.maxUnavailable, this.#takenFrom.size, 'Pods taken away');
  }

  /** A node's next Pod is made when nothing of the last is left; in a surge, beside it, on no more nodes than may be. */
  #checkCreations(before: View, writes: readonly ClientWrite[], maxSurge: number): void {
    const made = writes.flatMap((write) => (write.type === 'create' ? [nodeOf(write.object as Live<Pod>)] : []));
    let beside = 0;
    for (const { name, pods } of before.nodes.filter((node) => made.includes(node.name))) {
      this.#atMost(maxSurge > 0 ? 1 : 0, pods.length, `Pods on ${name} when the next is made`);
      if (pods.some((pod) => isAvailable(before, pod))) beside++;
    }
    // Those that are in their surge already, and don't serve yet.
    const surging = before.nodes.filter(
      ({ active, fit }) =>
        fit === 'should' && active.length > 1 && active.filter((pod) => isAvailable(before, pod)).length === 1,
    );
    if (beside > 0) this.#atMost(maxSurge, beside + surging.length, 'Pods beside old ones');
  }

  #atMost(most: number, count: number, what: string): void {
    if (count > most) this.wrongs.push(`${count} ${what}, at most ${most}: ${this.world.picture}`);
  }

  /** Scheduler and agents do all of their part, and the controller all of its own. */
  comeToRest(): void {
    const { world } = this;
    for (let round = 0; round < 200; round++) {
      const picture = world.picture;
      let plan = this.step();
      for (let steps = 0; plan.writes.length > 0 && steps < 20; steps++) plan = this.step();
      if (plan.writes.length > 0) throw new Error(`it never stops writing: ${world.picture}`);
      world.agents();
      for (const pod of world.pods) {
        const there = pod.spec.nodeName !== '' && isActive(pod);
        if (there && world.picture.includes('?')) world.become(pod, 'Running');
      }
      world.nowMs += plan.againAfterMs ?? 0;
      if (picture === world.picture && this.world.plan().writes.length === 0 && plan.againAfterMs === undefined) return;
    }
    throw new Error(`it never comes to rest: ${world.picture}`);
  }

  /** What is not as it should be at the end. */
  amiss(): string {
    const { world } = this;
    const { set } = world;
    const fit = fitOf(set);
    const faults: string[] = [];
    const image = set.spec.template?.spec?.containers[0]?.image ?? '';
    for (const node of world.objects.all(nodeKind)) {
      const { name } = node.metadata;
      const pods = world.pods.filter((pod) => nodeOf(pod) === name);
      const good = pods.every((pod) => pod.spec.containers[0]?.image === image);
      if (fit(node) === 'must-not' && pods.length > 0) faults.push(`${name} has a Pod`);
      if (fit(node) === 'may' && pods.length > 1) faults.push(`${name} has too many`);
      if (fit(node) !== 'should') continue;
      if (pods.length !== 1) faults.push(`${name} has ${pods.length} Pods`);
      if (!good && set.spec.updateStrategy?.type === 'RollingUpdate') faults.push(`${name} has an old Pod`);
    }
    const wanted = world.objects.all(nodeKind).filter((node) => fit(node) === 'should').length;
    const { desiredNumberScheduled, numberAvailable, numberUnavailable } = set.status;
    if (desiredNumberScheduled !== wanted || numberAvailable !== wanted || numberUnavailable !== 0) {
      faults.push(`${wanted} nodes want a Pod, the status says ${JSON.stringify(set.status)}`);
    }
    const hashes = new Set(world.pods.map(({ metadata }) => metadata.labels[revisionHashLabel]));
    if (hashes.has('') || hashes.has(undefined)) faults.push('a Pod has no hash');
    return faults.join('; ');
  }
}

test('whatever happens: one Pod a node, no more missing than may be, and rest where all is as it should be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(happening, fc.constantFrom(0, 1, 1, 2)), { minLength: 1, maxLength: 60 }),
      (story) => {
        const watched = new Watched();
        for (const name of ['n1', 'n2', 'n3', 'n4']) watched.world.node(name, { disk: 'ssd' });
        watched.comeToRest();
        for (const [one, steps] of story) {
          watched.happen(one);
          for (let step = 0; step < steps; step++) watched.step();
        }
        watched.comeToRest();
        expect(watched.wrongs).toEqual([]);
        expect(watched.amiss()).toBe('');
        // At rest nothing is written, however late.
        watched.world.nowMs += 3_600_000;
        expect(watched.world.plan()).toEqual({ writes: [], events: [], failedOn: [] });
      },
    ),
    { numRuns: 600 },
  );
});

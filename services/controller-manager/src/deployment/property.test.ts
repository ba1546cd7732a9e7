import * as fc from 'fast-check';
import { copiesOf, goingBack, releaseAnnotations, releaseRecords } from '@navarch/kinds';
import { expect, test, vi } from 'vitest';
import type { Live } from '@navarch/machinery';
import type { Pod, PodStatus } from '@navarch/proto';
import { isActive } from '../pod-state.ts';
import { brokenByRolling, isBad, isHopeless, orphans, unfinished, writesLater } from './promises.fixture.ts';
import { crash, isUp, Releases, serve } from './releases.fixture.ts';
import { isRecreate, replicasOf, rollingLimits } from './strategy.ts';

vi.setConfig({ testTimeout: 120_000 });

/** What happens next. */
type Event =
  | { readonly type: 'roll' | 'replicate' | 'up' | 'pause' | 'resume' | 'promote' | 'undo' }
  | { readonly type: 'image' | 'configure'; readonly text: string }
  | { readonly type: 'scale' | 'crash' | 'fail' | 'lose' | 'seconds' | 'surge'; readonly count: number };

const steps: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Event>({ type: 'roll' }) },
  { weight: 5, arbitrary: fc.constant<Event>({ type: 'replicate' }) },
  { weight: 5, arbitrary: fc.constant<Event>({ type: 'up' }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('a', 'b', 'c', 'bad', 'worse-bad').map((text): Event => ({ type: 'image', text })),
  },
  { weight: 1, arbitrary: fc.constantFrom('blue', 'red').map((text): Event => ({ type: 'configure', text })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('scale', 'crash', 'fail', 'lose', 'seconds', 'surge'), fc.nat({ max: 7 }))
      .map(([type, count]): Event => ({ type, count })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('pause', 'resume', 'promote', 'undo').map((type): Event => ({ type })),
  },
);

const policies = fc.record({
  autoRollback: fc.boolean(),
  configRollout: fc.boolean(),
  canary: fc.constantFrom('', '1, pause, 50%, pause 5m', '30%, pause 1m, 60%'),
  surge: fc.constantFrom<unknown>(0, 1, 3, '40%'),
  unavailable: fc.constantFrom<unknown>(1, 2, '30%'),
  type: fc.constantFrom('RollingUpdate', 'RollingUpdate', 'RollingUpdate', 'Recreate'),
});

type Policy = typeof policies extends fc.Arbitrary<infer T> ? T : never;

test('whatever happens, a Deployment keeps its limits and its promises, and comes to rest', () => {
  fc.assert(
    fc.property(policies, fc.array(steps, { minLength: 20, maxLength: 120 }), (policy, events) => {
      const world = make(policy);
      for (const event of events) {
        const broken = event.type === 'roll' ? brokenByRolling(world) : happen(world, event);
        expect([...broken, ...orphans(world)]).toEqual([]);
      }
      world.change(({ spec }) => {
        spec.paused = false;
      });
      world.rest((pod) => report(world, pod));
      if (world.deployment.status.release?.canary !== undefined) {
        promoteAll(world);
        world.rest((pod) => report(world, pod));
      }
      const wrongs = isHopeless(world, policy.autoRollback) ? [] : unfinished(world, policy.configRollout);
      expect({ wrongs, late: writesLater(world) }).toEqual({ wrongs: [], late: [] });
    }),
    { numRuns: 100 },
  );
});

test('with Pods that fail only by themselves, what serves never falls below the limit', () => {
  fc.assert(
    fc.property(
      policies,
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }),
      fc.integer(),
      (policy, images, seed) => {
        const world = make({ ...policy, type: 'RollingUpdate' });
        let random = seed;
        for (const image of images) {
          world.image(image);
          for (let rounds = 0; rounds < 6; rounds++) {
            random = (random * 1103515245 + 12345) % 2147483648;
            world.roll();
            world.replicate();
            // Some come up, some take longer.
            world.agents((pod) =>
              (random >> (pod.metadata.name.length % 7)) % 3 === 0 ? serve(pod, world.now) : undefined,
            );
            world.now += 5000;
            const { maxSurge, maxUnavailable } = rollingLimits(world.deployment.spec);
            const active = world.pods.filter(isActive);
            expect(active.length).toBeLessThanOrEqual(replicas + maxSurge);
            expect(active.filter(isUp).length).toBeGreaterThanOrEqual(replicas - maxUnavailable);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

const replicas = 5;

function make({ autoRollback, configRollout, canary, surge, unavailable, type }: Policy): Releases {
  const container = { name: 'c', image: 'a', envFrom: [{ configMapRef: { name: 'app' } }] };
  const rollingUpdate = { maxSurge: surge, maxUnavailable: unavailable };
  const world = new Releases({
    metadata: {
      annotations: {
        [releaseAnnotations.autoRollback]: String(autoRollback),
        [releaseAnnotations.configRollout]: String(configRollout),
        [releaseAnnotations.canary]: type === 'Recreate' ? '' : canary,
      },
    },
    spec: {
      replicas,
      progressDeadlineSeconds: 120,
      revisionHistoryLimit: 2,
      strategy: type === 'Recreate' ? { type } : { type, rollingUpdate },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
    },
  });
  world.rest();
  return world;
}

/** Nothing that may happen is anybody's fault. */
function happen(world: Releases, event: Event): readonly string[] {
  const { spec } = world.deployment;
  switch (event.type) {
    case 'roll':
      world.roll();
      break;
    case 'replicate':
      world.replicate();
      break;
    case 'up':
      world.agents((pod) => report(world, pod));
      break;
    case 'image':
      world.image(event.text);
      break;
    case 'configure':
      world.configure({ color: event.text });
      break;
    case 'scale':
      world.change((object) => {
        object.spec.replicas = event.count;
      });
      break;
    case 'surge':
      if (isRecreate(spec)) break;
      world.change((object) => {
        object.spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: event.count, maxUnavailable: 1 } };
      });
      break;
    case 'crash':
      nth(world, event.count, (pod) => crash(pod, world.now));
      break;
    case 'fail':
      nth(world, event.count, () => ({ phase: 'Failed', conditions: [] }));
      break;
    case 'lose':
      nth(world, event.count, () => ({ conditions: [] }));
      break;
    case 'seconds':
      world.now += event.count * 20_000;
      break;
    case 'pause':
    case 'resume':
      world.change((object) => {
        object.spec.paused = event.type === 'pause';
      });
      break;
    case 'promote':
      promoteAll(world);
      break;
    case 'undo':
      undo(world);
      break;
    default:
      event satisfies never;
  }
  return [];
}

function report(world: Releases, pod: Live<Pod>): Partial<PodStatus> | undefined {
  return isBad(world, pod) ? crash(pod, world.now) : serve(pod, world.now);
}

function nth(world: Releases, number: number, status: (pod: Live<Pod>) => Partial<PodStatus> | undefined): void {
  const active = world.pods.filter(isActive);
  const chosen = active[number % Math.max(1, active.length)];
  world.agents((pod) => (pod.metadata.uid === chosen?.metadata.uid ? status(pod) : undefined));
}

function promoteAll(world: Releases): void {
  const name = world.deployment.status.release?.canary?.replicaSet;
  if (name !== undefined) world.annotate(releaseRecords.promoted, `${name}/all`);
}

function undo(world: Releases): void {
  const current = world.sets.find((set) => replicasOf(set.spec) > 0);
  const [earlier] = world.sets.filter((set) => set !== current);
  if (earlier === undefined) return;
  const { template, annotations } = goingBack(world.deployment, copiesOf(current), earlier);
  world.change((object) => {
    object.spec.template = template;
    object.metadata.annotations = annotations;
  });
}

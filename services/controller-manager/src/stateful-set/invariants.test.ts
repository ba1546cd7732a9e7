import { pod as podKind } from '@navarch/kinds';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { condition } from '../objects.fixture.ts';
import { wrongAtRest, wrongInStep, wrongInWorld } from './invariants.fixture.ts';
import { statefulSet, StatefulSetWorld } from './world.fixture.ts';

// Hundreds of stories, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

type Happening = (world: StatefulSetWorld) => void;

const named = (name: string, happens: Happening): Happening & { [fc.toStringMethod]: () => string } =>
  Object.assign(happens, { [fc.toStringMethod]: () => name });

/** Does something to a Pod, if it is there. */
const toPod = (
  name: string,
  number: number,
  happens: (world: StatefulSetWorld, pod: ReturnType<typeof found>) => void,
) =>
  named(`${name} db-${number}`, (world) => {
    const pod = found(world, number);
    if (pod !== undefined) happens(world, pod);
  });
const found = (world: StatefulSetWorld, number: number) => world.objects.get(podKind, `db-${number}`);
const numbers = fc.nat({ max: 5 });
/** Mostly of Pods that are there. */
const ordinals = fc.nat({ max: 3 });
const rollingUpdate = (world: StatefulSetWorld, change: object) => {
  const { updateStrategy } = world.set.spec;
  if (updateStrategy?.rollingUpdate === undefined) return;
  world.change({
    updateStrategy: { ...updateStrategy, rollingUpdate: { ...updateStrategy.rollingUpdate, ...change } },
  });
};

const happenings = fc.oneof(
  { weight: 8, arbitrary: fc.constant(named('step', step)) },
  { weight: 4, arbitrary: fc.constant(named('agents', (world) => world.tend())) },
  { weight: 2, arbitrary: fc.constant(named('collect', (world) => world.collect())) },
  { weight: 4, arbitrary: fc.integer({ min: 2, max: 15 }).map((rounds) => named(`go on ${rounds}`, goOn(rounds))) },
  { weight: 2, arbitrary: fc.nat({ max: 30_000 }).map((ms) => named(`${ms} ms later`, (world) => (world.now += ms))) },
  { weight: 2, arbitrary: fc.constant(named('recover', (world) => world.recover())) },
  numbers.map((replicas) => named(`scale to ${replicas}`, (world) => world.change({ replicas }))),
  fc
    .constantFrom('db:1', 'db:2', 'db:3', 'broken:1', 'broken:2')
    .map((image) => named(`image ${image}`, (world) => world.image(image))),
  numbers.map((partition) => named(`partition ${partition}`, (world) => rollingUpdate(world, { partition }))),
  fc
    .integer({ min: 1, max: 3 })
    .map((maxUnavailable) =>
      named(`maxUnavailable ${maxUnavailable}`, (world) => rollingUpdate(world, { maxUnavailable })),
    ),
  fc.nat({ max: 2 }).map((start) => named(`start ${start}`, (world) => world.change({ ordinals: { start } }))),
  fc
    .constantFrom('Retain', 'Delete')
    .map((whenScaled) =>
      named(`whenScaled ${whenScaled}`, (world) =>
        world.change({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled } }),
      ),
    ),
  fc
    .nat({ max: 2 })
    .map((revisionHistoryLimit) =>
      named(`history ${revisionHistoryLimit}`, (world) => world.change({ revisionHistoryLimit })),
    ),
  ordinals.map((number) =>
    toPod('fail', number, (world, pod) => {
      if (pod !== undefined) world.fail(pod);
    }),
  ),
  ordinals.map((number) =>
    toPod('unready', number, (world, pod) => {
      if (pod !== undefined) world.status(pod, { conditions: [condition('Ready', 'False')] });
    }),
  ),
  ordinals.map((number) =>
    toPod('delete', number, (world, pod) => {
      if (pod !== undefined)
        world.write({ type: 'delete', kind: podKind, key: pod.metadata, options: { uid: pod.metadata.uid } });
    }),
  ),
  fc.constantFrom('n1', 'n2', 'n3').map((node) => named(`cut ${node} off`, (world) => void world.cutOff.add(node))),
  fc.constantFrom('n1', 'n2', 'n3').map((node) => named(`${node} is back`, (world) => void world.cutOff.delete(node))),
);

function step(world: StatefulSetWorld): void {
  expect(wrongInStep(world)).toEqual([]);
  world.step();
}

/** Nothing else happens for a while. */
function goOn(rounds: number): Happening {
  return (world) => {
    for (let round = 0; round < rounds; round++) {
      step(world);
      world.settle();
      world.now += 3000;
    }
  };
}

const sets = fc.record({
  podManagementPolicy: fc.constantFrom('OrderedReady', 'Parallel'),
  updateStrategy: fc.constantFrom({ type: 'RollingUpdate' }, { type: 'RollingUpdate' }, { type: 'OnDelete' }),
  minReadySeconds: fc.constantFrom(0, 10),
});
const volumeClaimTemplates = [
  { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
];

describe('whatever happens', () => {
  test('every step is right, no Pod runs twice, and once all works again the set comes to rest', () => {
    fc.assert(
      fc.property(sets, fc.array(happenings, { minLength: 5, maxLength: 60 }), (spec, story) => {
        const world = new StatefulSetWorld(statefulSet({ ...spec, volumeClaimTemplates }));
        for (const happens of story) {
          happens(world);
          expect(wrongInWorld(world)).toEqual([]);
        }
        world.cutOff.clear();
        // Under OnDelete nobody but the user replaces what is broken.
        if (world.set.spec.updateStrategy?.type === 'OnDelete') world.works = () => true;
        world.recover();
        world.image('db:1');
        // Below it things stay as they were, and they may have been broken.
        rollingUpdate(world, { partition: 0 });
        for (let rounds = 0; rounds < 3; rounds++) {
          world.finish(400);
          world.recover();
        }
        expect([...wrongInWorld(world), ...wrongAtRest(world)]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

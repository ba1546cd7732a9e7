import {
  controllerRevision as revisionKind,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type ControllerRevision, type OwnerReference, Pod } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { condition } from '../objects.fixture.ts';
import { templateOf } from '../revisions/template-data.ts';
import { ordinalOf, parsePodName } from './identity.ts';
import { statefulSet, StatefulSetWorld } from './world.fixture.ts';

type Spec = NonNullable<Parameters<typeof statefulSet>[0]>;

const settled = (spec: Spec = {}) => {
  const world = new StatefulSetWorld(statefulSet(spec));
  world.finish();
  world.objects.log.length = 0;
  return world;
};
/** What became of Pods and claims: `create pod db-0`. */
const done = (world: StatefulSetWorld) =>
  world.objects.log.filter((line) => /^(create|delete) (pod|persistentvolumeclaim) /.test(line));
/** Steps, with the cluster settling in between, until the controller has nothing to do or waits. */
const go = (world: StatefulSetWorld) => {
  for (let quiet = 0, steps = 0; quiet < 3; steps++) {
    if (steps > 200) throw new Error('the set never comes to rest');
    quiet = world.step().length === 0 ? quiet + 1 : 0;
    world.settle();
  }
  return world.shown;
};
const claims = {
  volumeClaimTemplates: [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ],
};
const parallel = { podManagementPolicy: 'Parallel' };
const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
const pod = (world: StatefulSetWorld, name: string) => {
  const found = world.objects.get(podKind, name);
  if (found === undefined) throw new Error(`${name} is not there`);
  return found;
};
const unready = (world: StatefulSetWorld, name: string) =>
  world.status(pod(world, name), { conditions: [condition('Ready', 'False')] });
const removePod = (world: StatefulSetWorld, name: string) =>
  world.write({ type: 'delete', kind: podKind, key: { namespace: 'default', name }, options: {} });

describe('a new set', () => {
  test('is made one Pod after the other, each when the one before serves', () => {
    const world = new StatefulSetWorld(statefulSet());
    world.works = () => false;
    expect(go(world)).toEqual(['db-0 db:1 Running']);
    const serve = (name: string) => {
      world.status(pod(world, name), { conditions: [condition('Ready', 'True')] });
      return go(world);
    };
    expect(serve('db-0')).toEqual(['db-0 db:1 ready', 'db-1 db:1 Running']);
    expect(serve('db-1')).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 db:1 Running']);
  });

  test('is made all at once where the policy is Parallel', () => {
    const world = new StatefulSetWorld(statefulSet(parallel));
    world.works = () => false;
    expect(go(world)).toEqual(['db-0 db:1 Running', 'db-1 db:1 Running', 'db-2 db:1 Running']);
  });

  test('waits for minReadySeconds of each Pod', () => {
    const world = new StatefulSetWorld(statefulSet({ minReadySeconds: 10 }));
    expect(go(world)).toEqual(['db-0 db:1 ready']);
    expect(world.plan().againAfterMs).toBe(10_000);
    world.now += 10_000;
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready']);
    expect(world.set.status).toMatchObject({ readyReplicas: 2, availableReplicas: 1 });
  });

  test('counts from where ordinals.start says', () => {
    expect(settled({ replicas: 2, ordinals: { start: 5 } }).shown).toEqual(['db-5 db:1 ready', 'db-6 db:1 ready']);
  });

  test('makes at most 500 Pods in one step', () => {
    const world = new StatefulSetWorld(statefulSet({ ...parallel, replicas: 1200 }));
    world.step();
    world.step();
    expect(world.step()).toHaveLength(500);
  });
});

describe('each Pod', () => {
  test('knows its name, its number, its revision, its Service and its owner', () => {
    const world = settled();
    expect(pod(world, 'db-1')).toMatchObject({
      metadata: {
        labels: {
          app: 'db',
          'statefulset.kubernetes.io/pod-name': 'db-1',
          'apps.kubernetes.io/pod-index': '1',
          'controller-revision-hash': world.set.status.updateRevision,
        },
        ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true }],
      },
      spec: { hostname: 'db-1', subdomain: 'db' },
    });
  });

  test.each([
    { name: 'db-0', parsed: { set: 'db', ordinal: 0 } },
    { name: 'db-1-12', parsed: { set: 'db-1', ordinal: 12 } },
    { name: 'db-01', parsed: undefined },
    { name: 'db-x', parsed: undefined },
    { name: 'db', parsed: undefined },
    { name: '-1', parsed: undefined },
  ])('is known by its name: $name', ({ name, parsed }) => expect(parsePodName(name)).toEqual(parsed));

  test('of another set’s name is of no number here', () => {
    expect(ordinalOf({ metadata: { name: 'db' } }, { metadata: { name: 'db-1-2' } })).toBeUndefined();
  });
});

describe('a Pod that is lost', () => {
  test('by deletion is made again once the old one is gone, not before', () => {
    const world = settled();
    removePod(world, 'db-1');
    expect([...world.step(), ...world.step()]).toEqual(['updateStatus statefulset db']);
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 db:1 ready']);
  });

  test.each(['Failed', 'Succeeded'])('by being %s is deleted, then made again', (phase) => {
    const world = settled();
    world.status(pod(world, 'db-1'), { phase, conditions: [] });
    go(world);
    expect(done(world)).toEqual(['delete pod db-1', 'create pod db-1']);
  });

  test('on a node that is cut off stays the only one of its name', () => {
    const world = settled();
    const { nodeName } = pod(world, 'db-1').spec;
    world.cutOff.add(nodeName);
    unready(world, 'db-1');
    removePod(world, 'db-1');
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 Running ending', 'db-2 db:1 ready']);
    world.cutOff.clear();
    go(world);
    expect(world.shown).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 db:1 ready']);
  });

  test('is not replaced by a Pod that somebody else gave that name: the set says so and waits', () => {
    const world = new StatefulSetWorld(statefulSet({ replicas: 1 }));
    const other = Pod.fromPartial({
      metadata: { name: 'db-0', namespace: 'default', labels: { app: 'other' } },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    });
    world.write({ type: 'create', kind: podKind, object: other });
    go(world);
    expect(world.plan()).toMatchObject({ writes: [], events: [{ type: 'Warning', reason: 'FailedCreate' }] });
    removePod(world, 'db-0');
    world.settle();
    expect(go(world)).toContain('db-0 db:1 ready');
  });
});

describe('fewer replicas', () => {
  test('end the highest Pod first, the next when it is gone', () => {
    const world = settled();
    world.change({ replicas: 1 });
    expect(world.step()).toEqual(['delete pod db-2']);
    world.step();
    expect(world.step()).toEqual([]);
    expect(go(world)).toEqual(['db-0 db:1 ready']);
    expect(done(world).filter((line, index, all) => all.indexOf(line) === index)).toEqual([
      'delete pod db-2',
      'delete pod db-1',
    ]);
  });

  test('wait while one that stays doesn’t serve', () => {
    const world = settled();
    unready(world, 'db-0');
    world.change({ replicas: 2 });
    expect(go(world)).toHaveLength(3);
  });

  test('don’t wait for those that go: a broken set can be scaled to nothing', () => {
    const world = settled();
    for (const name of ['db-0', 'db-1', 'db-2']) unready(world, name);
    world.change({ replicas: 0 });
    expect(go(world)).toEqual([]);
  });

  test('end all at once where the policy is Parallel', () => {
    const world = settled(parallel);
    world.change({ replicas: 1 });
    expect(world.step()).toEqual(['delete pod db-2', 'delete pod db-1']);
  });

  test('are also what another start leaves over', () => {
    const world = settled({ replicas: 2 });
    world.change({ ordinals: { start: 1 } });
    expect(go(world)).toEqual(['db-1 db:1 ready', 'db-2 db:1 ready']);
  });
});

describe('a new template', () => {
  test('replaces one Pod after the other from the highest down, each when the last serves', () => {
    const world = settled();
    world.image('db:2');
    go(world);
    const creates = done(world).filter((line) => line.startsWith('create'));
    expect(creates).toEqual(['create pod db-2', 'create pod db-1', 'create pod db-0']);
    expect(world.shown).toEqual(['db-0 db:2 ready', 'db-1 db:2 ready', 'db-2 db:2 ready']);
  });

  test('stops at the first Pod that doesn’t come up', () => {
    const world = settled();
    world.image('broken');
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 broken Running']);
    expect(world.set.status).toMatchObject({ readyReplicas: 2, currentReplicas: 2, updatedReplicas: 1 });
  });

  test('touches nothing below the partition, and makes what is lost there as it was', () => {
    const world = settled(rolling({ partition: 2 }));
    world.image('db:2');
    go(world);
    removePod(world, 'db-0');
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 db:2 ready']);
    expect(world.set.status.currentRevision).not.toBe(world.set.status.updateRevision);
    world.change({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: undefined } },
    });
    expect(go(world)).toEqual(['db-0 db:2 ready', 'db-1 db:2 ready', 'db-2 db:2 ready']);
    expect(world.set.status.currentRevision).toBe(world.set.status.updateRevision);
  });

  test('leaves what is below a partition that is raised in the middle of it, whatever that is of', () => {
    const world = settled(rolling({ partition: 1 }));
    world.image('db:2');
    go(world);
    world.image('db:3');
    world.change({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3, maxUnavailable: undefined } },
    });
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:2 ready', 'db-2 db:2 ready']);
  });

  test('waits for deletions where the strategy is OnDelete', () => {
    const world = settled({ updateStrategy: { type: 'OnDelete' } });
    world.image('db:2');
    go(world);
    removePod(world, 'db-0');
    expect(go(world)).toEqual(['db-0 db:2 ready', 'db-1 db:1 ready', 'db-2 db:1 ready']);
  });

  test.each([
    { maxUnavailable: 2, first: ['db-4', 'db-3'] },
    { maxUnavailable: '50%', first: ['db-4', 'db-3'] },
    { maxUnavailable: '10%', first: ['db-4'] },
    { maxUnavailable: 9, first: ['db-4', 'db-3', 'db-2', 'db-1', 'db-0'] },
  ])('replaces as many at once as maxUnavailable ($maxUnavailable) lets be missing', ({ maxUnavailable, first }) => {
    for (const policy of [{}, parallel]) {
      const world = settled({ ...policy, replicas: 5, ...rolling({ maxUnavailable }) });
      world.image('db:2');
      world.step();
      expect(world.step()).toEqual(first.map((name) => `delete pod ${name}`));
      expect(go(world).every((line) => line.endsWith('db:2 ready'))).toBe(true);
    }
  });

  test('counts Pods that are missing for other reasons against maxUnavailable', () => {
    const world = settled(parallel);
    world.image('db:2');
    world.step();
    unready(world, 'db-0');
    // It is of the old template and doesn't serve: it goes first, and the others wait for it.
    expect(world.step()).toEqual(['delete pod db-0']);
    expect(world.step().filter((line) => line.startsWith('delete'))).toEqual([]);
  });
});

describe('a rollback', () => {
  test('heals a set that hangs on a broken template', () => {
    const world = settled();
    world.image('broken');
    go(world);
    world.image('db:1');
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 db:1 ready']);
    // Pods of the old revision stayed as they were.
    expect(done(world).filter((line) => line.includes('db-0') || line.includes('db-1'))).toEqual([]);
  });

  test('is not needed: the next template heals as well', () => {
    const world = settled();
    world.image('broken');
    go(world);
    world.image('db:3');
    expect(go(world)).toEqual(['db-0 db:3 ready', 'db-1 db:3 ready', 'db-2 db:3 ready']);
  });

  test('heals a set that never worked', () => {
    const world = new StatefulSetWorld(statefulSet({}, 'broken'));
    expect(go(world)).toEqual(['db-0 broken Running']);
    world.image('db:1');
    expect(go(world)).toEqual(['db-0 db:1 ready', 'db-1 db:1 ready', 'db-2 db:1 ready']);
  });

  test('makes no new revision', () => {
    const world = settled();
    world.image('db:2');
    go(world);
    world.image('db:1');
    go(world);
    const revisions = world.objects
      .all(revisionKind)
      .map((one): [string | undefined, number] => [imageIn(one), one.revision]);
    expect(Object.fromEntries(revisions)).toEqual({ 'db:2': 2, 'db:1': 3 });
  });

  test('is not made for the user where the strategy is OnDelete', () => {
    const world = settled({ updateStrategy: { type: 'OnDelete' } });
    world.image('broken');
    go(world);
    removePod(world, 'db-2');
    go(world);
    world.image('db:1');
    expect(go(world)).toContain('db-2 broken Running');
  });
});

describe('history', () => {
  test('is as long as revisionHistoryLimit says, beside what is in use', () => {
    const world = settled({ revisionHistoryLimit: 2 });
    for (const image of ['db:2', 'db:3', 'db:4', 'db:5']) {
      world.image(image);
      go(world);
    }
    expect(new Set(world.objects.all(revisionKind).map(imageIn))).toEqual(new Set(['db:3', 'db:4', 'db:5']));
  });

  test('keeps what Pods below the partition are of', () => {
    const world = settled({ revisionHistoryLimit: 0, ...rolling({ partition: 3 }) });
    for (const image of ['db:2', 'db:3']) {
      world.image(image);
      go(world);
    }
    expect(new Set(world.objects.all(revisionKind).map(imageIn))).toEqual(new Set(['db:1', 'db:3']));
  });
});

describe('claims', () => {
  test('are there before the Pod that mounts them, and outlive it', () => {
    const world = settled(claims);
    expect(world.objects.all(claimKind).map(({ metadata }) => metadata)).toMatchObject([
      { name: 'data-db-0', labels: { app: 'db' }, ownerReferences: [] },
      { name: 'data-db-1' },
      { name: 'data-db-2' },
    ]);
    expect(pod(world, 'db-1').spec.volumes).toMatchObject([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } },
    ]);
    world.change({ replicas: 0 });
    go(world);
    expect(world.objects.all(claimKind)).toHaveLength(3);
  });

  test('win over a volume of the template with that name', () => {
    const template = {
      metadata: { labels: { app: 'db' } },
      spec: { containers: [{ name: 'c', image: 'db:1' }], volumes: [{ name: 'data', emptyDir: {} }, { name: 'tmp' }] },
    };
    const { volumes } = pod(settled({ ...claims, template }), 'db-0').spec;
    expect(volumes).toMatchObject([{ name: 'tmp' }, { name: 'data', persistentVolumeClaim: {} }]);
    expect(volumes[1]?.emptyDir).toBeUndefined();
  });

  test('that somebody deleted are made again for a Pod that waits for them', () => {
    const world = new StatefulSetWorld(statefulSet({ ...claims, replicas: 1 }));
    for (let steps = 0; steps < 4; steps++) world.step();
    expect(world.shown).toEqual(['db-0 db:1 new']);
    world.write({ type: 'delete', kind: claimKind, key: { namespace: 'default', name: 'data-db-0' }, options: {} });
    expect(world.step()).toEqual(['create persistentvolumeclaim data-db-0']);
  });

  const owners = (world: StatefulSetWorld, name: string) =>
    world.objects.get(claimKind, name)?.metadata.ownerReferences.map((owner: OwnerReference) => owner.kind);
  const retention = (whenDeleted: string, whenScaled: string) => ({
    ...claims,
    persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
  });
  /** With db-2 about to go, cut off so that it stays to be looked at. */
  const goingDown = (whenDeleted: string, whenScaled: string) => {
    const world = settled(retention(whenDeleted, whenScaled));
    world.cutOff.add(pod(world, 'db-2').spec.nodeName);
    world.change({ replicas: 2 });
    go(world);
    return world;
  };
  test.each([
    { whenDeleted: 'Retain', whenScaled: 'Retain', stays: [], goes: [] },
    { whenDeleted: 'Delete', whenScaled: 'Retain', stays: ['StatefulSet'], goes: ['StatefulSet'] },
    { whenDeleted: 'Retain', whenScaled: 'Delete', stays: [], goes: ['Pod'] },
    { whenDeleted: 'Delete', whenScaled: 'Delete', stays: ['StatefulSet'], goes: ['Pod'] },
  ])('whenDeleted $whenDeleted, whenScaled $whenScaled', ({ whenDeleted, whenScaled, stays, goes }) => {
    const world = goingDown(whenDeleted, whenScaled);
    expect(owners(world, 'data-db-0')).toEqual(stays);
    expect(owners(world, 'data-db-2')).toEqual(goes);
  });

  test('that go with a Pod are gone before the next Pod of that name is made', () => {
    const world = settled(retention('Retain', 'Delete'));
    world.change({ replicas: 2 });
    world.step();
    world.step();
    // Its Pod goes, its claim is still there: somebody wants the third Pod back at this moment.
    for (const { metadata } of [pod(world, 'db-2')]) {
      world.write({ type: 'delete', kind: podKind, key: metadata, options: { gracePeriodSeconds: 0 } });
    }
    world.change({ replicas: 3 });
    expect(world.step().filter((line) => line.startsWith('create'))).toEqual([]);
    expect(go(world)).toHaveLength(3);
    expect(owners(world, 'data-db-2')).toEqual([]);
  });

  test('that somebody else manages are left alone', () => {
    const world = settled(claims);
    const claim = world.objects.get(claimKind, 'data-db-0');
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x', controller: true, blockOwnerDeletion: false },
    ];
    if (claim !== undefined) {
      const object = { ...claim, metadata: { ...claim.metadata, ownerReferences } };
      world.write({ type: 'update', kind: claimKind, object });
    }
    world.change({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' } });
    go(world);
    expect(owners(world, 'data-db-0')).toEqual(['ConfigMap']);
    expect(owners(world, 'data-db-1')).toEqual(['StatefulSet']);
  });
});

describe('what is there already', () => {
  const orphan = (name: string) =>
    Pod.fromPartial({
      metadata: { name, namespace: 'default', labels: { app: 'db' } },
      spec: { containers: [{ name: 'c', image: 'db:1' }] },
    });

  test('is adopted where name and labels fit, and gets the labels of its identity', () => {
    const world = new StatefulSetWorld(statefulSet({ replicas: 1, updateStrategy: { type: 'OnDelete' } }));
    for (const name of ['db-0', 'stray']) world.write({ type: 'create', kind: podKind, object: orphan(name) });
    go(world);
    expect(done(world)).toEqual(['create pod db-0', 'create pod stray']);
    expect(pod(world, 'db-0').metadata).toMatchObject({
      ownerReferences: [{ kind: 'StatefulSet' }],
      labels: { 'apps.kubernetes.io/pod-index': '0' },
    });
    expect(pod(world, 'stray').metadata.ownerReferences).toEqual([]);
  });

  test('also of history: a set that takes over from one of its name goes on with its revisions and Pods', () => {
    const world = settled();
    // As orphaning deletion leaves them.
    const orphaned = <T extends { metadata: object }>(object: T) => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences: [] },
    });
    for (const object of world.pods) world.write({ type: 'update', kind: podKind, object: orphaned(object) });
    for (const object of world.objects.all(revisionKind))
      world.write({ type: 'update', kind: revisionKind, object: orphaned(object) });
    world.objects.log.length = 0;
    go(world);
    expect(done(world)).toEqual([]);
    expect(world.objects.all(revisionKind)).toMatchObject([
      { metadata: { ownerReferences: [{ kind: 'StatefulSet' }] } },
    ]);
  });

  test('is released when its labels no longer fit, and its name stays taken', () => {
    const world = settled();
    const before = pod(world, 'db-2');
    const object = { ...before, metadata: { ...before.metadata, labels: { app: 'mine' } } };
    world.write({ type: 'update', kind: podKind, object });
    go(world);
    expect(pod(world, 'db-2').metadata.ownerReferences).toEqual([]);
    expect(world.set.status.replicas).toBe(2);
  });
});

describe('a set that is being deleted', () => {
  test('makes and removes nothing', () => {
    const world = settled();
    const { set } = world;
    const going = { ...set, metadata: { ...set.metadata, deletionTimestamp: '2026-01-01T12:00:00Z' } };
    removePod(world, 'db-1');
    world.settle();
    const writes = world.plan({ ...going, spec: { ...going.spec, replicas: 9 } }).writes;
    expect(writes.filter(({ type }) => type !== 'updateStatus')).toEqual([]);
  });
});

describe('status', () => {
  test('at rest names one revision, and nothing is written', () => {
    const world = settled();
    const [revision] = world.objects.all(revisionKind);
    const name = revision?.metadata.name;
    expect(world.set.status).toEqual({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      currentRevision: name,
      updateRevision: name,
      collisionCount: 0,
      conditions: [],
    });
    expect(world.plan()).toEqual({ writes: [], events: [] });
  });

  test('knows the first revision before the first Pod is made', () => {
    const world = new StatefulSetWorld(statefulSet());
    expect([world.step(), world.step()].flat()).toEqual([
      expect.stringMatching(/^create controllerrevision db-/),
      'updateStatus statefulset db',
    ]);
  });

  test('is brought up to date where Pods can’t be made', () => {
    const world = new StatefulSetWorld(statefulSet());
    world.step();
    world.step();
    world.change({ replicas: 5 });
    expect(world.failedPlan().writes).toMatchObject([
      { type: 'updateStatus', kind: statefulSetKind, object: { status: { observedGeneration: 2, replicas: 0 } } },
    ]);
  });
});

function imageIn(revision: Live<ControllerRevision>): string | undefined {
  return templateOf(revision)?.spec?.containers[0]?.image;
}

import { configMap as configMapKind, copiesOf, goingBack, releaseAnnotations, releaseRecords } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Pod, type ReplicaSet, Secret } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { deployment, live } from '../objects.fixture.ts';
import { resolveTemplate, type Settings } from './configuration.ts';
import { crash, imageOf, Releases, serve } from './releases.fixture.ts';

const annotations = { [releaseAnnotations.configRollout]: 'true' };

const using = (more: Record<string, string> = {}, spec: object = {}) => {
  const container = { name: 'c', image: 'nginx', envFrom: [{ configMapRef: { name: 'app' } }] };
  const volumes = [{ name: 'v', configMap: { name: 'app' } }];
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container], volumes } };
  const world = new Releases({ metadata: { annotations: { ...annotations, ...more } }, spec: { template, ...spec } });
  world.rest();
  return world;
};
/** What the Pods of each ReplicaSet see, and how many there are: { blue: 3 }. */
const seen = (world: Releases) =>
  Object.fromEntries(world.sets.map((set) => [colorOf(world, set), set.spec.replicas ?? 1]));
const colorOf = (world: Releases, set: Live<ReplicaSet>) => {
  const [volume] = set.spec.template?.spec?.volumes ?? [];
  const [from] = set.spec.template?.spec?.containers[0]?.envFrom ?? [];
  expect(volume?.configMap?.name).toBe(from?.configMapRef?.name);
  return world.objects.get(configMapKind, volume?.configMap?.name ?? '')?.data['color'] ?? 'nothing';
};
const undo = (world: Releases, color: string) => {
  const earlier = world.sets.find((set) => colorOf(world, set) === color && (set.spec.replicas ?? 1) === 0);
  const current = world.sets.find((set) => (set.spec.replicas ?? 1) > 0);
  if (earlier === undefined) throw new Error(`there is no ReplicaSet that is ${color}`);
  world.change((object) => {
    const { template, annotations } = goingBack(world.deployment, copiesOf(current), earlier);
    object.spec.template = template;
    object.metadata.annotations = annotations;
  });
  world.rest();
};
const isRed = (world: Releases, pod: Live<Pod>) => {
  const name = pod.spec.containers[0]?.envFrom[0]?.configMapRef?.name ?? '';
  return world.objects.get(configMapKind, name)?.data['color'] === 'red';
};
const names = (world: Releases) => world.configMaps.map(({ metadata }) => metadata.name);

describe('settings that are a part of a release', () => {
  test('are copied, and the copy can’t change', () => {
    const world = using();
    const [, copy] = world.configMaps;
    expect(copy).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^app-[a-z0-9]{10}$/),
        annotations: { [releaseRecords.configOf]: 'app' },
        ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
      },
      data: { color: 'blue' },
      immutable: true,
    });
    expect(seen(world)).toEqual({ blue: 3 });
    // The Deployment itself still names the original.
    expect(world.deployment.spec.template?.spec?.volumes[0]?.configMap?.name).toBe('app');
  });

  test('roll the Pods when they change, and the old Pods keep what they had', () => {
    const world = using();
    world.configure({ color: 'green' });
    for (let rounds = 0; rounds < 3; rounds++) {
      world.roll();
      world.replicate();
    }
    // Those of the new ones that are there are not up yet.
    expect(seen(world)).toEqual({ blue: 3, green: 1 });
    world.rest();
    expect(seen(world)).toEqual({ blue: 0, green: 3 });
    expect(world.deployment.metadata.annotations['deployment.kubernetes.io/revision']).toBe('2');
  });

  test('that are the same again are no new release', () => {
    const world = using();
    world.configure({ color: 'green' });
    world.rest();
    world.configure({ color: 'blue' });
    world.rest();
    expect(seen(world)).toEqual({ blue: 3, green: 0 });
    expect(world.sets).toHaveLength(2);
  });

  test('come back with the template they belonged to, until they change again', () => {
    const world = using();
    world.configure({ color: 'green' });
    world.image('nginx:2');
    world.rest();
    undo(world, 'blue');
    expect(seen(world)).toEqual({ blue: 3, green: 0 });
    expect(world.sets.filter(({ spec }) => spec.replicas === 3).map(imageOf)).toEqual(['nginx']);
    world.configure({ color: 'red' });
    world.rest();
    expect(seen(world)).toEqual({ blue: 0, green: 0, red: 3 });
  });

  test('go forward again with an undo of the undo', () => {
    const world = using();
    world.configure({ color: 'green' });
    world.rest();
    undo(world, 'blue');
    undo(world, 'green');
    expect(seen(world)).toEqual({ blue: 0, green: 3 });
    expect(world.deployment.metadata.annotations).not.toHaveProperty([releaseRecords.configPinned]);
  });

  test('that make Pods crash are taken back by themselves', () => {
    const world = using({ [releaseAnnotations.autoRollback]: 'true' });
    world.image('nginx:bad');
    world.configure({ color: 'green' });
    world.rest();
    expect(seen(world)).toEqual({ blue: 3, green: 0 });
    expect(world.reasons).toMatchObject({ RolledBack: 'PodsFail' });
  });

  test('that alone make Pods crash are taken back, also when others were undone before', () => {
    const world = using({ [releaseAnnotations.autoRollback]: 'true' });
    const rest = () => world.rest((pod) => (isRed(world, pod) ? crash(pod, world.now) : serve(pod, world.now)));
    world.configure({ color: 'green' });
    rest();
    undo(world, 'blue');
    world.configure({ color: 'red' });
    rest();
    expect(seen(world)).toEqual({ blue: 3, green: 0, red: 0 });
    expect(world.reasons).toMatchObject({ RolledBack: 'PodsFail', Progressing: 'NewReplicaSetAvailable' });
    world.configure({ color: 'yellow' });
    rest();
    expect(seen(world)).toMatchObject({ blue: 0, yellow: 3 });
    expect(world.deployment.metadata.annotations).not.toHaveProperty([releaseRecords.configPinned]);
  });

  test('that are deleted stay in use', () => {
    const world = using();
    world.write({ type: 'delete', kind: configMapKind, key: { namespace: 'default', name: 'app' } });
    world.rest();
    expect(seen(world)).toEqual({ blue: 3 });
    world.change(({ spec }) => {
      spec.replicas = 5;
    });
    world.rest();
    expect(seen(world)).toEqual({ blue: 5 });
  });

  test('that are not there yet are waited for', () => {
    const world = using({}, { template: withMissing() });
    expect(world.sets).toEqual([]);
    expect(world.deployment.status.conditions).toMatchObject([
      { type: 'Available', status: 'False' },
      { type: 'Progressing', status: 'Unknown', reason: 'ConfigurationMissing', message: 'Waiting for ConfigMap/late' },
    ]);
    world.change(({ spec }) => {
      const [from] = spec.template?.spec?.containers[0]?.envFrom ?? [];
      if (from?.configMapRef !== undefined) from.configMapRef.name = 'app';
    });
    world.rest();
    expect(world.reasons['Progressing']).toBe('NewReplicaSetAvailable');
  });

  test('go with the last revision that used them', () => {
    const world = using({}, { revisionHistoryLimit: 1 });
    for (const color of ['green', 'red']) {
      world.configure({ color });
      world.rest();
    }
    expect(seen(world)).toEqual({ green: 0, red: 3 });
    expect(names(world)).toHaveLength(3);
  });

  test('are no part of one that does not ask for it', () => {
    const world = using({ [releaseAnnotations.configRollout]: 'false' });
    world.configure({ color: 'green' });
    world.rest();
    expect(world.sets).toHaveLength(1);
    expect(names(world)).toEqual(['app']);
  });
});

test('a template that names a copy itself, as kubectl’s undo writes it, makes no copy of the copy', () => {
  const world = using();
  world.configure({ color: 'green' });
  world.rest();
  const earlier = world.sets.find((set) => colorOf(world, set) === 'blue');
  world.change(({ spec }) => {
    const { labels = {} } = spec.template?.metadata ?? {};
    spec.template = structuredClone(earlier?.spec.template);
    if (spec.template?.metadata !== undefined) spec.template.metadata.labels = labels;
  });
  world.rest();
  expect(seen(world)).toEqual({ blue: 3, green: 0 });
  expect(names(world)).toHaveLength(3);
});

test('that failed and were forgotten are not pinned for good', () => {
  const world = using({ [releaseAnnotations.autoRollback]: 'true' }, { revisionHistoryLimit: 0 });
  const redCrash = () => world.rest((pod) => (isRed(world, pod) ? crash(pod, world.now) : serve(pod, world.now)));
  world.configure({ color: 'red' });
  redCrash();
  expect(seen(world)).toEqual({ blue: 3 });
  const { [releaseRecords.configPinned]: pins = '' } = world.deployment.metadata.annotations;
  // Somebody takes the pin away: what failed is given up again, and pinned until it changes.
  world.change(({ metadata }) => {
    delete metadata.annotations[releaseRecords.configPinned];
  });
  redCrash();
  expect(seen(world)).toEqual({ blue: 3 });
  expect(world.deployment.metadata.annotations[releaseRecords.configPinned]).toBe(pins);
  world.configure({ color: 'green' });
  redCrash();
  expect(seen(world)).toEqual({ green: 3 });
});

describe('a Secret', () => {
  const secretOf = (uid: string, token: string): Settings => {
    const metadata = { name: 'key', namespace: 'default', uid };
    return { kind: 'Secret', object: live(Secret.fromPartial({ metadata, data: { token: Buffer.from(token) } })) };
  };
  const resolve = (settings: Settings) => {
    const envFrom = [{ secretRef: { name: 'key' } }];
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'nginx', envFrom }] },
    };
    const object = deployment({ metadata: { annotations }, spec: { template } });
    const get = (kind: string, name: string) => (kind === 'Secret' && name === 'key' ? settings : undefined);
    const { missing, known } = resolveTemplate(object, [], { get, copies: [] });
    return { missing, name: known?.copies['Secret/key'] };
  };

  test('is copied with what it holds, and the name of the copy can’t be told from that', () => {
    const { missing, name } = resolve(secretOf('u1', 'open-sesame'));
    expect(missing).toMatchObject([
      {
        type: 'create',
        object: { metadata: { name, uid: '' }, data: { token: Buffer.from('open-sesame') }, immutable: true },
      },
    ]);
    expect(resolve(secretOf('u1', 'open-sesame')).name).toBe(name);
    expect(resolve(secretOf('u1', 'other')).name).not.toBe(name);
    expect(resolve(secretOf('u2', 'open-sesame')).name).not.toBe(name);
  });
});

function withMissing(): object {
  const container = { name: 'c', image: 'nginx', envFrom: [{ configMapRef: { name: 'late' } }] };
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
}

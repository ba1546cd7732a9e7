import { releaseAnnotations, releaseRecords } from '@navarch/kinds';
import { describe, expect, test } from 'vitest';
import { Releases } from './releases.fixture.ts';

const rollingOf = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});

/** Ten Pods of a good template, and a new one on its way. */
const rolled = (canary: string, more: Record<string, string> = {}, spec: object = rollingOf(2, 0)) => {
  const annotations = { [releaseAnnotations.canary]: canary, ...more };
  const world = new Releases({ metadata: { annotations }, spec: { replicas: 10, ...spec } });
  world.rest();
  world.image('nginx:2');
  world.rest();
  return world;
};
const promote = (world: Releases, steps: number | 'all') => {
  const name = world.deployment.status.release?.canary?.replicaSet ?? '';
  world.annotate(releaseRecords.promoted, `${name}/${steps}`);
  world.rest();
};

describe('a rollout by steps', () => {
  test('gives the new template so many Pods and no more, and waits to be promoted', () => {
    const world = rolled('1, pause, 50%, pause');
    expect(world.sizes).toEqual({ nginx: 9, 'nginx:2': 1 });
    expect(world.reasons['Progressing']).toBe('CanaryPaused');
    expect(world.deployment.status.release?.canary).toMatchObject({ steps: 4, done: 1, replicas: 1, paused: true });
    promote(world, 2);
    expect(world.sizes).toEqual({ nginx: 5, 'nginx:2': 5 });
    promote(world, 4);
    expect(world.sizes).toEqual({ nginx: 0, 'nginx:2': 10 });
    expect(world.reasons['Progressing']).toBe('NewReplicaSetAvailable');
    expect(world.deployment.status.release).toEqual({ lastGood: world.sets[1]?.metadata.name, canary: undefined });
  });

  test('goes on by itself after a pause that has an end', () => {
    const world = rolled('10%, pause 2h, 100%');
    expect(world.sizes).toEqual({ nginx: 9, 'nginx:2': 1 });
    world.now += 7_000_000;
    expect(world.roll()).toEqual([]);
    world.now += 300_000;
    world.rest();
    expect(world.sizes).toEqual({ nginx: 0, 'nginx:2': 10 });
  });

  test('is promoted past all steps at once', () => {
    const world = rolled('1, pause, 2, pause, 3, pause');
    promote(world, 'all');
    expect(world.sizes).toEqual({ nginx: 0, 'nginx:2': 10 });
  });

  test('is not promoted by what was said of another', () => {
    const world = rolled('1, pause');
    promote(world, 'all');
    world.image('nginx:3');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 0, 'nginx:2': 9, 'nginx:3': 1 });
  });

  test('takes no steps back: what was good last is given its Pods at once', () => {
    const world = rolled('50%, pause');
    world.image('nginx');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 10, 'nginx:2': 0 });
    expect(world.deployment.status.release?.canary).toBeUndefined();
  });

  test('gives way to another template: the good one gets back what the given up one had', () => {
    const world = rolled('30%, pause');
    world.image('nginx:3');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 7, 'nginx:2': 0, 'nginx:3': 3 });
  });

  test.each([
    { canary: '20%, pause', replicas: 20, sizes: { nginx: 16, 'nginx:2': 4 } },
    { canary: '20%, pause', replicas: 5, sizes: { nginx: 4, 'nginx:2': 1 } },
    { canary: '2, pause', replicas: 20, sizes: { nginx: 18, 'nginx:2': 2 } },
    { canary: '2, pause', replicas: 1, sizes: { nginx: 0, 'nginx:2': 1 } },
    { canary: '2, pause', replicas: 0, sizes: { nginx: 0, 'nginx:2': 0 } },
  ])('keeps its step ($canary) when it is scaled to $replicas', ({ canary, replicas, sizes }) => {
    const world = rolled(canary);
    world.change(({ spec }) => {
      spec.replicas = replicas;
    });
    world.rest();
    expect(world.sizes).toEqual(sizes);
  });

  test.each([
    { surge: 0, unavailable: 1 },
    { surge: 3, unavailable: 0 },
    { surge: '25%', unavailable: '25%' },
  ])('works within any limits: surge $surge, unavailable $unavailable', ({ surge, unavailable }) => {
    const world = rolled('30%, pause', {}, rollingOf(surge, unavailable));
    expect(world.sizes).toEqual({ nginx: 7, 'nginx:2': 3 });
  });

  test('goes back by itself when its Pods crash', () => {
    const annotations = {
      [releaseAnnotations.canary]: '20%, pause',
      [releaseAnnotations.autoRollback]: 'true',
    };
    const world = new Releases({ metadata: { annotations }, spec: { replicas: 10 } });
    world.rest();
    world.image('nginx:bad');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 10, 'nginx:bad': 0 });
    expect(world.reasons).toMatchObject({ RolledBack: 'PodsFail' });
  });

  test('does not miss its deadline while it pauses', () => {
    const world = rolled('1, pause', { [releaseAnnotations.autoRollback]: 'true' }, { progressDeadlineSeconds: 60 });
    world.now += 86_400_000;
    world.rest();
    expect(world.sizes).toEqual({ nginx: 9, 'nginx:2': 1 });
    expect(world.reasons).not.toHaveProperty('RolledBack');
  });

  test('the first template of all takes no steps', () => {
    const world = new Releases({ metadata: { annotations: { [releaseAnnotations.canary]: '1, pause' } } });
    world.rest();
    expect(world.sizes).toEqual({ nginx: 3 });
  });
});

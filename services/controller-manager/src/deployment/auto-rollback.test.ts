import { releaseAnnotations, releaseRecords } from '@navarch/kinds';
import { describe, expect, test } from 'vitest';
import { crash, imageOf, isUp, Releases, serve } from './releases.fixture.ts';

const annotations = { [releaseAnnotations.autoRollback]: 'true' };
const rollingOf = (maxSurge: number, maxUnavailable: number) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});

const good = (spec: object = {}) => {
  const world = new Releases({ metadata: { annotations }, spec: { ...rollingOf(1, 0), ...spec } });
  world.rest();
  return world;
};

describe('a rollout whose Pods crash', () => {
  test('goes back to the last good revision by itself, and says why', () => {
    const world = good();
    world.image('nginx:bad');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 3, 'nginx:bad': 0 });
    expect(imageOfTemplate(world)).toBe('nginx');
    expect(world.reasons).toMatchObject({ Progressing: 'NewReplicaSetAvailable', RolledBack: 'PodsFail' });
    expect(world.events.filter((event) => event.startsWith('RolledBack'))).toEqual([
      expect.stringMatching(
        /Going back from web-.* to web-.* \(revision 1\): 1 of 1 new Pods fail: container "c" of Pod .* ended 3 times/,
      ),
    ]);
  });

  test('never has fewer Pods serving than the strategy allows', () => {
    const world = good();
    world.image('nginx:bad');
    let fewest = 3;
    world.rest((pod) => {
      fewest = Math.min(fewest, world.pods.filter(isUp).length);
      return imageOf(pod) === 'nginx:bad' ? crash(pod, world.now) : serve(pod, world.now);
    });
    expect(fewest).toBe(3);
  });

  test('is not tried again when the same template is given back, until another was', () => {
    const world = good();
    world.image('nginx:bad');
    world.rest();
    const pods = world.objects.log.length;
    world.image('nginx:bad');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 3, 'nginx:bad': 0 });
    expect(world.objects.log.slice(pods).filter((line) => line.includes(' pod '))).toEqual([]);
    expect(world.events.at(-1)).toMatch(/^RollbackKept: The template of web-.* failed before and is not tried again/);

    world.image('nginx:2');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 0, 'nginx:bad': 0, 'nginx:2': 3 });
    expect(world.reasons).not.toHaveProperty('RolledBack');
    expect(world.deployment.metadata.annotations).not.toHaveProperty([releaseRecords.rolledBack]);
  });

  test('is tried again once the record of it is removed', () => {
    const world = good();
    world.image('nginx:bad');
    world.rest();
    world.change(({ metadata }) => {
      delete metadata.annotations[releaseRecords.rolledBack];
    });
    world.image('nginx:bad');
    world.rest();
    expect(world.events.filter((event) => event.startsWith('RolledBack'))).toHaveLength(2);
  });

  test('stays where it is when nothing good is known', () => {
    const world = new Releases({ metadata: { annotations }, spec: { replicas: 1, template: template('nginx:bad') } });
    world.rest();
    expect(world.sizes).toEqual({ 'nginx:bad': 1 });
    expect(world.reasons['Progressing']).toBe('ProgressDeadlineExceeded');
  });

  test('stays where it is without the annotation, and while it is paused', () => {
    const world = good();
    world.change(({ metadata, spec }) => {
      metadata.annotations[releaseAnnotations.autoRollback] = 'false';
      spec.replicas = 3;
    });
    world.image('nginx:bad');
    world.rest();
    expect(world.sizes).toEqual({ nginx: 3, 'nginx:bad': 1 });
  });
});

test('a rollout that misses its deadline goes back', () => {
  const world = good({ progressDeadlineSeconds: 60 });
  world.image('nginx:slow');
  world.rest((pod) => (imageOf(pod) === 'nginx:slow' ? undefined : serve(pod, world.now)));
  expect(world.sizes).toEqual({ nginx: 3, 'nginx:slow': 0 });
  expect(world.reasons).toMatchObject({ RolledBack: 'ProgressDeadlineExceeded' });
});

test('one Pod of three that crashes does not take a rollout back at once', () => {
  const world = good({ ...rollingOf(3, 0), progressDeadlineSeconds: 600 });
  world.image('nginx:2');
  let unlucky = '';
  for (let rounds = 0; rounds < 20; rounds++) {
    world.roll();
    world.replicate();
    world.agents((pod) => {
      if (imageOf(pod) === 'nginx:2') unlucky ||= pod.metadata.name;
      return pod.metadata.name === unlucky ? crash(pod, world.now) : serve(pod, world.now);
    });
    world.now += 1000;
  }
  expect(world.sizes).toEqual({ nginx: 3, 'nginx:2': 3 });
});

test('Pods that are ready for some seconds before they crash cost no old one', () => {
  const world = good();
  world.image('nginx:2');
  const old = () => world.pods.filter((pod) => isUp(pod) && imageOf(pod) === 'nginx').length;
  let fewest = 3;
  for (let seconds = 0; seconds < 20; seconds++) {
    world.roll();
    world.replicate();
    world.agents((pod) => {
      return imageOf(pod) === 'nginx:2' && seconds > 7 ? crash(pod, world.now) : serve(pod, world.now);
    });
    fewest = Math.min(fewest, old());
    world.now += 1000;
  }
  expect({ fewest, sizes: world.sizes }).toEqual({ fewest: 3, sizes: { nginx: 3, 'nginx:2': 0 } });
});

test('Pods that were ready for a moment only are no good revision', () => {
  const world = good({ ...rollingOf(1, 1), replicas: 1 });
  world.image('nginx:2');
  // Up for two seconds, twice, then down for good: the old Pod has gone by then.
  for (let rounds = 0; rounds < 8; rounds++) {
    world.roll();
    world.replicate();
    world.agents((pod) => {
      if (imageOf(pod) !== 'nginx:2') return serve(pod, world.now);
      return rounds % 3 === 2 ? crash(pod, world.now) : serve(pod, world.now);
    });
    world.now += 1000;
  }
  world.rest((pod) => (imageOf(pod) === 'nginx:2' ? crash(pod, world.now) : serve(pod, world.now)));
  expect(world.sizes).toEqual({ nginx: 1, 'nginx:2': 0 });
});

function template(image: string) {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } };
}

function imageOfTemplate({ deployment }: Releases): string | undefined {
  return deployment.spec.template?.spec?.containers[0]?.image;
}

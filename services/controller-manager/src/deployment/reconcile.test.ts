import { PodSpec, PodTemplateSpec } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conditionOf } from '../conditions.ts';
import { deployment, pod, replicaSet } from '../objects.fixture.ts';
import { controllerReference } from '../ownership.ts';
import { podTemplateHashLabel, deployment as deploymentKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { revisionAnnotation } from './annotations.ts';
import { reconcileDeployment } from './reconcile.ts';
import { rollingLimits } from './strategy.ts';
import { DeploymentWorld } from './world.fixture.ts';

const rolling = (maxSurge: unknown, maxUnavailable: unknown) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});

describe('how far a rolling update may go over and under', () => {
  test.each([
    { replicas: 3, surge: undefined, unavailable: undefined, limits: { maxSurge: 1, maxUnavailable: 0 } },
    { replicas: 10, surge: '25%', unavailable: '25%', limits: { maxSurge: 3, maxUnavailable: 2 } },
    { replicas: 3, surge: 2, unavailable: 1, limits: { maxSurge: 2, maxUnavailable: 1 } },
    { replicas: 1, surge: '0%', unavailable: '10%', limits: { maxSurge: 0, maxUnavailable: 1 } },
    { replicas: 4, surge: 0, unavailable: 9, limits: { maxSurge: 0, maxUnavailable: 4 } },
    { replicas: 0, surge: 1, unavailable: 0, limits: { maxSurge: 1, maxUnavailable: 0 } },
  ])('$replicas replicas, surge $surge, unavailable $unavailable', ({ replicas, surge, unavailable, limits }) => {
    expect(rollingLimits(deployment({ spec: { replicas, ...rolling(surge, unavailable) } }).spec)).toEqual(limits);
  });
});

describe('a new Deployment', () => {
  test('gets one ReplicaSet with all Pods, the template’s hash in name, label and selector, and revision 1', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    const [set] = [...world.replicaSets.values()];
    const hash = set?.metadata.labels[podTemplateHashLabel] ?? '';
    expect(hash).toMatch(/^[a-z0-9]{10}$/);
    expect(set).toMatchObject({
      metadata: { name: `web-${hash}`, labels: { app: 'web' }, annotations: { [revisionAnnotation]: '1' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web', [podTemplateHashLabel]: hash } },
        template: { metadata: { labels: { [podTemplateHashLabel]: hash } } },
      },
    });
    expect(world.deployment.metadata.annotations[revisionAnnotation]).toBe('1');
  });

  test('does not adopt a bare Pod with its labels: the ReplicaSet’s selector holds the hash', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    const [set] = [...world.replicaSets.values()];
    expect(Object.keys(set?.spec.selector?.matchLabels ?? {})).toContain(podTemplateHashLabel);
  });

  test('finds another name when its own is somebody else’s', () => {
    const observed = { deployment: deployment(), replicaSets: [], pods: [] };
    const free = reconcileDeployment({ ...observed, taken: { has: () => false } }, 0).writes[0];
    const name = free?.type === 'create' ? (free.object.metadata?.name ?? '') : '';
    const other = reconcileDeployment({ ...observed, taken: { has: (wanted) => wanted === name } }, 0).writes[0];
    expect(other).toMatchObject({ type: 'create' });
    expect(other?.type === 'create' && other.object.metadata?.name).not.toBe(name);
  });
});

describe('a rolling update', () => {
  const rolled = () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    world.image('nginx:2');
    return world;
  };

  test('ends with the new template alone, the old ReplicaSet kept at 0', () => {
    const world = rolled();
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 0, 'nginx:2': 3 });
    expect(world.deployment.metadata.annotations[revisionAnnotation]).toBe('2');
  });

  test('goes one up, one down with the default limits', () => {
    const world = rolled();
    const seen: string[] = [];
    for (let steps = 0; steps < 20; steps++) {
      world.settle(() => 9);
      world.step();
      const { nginx = 0, 'nginx:2': next = 0 } = world.sizes();
      if (seen.at(-1) !== `${nginx}+${next}`) seen.push(`${nginx}+${next}`);
    }
    expect(seen).toEqual(['3+1', '2+1', '2+2', '1+2', '1+3', '0+3']);
  });

  test('stops while the new Pods don’t come up', () => {
    const world = rolled();
    for (let steps = 0; steps < 20; steps++) {
      world.settle(({ spec }) => (spec.template?.spec?.containers[0]?.image === 'nginx' ? 9 : 0));
      world.step();
    }
    expect(world.sizes()).toEqual({ nginx: 3, 'nginx:2': 1 });
  });

  test('from a broken template gives up its Pods first', () => {
    const world = rolled();
    world.settle(() => 9);
    world.step();
    world.image('nginx:3');
    for (let steps = 0; steps < 30; steps++) {
      world.settle(({ spec }) => (spec.template?.spec?.containers[0]?.image === 'nginx:2' ? 0 : 9));
      world.step();
    }
    expect(world.sizes()).toEqual({ nginx: 0, 'nginx:2': 0, 'nginx:3': 3 });
  });

  test('is undone by giving the old template back: its ReplicaSet is used again, as a new revision', () => {
    const world = rolled();
    world.finish();
    world.image('nginx');
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 3, 'nginx:2': 0 });
    expect(world.replicaSets.size).toBe(2);
    expect(world.deployment.metadata.annotations[revisionAnnotation]).toBe('3');
  });

  test('is undone by a client that writes empty messages where nothing was said, as kubectl does', () => {
    const world = rolled();
    world.finish();
    const { template } = deployment().spec;
    const containers = template?.spec?.containers.map((container) => ({ ...container, resources: {} })) ?? [];
    const spec = PodSpec.fromPartial({ ...template?.spec, containers, securityContext: {} });
    world.change({ template: PodTemplateSpec.create({ ...template, spec }) });
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 3, 'nginx:2': 0 });
    expect(world.replicaSets.size).toBe(2);
  });

  test('keeps within its limits and comes to rest, whatever the limits and however Pods come up', () => {
    const limit = fc.oneof(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        limit,
        limit,
        fc.array(fc.nat({ max: 12 }), { minLength: 5, maxLength: 15 }),
        (replicas, surge, unavailable, luck) => {
          const world = new DeploymentWorld(deployment({ spec: { replicas, ...rolling(surge, unavailable) } }));
          world.finish();
          const { maxSurge, maxUnavailable } = rollingLimits(world.deployment.spec);
          world.image('nginx:2');
          // New Pods that fail after they served are nobody's fault: here they only ever come up.
          for (const ready of luck.toSorted((a, b) => a - b)) {
            // Old Pods serve; of the new ones as many as luck has it.
            world.settle(({ spec }) => (spec.template?.spec?.containers[0]?.image === 'nginx' ? 99 : ready));
            world.step();
            expect(world.sum(({ spec }) => spec.replicas ?? 1)).toBeLessThanOrEqual(replicas + maxSurge);
            world.settle(({ spec }) => (spec.template?.spec?.containers[0]?.image === 'nginx' ? 99 : ready));
            const serving = world.sum(({ status }) => status.availableReplicas);
            expect(serving).toBeGreaterThanOrEqual(replicas - maxUnavailable);
          }
          world.finish();
          expect(world.sizes()['nginx:2']).toBe(replicas);
          expect(world.step()).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('scaling', () => {
  test('changes the one ReplicaSet', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    world.change({ replicas: 7 });
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 7 });
  });

  test('in the middle of a rollout keeps the proportions', () => {
    const world = new DeploymentWorld(deployment({ spec: { replicas: 10, ...rolling(3, 2) } }));
    world.finish();
    world.image('nginx:2');
    for (let steps = 0; steps < 4; steps++) {
      world.settle(({ spec }) => (spec.template?.spec?.containers[0]?.image === 'nginx' ? 99 : 0));
      world.step();
    }
    // The example of Kubernetes' documentation: 8 old and 5 new of 10, then 15 are wanted.
    expect(world.sizes()).toEqual({ nginx: 8, 'nginx:2': 5 });
    world.change({ replicas: 15 });
    world.step();
    expect(world.sizes()).toEqual({ nginx: 11, 'nginx:2': 7 });
  });

  test('to nothing and back', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    world.change({ replicas: 0 });
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 0 });
    world.change({ replicas: 2 });
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 2 });
  });

  test('works while the rollout is paused, which itself does not go on', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    world.change({ paused: true });
    world.image('nginx:2');
    world.change({ replicas: 5 });
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 5 });
    expect(conditionOf(world.deployment.status.conditions, 'Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
    });
    world.change({ paused: false });
    world.finish();
    expect(world.sizes()).toEqual({ nginx: 0, 'nginx:2': 5 });
  });
});

describe('Recreate', () => {
  const observed = deployment({ spec: { strategy: { type: 'Recreate' } } });
  const old = replicaSet('web-old', {
    metadata: { ownerReferences: [controllerReference(deploymentKind, observed)] },
    spec: { replicas: 0, template: { spec: { containers: [{ name: 'c', image: 'old' }] } } },
  });
  const created = (pods: readonly ReturnType<typeof pod>[]) =>
    reconcileDeployment(
      { deployment: observed, replicaSets: [old], pods, taken: { has: () => false } },
      0,
    ).writes.filter(({ type }) => type === 'create');
  const owned = { metadata: { ownerReferences: [controllerReference(replicaSetKind, old)] } };

  test('waits until the last old Pod has gone, then starts all new ones', () => {
    expect(created([pod('a', owned)])).toEqual([]);
    expect(created([pod('a', { metadata: { ...owned.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })])).toEqual(
      [],
    );
    expect(created([])).toMatchObject([{ object: { spec: { replicas: 3 } } }]);
  });
});

describe('history', () => {
  test('keeps as many old ReplicaSets as the limit says, the newest', () => {
    const world = new DeploymentWorld(deployment({ spec: { revisionHistoryLimit: 2 } }));
    for (const image of ['a', 'b', 'c', 'd', 'e']) {
      world.image(image);
      world.finish();
    }
    expect(world.sizes()).toEqual({ c: 0, d: 0, e: 3 });
  });
});

describe('conditions', () => {
  const reasons = (world: DeploymentWorld) =>
    world.deployment.status.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

  test('say that it is available and done', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    expect(reasons(world)).toEqual([
      'Available=True MinimumReplicasAvailable',
      'Progressing=True NewReplicaSetAvailable',
    ]);
    expect(world.deployment.status).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      unavailableReplicas: 0,
      observedGeneration: 1,
    });
  });

  test('say when a rollout is stuck, and when it moves again', () => {
    const world = new DeploymentWorld(deployment({ spec: { progressDeadlineSeconds: 60 } }));
    const stuck = () => {
      world.settle(() => 0);
      return world.step();
    };
    for (let steps = 0; steps < 5; steps++) stuck();
    expect(reasons(world)).toEqual([
      'Available=False MinimumReplicasUnavailable',
      'Progressing=True ReplicaSetUpdated',
    ]);
    world.now += 61_000;
    stuck();
    expect(reasons(world)).toContain('Progressing=False ProgressDeadlineExceeded');
    expect(stuck()).toBe(0);
    world.finish();
    expect(reasons(world)).toContain('Progressing=True NewReplicaSetAvailable');
  });

  test('a Pod lost after the rollout is no new rollout', () => {
    const world = new DeploymentWorld(deployment());
    world.finish();
    world.settle(() => 2);
    world.step();
    expect(reasons(world)).toContain('Progressing=True NewReplicaSetAvailable');
    world.now += 3_600_000;
    expect(world.step()).toBe(0);
  });
});

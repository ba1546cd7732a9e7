import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  configMap as configMapKind,
  deployment as deploymentKind,
  pod as podKind,
  releaseAnnotations,
  replicaSet as replicaSetKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { ConfigMap, type Deployment, type Pod } from '@navarch/proto';
import { describe, vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { conditionOf } from '../conditions.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { deployment } from '../objects.fixture.ts';
import { isActive, isReady } from '../pod-state.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { Configurations } from './configurations.ts';
import { deploymentController } from './controller.ts';
import { crash } from './releases.fixture.ts';

// Dozens of rollouts, on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

interface Release {
  readonly annotations: Readonly<Record<string, string>>;
  change(world: World): Promise<void>;
  /** What the Pods are of, as `image color`, and how many ReplicaSets there are. */
  readonly before: string;
  readonly after: string;
  /** A condition that must be there afterwards. */
  readonly condition?: string;
}

const replicas = 3;
const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };

const scenario = (release: Release): FaultScenario => ({
  controllers: (world, hands) => {
    const caches = readCaches(world);
    const configurations = new Configurations(world, caches);
    void configurations.lead(world.term());
    return [deploymentController(caches, hands, configurations), replicaSetController(caches, hands)];
  },
  agents,
  begin: async (world) => {
    await world.write({ type: 'create', kind: configMapKind, object: settings('blue') });
    const container = { name: 'c', image: 'nginx', envFrom: [{ configMapRef: { name: 'app' } }] };
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
    const object = deployment({
      metadata: { annotations: release.annotations },
      spec: { replicas, strategy, template },
    });
    await world.write({ type: 'create', kind: deploymentKind, object });
  },
  change: (world) => release.change(world),
  amiss: (world, when) => {
    const wanted = Array.from({ length: replicas }, () => release[when]).join();
    const pods = world.all(podKind);
    const found = pods.map((pod) => (isReady(pod) ? lookOf(world, pod) : '-')).join();
    const { status } = world.all(deploymentKind)[0] ?? {};
    const reason = conditionOf(status?.conditions, 'Progressing')?.reason;
    const condition = when === 'before' ? undefined : release.condition;
    const isTold =
      reason === 'NewReplicaSetAvailable' &&
      status?.updatedReplicas === replicas &&
      status.release?.canary === undefined &&
      status.release?.lastGood !== undefined &&
      (condition === undefined || conditionOf(status.conditions, condition) !== undefined);
    return found === wanted && isTold ? '' : `${found}; ${reason}`;
  },
  wrong: (world) => {
    const active = world.all(podKind).filter(isActive);
    const bare = active.filter((pod) => lookOf(world, pod).endsWith('undefined'));
    const sets = world.all(replicaSetKind).length;
    return active.length > 4 || bare.length > 0 || sets > 2
      ? `${active.length} Pods, ${bare.length} without settings, ${sets} ReplicaSets`
      : '';
  },
});

describe('a rolling update', () => {
  faultRuns(
    scenario({
      annotations: {},
      change: (world) => setImage(world, 'nginx:2'),
      before: 'nginx blue',
      after: 'nginx:2 blue',
    }),
  );
});

describe('a rollout that goes back', () => {
  faultRuns(
    scenario({
      annotations: { [releaseAnnotations.autoRollback]: 'true' },
      change: (world) => setImage(world, 'nginx:bad'),
      before: 'nginx blue',
      after: 'nginx blue',
      condition: 'RolledBack',
    }),
  );
});

describe('a change of settings by steps', () => {
  faultRuns(
    scenario({
      annotations: { [releaseAnnotations.configRollout]: 'true', [releaseAnnotations.canary]: '1, 2' },
      change: async (world) => {
        const present = world.all(configMapKind).find(({ metadata }) => metadata.name === 'app');
        await world.write(updateWrite(configMapKind, { ...present, ...settings('green') }));
      },
      before: 'nginx blue',
      after: 'nginx green',
    }),
  );
});

/** Pods come up, but for bad ones, and go when asked. */
async function agents(world: World): Promise<void> {
  for (const pod of world.all(podKind)) {
    const { metadata, spec, status } = pod;
    if (metadata.deletionTimestamp !== '') {
      await world.write(deleteWrite(podKind, metadata, { gracePeriodSeconds: 0 }));
      continue;
    }
    const isBad = spec.containers[0]?.image === 'nginx:bad';
    const next = isBad ? crash(pod, Date.now()) : status.phase === 'Running' ? undefined : up;
    if (next !== undefined) await world.write(updateStatusWrite(podKind, { ...pod, status: { ...status, ...next } }));
  }
}

/** For long enough to be known as good. */
const up = {
  phase: 'Running',
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      lastTransitionTime: timestamp(Date.now() - 60_000),
      lastUpdateTime: '',
      reason: '',
      message: '',
      observedGeneration: 0,
    },
  ],
};

function lookOf(world: World, { spec }: Live<Pod>): string {
  const name = spec.containers[0]?.envFrom[0]?.configMapRef?.name;
  const found = world.all(configMapKind).find(({ metadata }) => metadata.name === name);
  return `${spec.containers[0]?.image} ${found?.data['color']}`;
}

function settings(color: string): ConfigMap {
  return ConfigMap.fromPartial({ metadata: { name: 'app', namespace: 'default' }, data: { color } });
}

async function setImage(world: World, image: string): Promise<void> {
  const [present] = world.all<Deployment>(deploymentKind);
  if (present === undefined) throw new Error('there is no Deployment');
  const spec = structuredClone(present.spec);
  const [container] = spec.template?.spec?.containers ?? [];
  if (container !== undefined) container.image = image;
  await world.write(updateWrite(deploymentKind, { ...present, spec }));
}

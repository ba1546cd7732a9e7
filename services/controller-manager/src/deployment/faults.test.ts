import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import { deployment as deploymentKind, pod as podKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Deployment, Pod } from '@navarch/proto';
import { vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { deployment } from '../objects.fixture.ts';
import { isActive, isReady } from '../pod-state.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { Configurations } from './configurations.ts';
import { deploymentController } from './controller.ts';

// Dozens of rollouts, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const limits = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };

const rollout: FaultScenario = {
  controllers: (world, hands) => {
    const caches = readCaches(world);
    const configurations = new Configurations(world, caches);
    void configurations.lead(world.term());
    return [deploymentController(caches, hands, configurations), replicaSetController(caches, hands)];
  },
  agents,
  begin: (world) =>
    world.write({
      type: 'create',
      kind: deploymentKind,
      object: deployment({ spec: { replicas: 3, strategy: limits } }),
    }),
  change: (world) =>
    edit(world, (spec) => {
      const [container] = spec.template?.spec?.containers ?? [];
      if (container !== undefined) container.image = 'nginx:2';
    }),
  amiss: (world, when) => {
    const image = when === 'before' ? 'nginx' : 'nginx:2';
    const pods = world.all(podKind);
    const good = pods.filter((pod) => isReady(pod) && pod.spec.containers[0]?.image === image);
    const status = world.all(deploymentKind)[0]?.status;
    const reason = status?.conditions.find(({ type }) => type === 'Progressing')?.reason;
    const sets = world.all(replicaSetKind).length;
    const done = good.length === 3 && pods.length === 3 && sets === (when === 'before' ? 1 : 2);
    return done && reason === 'NewReplicaSetAvailable' && status?.updatedReplicas === 3 && status.replicas === 3
      ? ''
      : `${pods.length} Pods, ${good.length} with ${image}, ${sets} ReplicaSets, ${reason}`;
  },
  wrong: (world) => {
    const active = world.all(podKind).filter(isActive).length;
    return active > 4 ? `${active} Pods` : '';
  },
};

faultRuns(rollout);

/** Pods come up, and go when asked. */
export async function agents(world: World): Promise<void> {
  for (const pod of world.all(podKind)) {
    const { metadata, status } = pod;
    if (metadata.deletionTimestamp !== '') await world.write(deleteWrite(podKind, metadata, { gracePeriodSeconds: 0 }));
    else if (status.phase !== 'Running') await world.write(updateStatusWrite(podKind, running(pod)));
  }
}

function running(pod: Live<Pod>): Pod {
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: timestamp(Date.now()) };
  const conditions = [{ ...ready, lastUpdateTime: '', reason: '', message: '', observedGeneration: 0 }];
  return { ...pod, status: { ...pod.status, phase: 'Running', conditions } };
}

/** What a person does, who tries again when somebody was faster. */
async function edit(world: World, change: (spec: NonNullable<Deployment['spec']>) => void): Promise<void> {
  const [present] = world.all(deploymentKind);
  if (present === undefined) throw new Error('there is no Deployment');
  const spec = structuredClone(present.spec);
  change(spec);
  await world.write(updateWrite(deploymentKind, { ...present, spec }));
}

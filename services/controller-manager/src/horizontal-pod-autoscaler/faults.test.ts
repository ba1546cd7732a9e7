import { createWrite, deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  horizontalPodAutoscaler as autoscalerKind,
  pod as podKind,
  replicaSet as replicaSetKind,
} from '@navarch/kinds';
import { ApiError, isReason } from '@navarch/machinery';
import { Scale } from '@navarch/proto';
import { describe, vi } from 'vitest';
import { readCaches } from '../caches.ts';
import type { Hands } from '../carry-out.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { condition, replicaSet } from '../objects.fixture.ts';
import { isActive, isReady } from '../pod-state.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { type AutoscalerParts, autoscalerController } from './controller.ts';
import { autoscaler } from './scene.fixture.ts';

// Dozens of changes of scale, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** What all Pods together have to do, in thousandths of a core; each is to do 500. */
const loads = new WeakMap<World, number>();
const replicasFor = (load: number) => load / 500;
const hourMs = 3_600_000;

/** The work grows or shrinks at once, and with it the number of Pods. */
const scenario = (before: number, after: number): FaultScenario => ({
  controllers: (world, hands) => {
    const caches = readCaches(world);
    const scaler = autoscalerController({
      caches,
      hands,
      scales: scalesOf(world, hands),
      heard: heard(world),
      syncMs: 5,
    });
    return [replicaSetController(caches, hands), scaler];
  },
  agents,
  begin: async (world) => {
    loads.set(world, before);
    const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }];
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers } };
    const { metadata, ...set } = replicaSet('web', { spec: { replicas: replicasFor(before), template } });
    const unowned = { ...metadata, ownerReferences: [], resourceVersion: '' };
    await world.write(createWrite(replicaSetKind, { ...set, metadata: unowned }));
    const object = autoscaler({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' },
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    });
    await world.write(
      createWrite(autoscalerKind, { ...object, metadata: { ...object.metadata, resourceVersion: '' } }),
    );
  },
  change: async (world) => void loads.set(world, after),
  amiss: (world, when) => {
    const wanted = replicasFor(when === 'before' ? before : after);
    const replicas = world.all(replicaSetKind)[0]?.spec.replicas;
    const pods = world.all(podKind);
    const { desiredReplicas, currentReplicas } = world.all(autoscalerKind)[0]?.status ?? {};
    const done =
      replicas === wanted &&
      pods.length === wanted &&
      pods.every(isReady) &&
      desiredReplicas === wanted &&
      currentReplicas === wanted;
    return done ? '' : `${replicas} wanted, ${pods.length} Pods, ${desiredReplicas} of ${currentReplicas} desired`;
  },
  wrong: (world) => {
    const [least, most] = [replicasFor(Math.min(before, after)), replicasFor(Math.max(before, after))];
    const replicas = world.all(replicaSetKind)[0]?.spec.replicas ?? least;
    const active = world.all(podKind).filter(isActive).length;
    if (replicas < least || replicas > most) return `scaled to ${replicas}`;
    return active > most ? `${active} Pods` : '';
  },
});

describe('upwards', () => {
  faultRuns(scenario(1_000, 2_500));
});
describe('downwards', () => {
  faultRuns(scenario(2_500, 1_000));
});

/** The api's Scale of ReplicaSets, whose writes are writes like all others: they can be the last that a process does. */
function scalesOf(world: World, hands: Hands): AutoscalerParts['scales'] {
  const present = async () => {
    const [set] = world.all(replicaSetKind);
    if (set === undefined) throw new ApiError('NotFound', 'web');
    return set;
  };
  const shown = ({ metadata, spec, status }: Awaited<ReturnType<typeof present>>) =>
    Scale.fromPartial({
      metadata,
      spec: { replicas: spec.replicas ?? 1 },
      status: { replicas: status.replicas, selector: 'app=web' },
    });
  return {
    getScale: async () => shown(await present()),
    updateScale: async (_kind, _key, replicas, { fence, resourceVersion = '' } = {}) => {
      const set = await present();
      const object = { ...set, metadata: { ...set.metadata, resourceVersion }, spec: { ...set.spec, replicas } };
      const [outcome] = await hands.client.transact([updateWrite(replicaSetKind, object)], fence && { fence });
      if (outcome?.ok === true) return shown(await present());
      const { reason = '', message = '' } = outcome?.error ?? {};
      throw new ApiError(isReason(reason) ? reason : 'InternalError', message);
    },
  };
}

/** The work is shared by the Pods that there are. */
function heard(world: World): AutoscalerParts['heard'] {
  return {
    usage: {
      explanation: '',
      listenedMs: hourMs,
      ofPod: (_node, uid) => {
        const active = world.all(podKind).filter((pod) => isActive(pod) && isReady(pod));
        if (!active.some(({ metadata }) => metadata.uid === uid)) return undefined;
        const cpuNanocores = BigInt(Math.round((loads.get(world) ?? 0) / active.length)) * 1_000_000n;
        return { atMs: Date.now(), windowMs: 10_000, used: [{ name: 'c', usage: { cpuNanocores, memoryBytes: 1n } }] };
      },
    },
    pushed: { named: () => [], explanation: '' },
  };
}

/** Pods come up, as if they had been up for long, and go when asked. */
async function agents(world: World): Promise<void> {
  for (const pod of world.all(podKind)) {
    const { metadata, status } = pod;
    if (metadata.deletionTimestamp !== '') await world.write(deleteWrite(podKind, metadata, { gracePeriodSeconds: 0 }));
    else if (status.phase !== 'Running') {
      const longAgo = timestamp(Date.now() - hourMs);
      const conditions = [condition('Ready', 'True', { lastTransitionTime: longAgo })];
      const up = { ...status, phase: 'Running', startTime: longAgo, conditions };
      await world.write(updateStatusWrite(podKind, { ...pod, status: up }));
    }
  }
}

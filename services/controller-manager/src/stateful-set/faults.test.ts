import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  controllerRevision as revisionKind,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod, StatefulSet } from '@navarch/proto';
import { vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { condition } from '../objects.fixture.ts';
import { isReady } from '../pod-state.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { statefulSetController } from './controller.ts';
import { imageOf, statefulSet } from './world.fixture.ts';

// Dozens of rollouts, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const volumeClaimTemplates = [
  { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
];

/** Three Pods become two of another template: a rolling update and a scaling down, claims and revisions. */
const change = (): FaultScenario => {
  /** By world: what runs on the nodes, and which identities ever ran twice at once. */
  const nodes = new WeakMap<World, Map<string, string>>();
  const runningIn = (world: World) => {
    const running = nodes.get(world) ?? new Map<string, string>();
    nodes.set(world, running);
    return running;
  };
  return {
    controllers: (world, hands) => [statefulSetController(readCaches(world), hands)],
    agents: (world) => agents(world, runningIn(world)),
    begin: (world) =>
      world.write({ type: 'create', kind: statefulSetKind, object: statefulSet({ volumeClaimTemplates }) }),
    change: async (world) => {
      const [set] = world.all(statefulSetKind);
      if (set === undefined) throw new Error('there is no StatefulSet');
      const spec = structuredClone(set.spec);
      const [container] = spec.template?.spec?.containers ?? [];
      if (container !== undefined) container.image = 'db:2';
      await world.write(updateWrite(statefulSetKind, { ...set, spec: { ...spec, replicas: 2 } }));
    },
    amiss: (world, when) => {
      const [image, replicas] = when === 'before' ? ['db:1', 3] : ['db:2', 2];
      const pods = world.all(podKind);
      const good = pods.filter((pod) => isReady(pod) && imageOf(pod) === image);
      const status = world.all(statefulSetKind)[0]?.status;
      const done = good.length === replicas && pods.length === replicas && isSettled(world, status, replicas, when);
      return done ? '' : `${pods.length} Pods, ${good.length} with ${image}, ${JSON.stringify(status)}`;
    },
    wrong: (world) => {
      const running = [...runningIn(world).values()];
      const twice = running.filter((name, index) => running.indexOf(name) !== index);
      const claims = new Set(world.all(claimKind).map(({ metadata }) => metadata.name));
      const unclaimed = world.all(podKind).filter(({ metadata }) => !claims.has(`data-${metadata.name}`));
      return [
        ...twice.map((name) => `${name} runs twice`),
        ...unclaimed.map(({ metadata }) => `${metadata.name} was made before its claim`),
      ].join(', ');
    },
  };
};

faultRuns(change());

function isSettled(world: World, status: StatefulSet['status'], replicas: number, when: 'before' | 'after'): boolean {
  return (
    status?.currentRevision === status?.updateRevision &&
    status?.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.observedGeneration === world.all(statefulSetKind)[0]?.metadata.generation &&
    world.all(revisionKind).length === (when === 'before' ? 1 : 2) &&
    world.all(claimKind).length === 3
  );
}

/** Pods get a node, run there, and go when asked: first what runs, then the object. */
async function agents(world: World, running: Map<string, string>): Promise<void> {
  for (const pod of world.all(podKind)) {
    const { metadata, spec, status } = pod;
    if (spec.nodeName === '') {
      await world.write(updateWrite(podKind, { ...pod, spec: { ...spec, nodeName: 'n1' } }));
    } else if (metadata.deletionTimestamp !== '') {
      running.delete(metadata.uid);
      await world.write(deleteWrite(podKind, metadata, { gracePeriodSeconds: 0 }));
    } else if (status.phase !== 'Running') {
      running.set(metadata.uid, metadata.name);
      await world.write(updateStatusWrite(podKind, ready(pod)));
    }
  }
}

function ready(pod: Live<Pod>): Pod {
  const conditions = [condition('Ready', 'True', { lastTransitionTime: timestamp(Date.now()) })];
  return { ...pod, status: { ...pod.status, phase: 'Running', conditions } };
}

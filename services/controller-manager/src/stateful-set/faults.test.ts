import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import {
  controllerRevision as revisionKind,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { describe, vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { condition } from '../objects.fixture.ts';
import { isReady } from '../pod-state.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { statefulSetController } from './controller.ts';
import { imageOf, statefulSet } from './world.fixture.ts';

// Hundreds of rollouts, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const volumeClaimTemplates = [
  { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
];

interface Story {
  readonly spec?: Parameters<typeof statefulSet>[0];
  readonly before: Picture;
  readonly after: Picture;
}

/** How the set stands when nothing moves: Pods by their images, those of a broken one never ready. */
interface Picture {
  /** What the template says. */
  readonly image: string;
  readonly pods: readonly string[];
  readonly revisions: number;
}

const images = ['db:1', 'db:1', 'db:1'];
const stories: Readonly<Record<string, Story>> = {
  'three Pods become two of another template': {
    before: { image: 'db:1', pods: images, revisions: 1 },
    after: { image: 'db:2', pods: ['db:2', 'db:2'], revisions: 2 },
  },
  'all at once where the policy is Parallel': {
    spec: { podManagementPolicy: 'Parallel' },
    before: { image: 'db:1', pods: images, revisions: 1 },
    after: { image: 'db:2', pods: ['db:2', 'db:2'], revisions: 2 },
  },
  'a set that never came up is healed': {
    before: { image: 'broken', pods: ['broken'], revisions: 1 },
    after: { image: 'db:2', pods: ['db:2', 'db:2'], revisions: 2 },
  },
};

const scenario = ({ spec = {}, before, after }: Story): FaultScenario => {
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
      world.write({
        type: 'create',
        kind: statefulSetKind,
        object: statefulSet({ ...spec, volumeClaimTemplates }, before.image),
      }),
    change: async (world) => {
      const [set] = world.all(statefulSetKind);
      if (set === undefined) throw new Error('there is no StatefulSet');
      const spec = structuredClone(set.spec);
      const [container] = spec.template?.spec?.containers ?? [];
      if (container !== undefined) container.image = after.image;
      await world.write(updateWrite(statefulSetKind, { ...set, spec: { ...spec, replicas: after.pods.length } }));
    },
    amiss: (world, when) => {
      const { pods, revisions } = when === 'before' ? before : after;
      const [set] = world.all(statefulSetKind);
      const found = {
        pods: world.all(podKind).filter(isSettled).map(imageOf),
        all: world.all(podKind).length,
        revisions: world.all(revisionKind).length,
        replicas: set?.status.replicas,
        updated: set?.status.updatedReplicas,
        seen: set?.status.observedGeneration,
        done: set?.status.currentRevision === set?.status.updateRevision,
      };
      const { length } = pods;
      const seen = set?.metadata.generation;
      const wanted = { pods, all: length, revisions, replicas: length, updated: length, seen, done: true };
      return JSON.stringify(found) === JSON.stringify(wanted) ? '' : JSON.stringify(found);
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

describe.each(Object.entries(stories))('%s,', (_, story) => {
  faultRuns(scenario(story));
});

/** As ready as it will be. */
function isSettled(pod: Live<Pod>): boolean {
  return pod.status.phase === 'Running' && isReady(pod) === works(pod) && pod.metadata.deletionTimestamp === '';
}

function works(pod: Live<Pod>): boolean {
  return imageOf(pod) !== 'broken';
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
      await world.write(updateStatusWrite(podKind, started(pod)));
    }
  }
}

function started(pod: Live<Pod>): Pod {
  const conditions = [condition('Ready', works(pod) ? 'True' : 'False', { lastTransitionTime: timestamp(Date.now()) })];
  return { ...pod, status: { ...pod.status, phase: 'Running', conditions } };
}

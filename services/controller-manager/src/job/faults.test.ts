import { deleteWrite, updateStatusWrite, updateWrite } from '@navarch/client';
import { job as jobKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Job, Pod } from '@navarch/proto';
import { vi } from 'vitest';
import { readCaches } from '../caches.ts';
import type { Hands } from '../carry-out.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { isActive, isOver } from '../pod-state.ts';
import type { World } from '../world.fixture.ts';
import { jobController } from './controller.ts';
import { job, type JobSpecParts } from './jobs.fixture.ts';
import { jobOrphanController } from './orphan-controller.ts';
import { isTracked } from './pods.ts';

// Dozens of Jobs, on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const controllers = (world: World, hands: Hands) => {
  const caches = readCaches(world);
  return [jobController(caches, hands), jobOrphanController(caches, hands)];
};
const theJob = (world: World) => world.all(jobKind)[0];
const make = (world: World, spec: JobSpecParts) => {
  const { metadata, spec: whole } = job(spec);
  const object = { metadata: { ...metadata, uid: '', resourceVersion: '' }, spec: whole, status: undefined };
  return world.write({ type: 'create', kind: jobKind, object });
};
const holds = (of: Live<Job> | undefined, type: string) =>
  of?.status.conditions.some((condition) => condition.type === type && condition.status === 'True') === true;

/** Pods come up, and end as `then` says; those that are asked to go do. */
async function agents(world: World, then: string): Promise<void> {
  for (const pod of world.all(podKind)) {
    if (pod.metadata.deletionTimestamp !== '') {
      await world.write(deleteWrite(podKind, pod.metadata, { gracePeriodSeconds: 0 }));
    } else if (!isOver(pod.status.phase) && pod.status.phase !== then) {
      await report(world, pod, pod.status.phase === 'Running' ? then : 'Running');
    }
  }
}

function report(world: World, pod: Live<Pod>, phase: string): Promise<void> {
  return world.write(updateStatusWrite(podKind, { ...pod, status: { ...pod.status, phase } }));
}

/** Six pieces of work, two at a time, from the moment when it is no more suspended. */
const work: FaultScenario = {
  controllers,
  agents: (world) => agents(world, 'Succeeded'),
  begin: (world) => make(world, { completionMode: 'Indexed', completions: 6, parallelism: 2, suspend: true }),
  change: async (world) => {
    const present = theJob(world);
    if (present !== undefined)
      await world.write(updateWrite(jobKind, { ...present, spec: { ...present.spec, suspend: false } }));
  },
  amiss: (world, when) => {
    const present = theJob(world);
    const done = when === 'before' ? holds(present, 'Suspended') : holds(present, 'Complete');
    return done ? '' : `${present?.status.succeeded} succeeded, ${world.all(podKind).length} Pods`;
  },
  wrong: (world) => {
    const pods = world.all(podKind);
    const active = pods.filter(isActive).length;
    const { succeeded = 0, failed = 0 } = theJob(world)?.status ?? {};
    const counted = pods.filter((pod) => !isTracked(pod)).length;
    if (active > 2) return `${active} Pods at once`;
    if (pods.length > 6) return `${pods.length} Pods in all`;
    return succeeded === counted && failed === 0 ? '' : `${succeeded} and ${failed} counted, of ${counted} Pods`;
  },
};

/** Three Pods at work, of which one fails, which may not be. */
const failure: FaultScenario = {
  controllers,
  agents: (world) => agents(world, 'Running'),
  begin: (world) => make(world, { completions: 3, parallelism: 3, backoffLimit: 0 }),
  change: async (world) => {
    const [first] = world.all(podKind);
    if (first !== undefined) await report(world, first, 'Failed');
  },
  amiss: (world, when) => {
    const { active = 0, ready, failed = 0 } = theJob(world)?.status ?? {};
    const running = world.all(podKind).filter(({ status }) => status.phase === 'Running').length;
    const done = when === 'before' ? running === 3 && active === 3 : holds(theJob(world), 'Failed') && failed === 3;
    return done ? '' : `${active} active, ${ready} ready, ${failed} failed, ${running} running`;
  },
  wrong: (world) => {
    const pods = world.all(podKind);
    const { failed = 0 } = theJob(world)?.status ?? {};
    if (pods.length > 3) return `${pods.length} Pods`;
    return failed === 0 || failed === 3 ? '' : `${failed} counted as failed`;
  },
};

faultRuns(work);
faultRuns(failure);

import { deleteWrite } from '@navarch/client';
import { job as jobKind, jobTrackingFinalizer, pod as podKind } from '@navarch/kinds';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCaches } from '../caches.ts';
import { controllerReference } from '../ownership.ts';
import { World } from '../world.fixture.ts';
import { job, jobPod } from './jobs.fixture.ts';
import { jobOrphanController } from './orphan-controller.ts';

let world: World;
beforeEach(() => {
  world = new World();
  world.run(jobOrphanController(readCaches(world), { client: world.client, events: world.recorder }));
});
afterEach(() => world.end());

const makeJob = async () => {
  const { metadata, spec } = job();
  const object = { metadata: { ...metadata, uid: '', resourceVersion: '' }, spec, status: undefined };
  await world.write({ type: 'create', kind: jobKind, object });
  const [made] = world.all(jobKind);
  if (made === undefined) throw new Error('no Job');
  return made;
};
const makePod = async (
  name: string,
  ownerReferences: ReturnType<typeof controllerReference>[],
  labels = { app: 'work' },
) => {
  const { metadata, spec } = jobPod(name);
  const own = { ...metadata, uid: '', resourceVersion: '', labels, ownerReferences };
  const object = { metadata: own, spec, status: undefined };
  await world.write({ type: 'create', kind: podKind, object });
};
const tracked = () =>
  world
    .all(podKind)
    .filter(({ metadata }) => metadata.finalizers.includes(jobTrackingFinalizer))
    .map(({ metadata }) => metadata.name);

test('Pods of a Job that is there are left to it, and let go when it is gone', async () => {
  const made = await makeJob();
  await makePod('mine', [controllerReference(jobKind, made)]);
  await makePod('stray', [], { app: 'other' });
  await waitFor(() => !tracked().includes('stray'));
  expect(tracked()).toEqual(['mine']);
  await world.write(deleteWrite(jobKind, made.metadata));
  await waitFor(() => tracked().length === 0);
});

test('Pods of another Job of the same name, which is gone, are let go', async () => {
  const made = await makeJob();
  await makePod('old', [{ ...controllerReference(jobKind, made), uid: 'another' }]);
  await waitFor(() => tracked().length === 0);
  expect(world.all(podKind)).toHaveLength(1);
});

test('a Pod without a Job that one will adopt is left to that', async () => {
  await makeJob();
  await makePod('adopted soon', []);
  await makePod('stray', [], { app: 'other' });
  await waitFor(() => !tracked().includes('stray'));
  expect(tracked()).toEqual(['adopted soon']);
});

test('a Pod that the caches show before its Job is left alone, for the api has the Job', async () => {
  world.lagMs = 20;
  const made = await makeJob();
  await makePod('early', [controllerReference(jobKind, made)]);
  await makePod('stray', [], { app: 'other' });
  await waitFor(() => !tracked().includes('stray'));
  expect(tracked()).toEqual(['early']);
});

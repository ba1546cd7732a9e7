import { updateStatusWrite, updateWrite } from '@navarch/client';
import { cronJob as cronJobKind, job as jobKind } from '@navarch/kinds';
import { CronJob } from '@navarch/proto';
import { vi } from 'vitest';
import { readCaches } from '../caches.ts';
import { type FaultScenario, faultRuns } from '../fault-runs.fixture.ts';
import { timestamp } from '../time.ts';
import type { World } from '../world.fixture.ts';
import { cronJobController } from './controller.ts';

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 });

/** Once a year, so that no time comes while the test runs; the last one is due as soon as it is no more suspended. */
const object = CronJob.fromPartial({
  metadata: { name: 'yearly', namespace: 'default' },
  spec: {
    schedule: '@yearly',
    suspend: true,
    concurrencyPolicy: 'Allow',
    jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
  },
});
const theCronJob = (world: World) => world.all(cronJobKind)[0];

const oneTime: FaultScenario = {
  controllers: (world, hands) => [cronJobController(readCaches(world), hands)],
  agents: async () => {},
  begin: async (world) => {
    await world.write({ type: 'create', kind: cronJobKind, object });
    const present = theCronJob(world);
    if (present === undefined) return;
    const lastScheduleTime = timestamp(Date.now() - 400 * 86_400_000);
    await world.write(updateStatusWrite(cronJobKind, { ...present, status: { ...present.status, lastScheduleTime } }));
  },
  change: async (world) => {
    const present = theCronJob(world);
    if (present !== undefined)
      await world.write(updateWrite(cronJobKind, { ...present, spec: { ...present.spec, suspend: false } }));
  },
  amiss: (world, when) => {
    const jobs = world.all(jobKind).length;
    const { active = [], lastScheduleTime = '' } = theCronJob(world)?.status ?? {};
    const seen = lastScheduleTime.endsWith('-01-01T00:00:00Z') && active.length === 1;
    return (when === 'before' ? lastScheduleTime !== '' : jobs === 1 && seen)
      ? ''
      : `${jobs} Jobs, ${active.length} active, last at ${lastScheduleTime}`;
  },
  wrong: (world) => {
    const jobs = world.all(jobKind).length;
    const noted = theCronJob(world)?.status.lastScheduleTime.endsWith('-01-01T00:00:00Z') === true;
    return jobs === (noted ? 1 : 0) ? '' : `${jobs} Jobs, ${noted ? '' : 'not '}noted`;
  },
};

faultRuns(oneTime);

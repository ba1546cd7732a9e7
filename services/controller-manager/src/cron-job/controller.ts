import { type Controller, source } from '@navarch/controller';
import { controllerOf, cronJob as cronJobKind, job as jobKind } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import { byManager, type Caches } from '../caches.ts';
import { attempt, type Hands, refusal } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { reconcileCronJob } from './reconcile.ts';

/** Makes Jobs at the times of each CronJob's schedule. It is woken for the next one: nobody looks at the clock in between. */
export function cronJobController({ cronJobs, jobs }: Caches, hands: Hands): Controller {
  return {
    name: 'cronjob',
    sources: [
      source(cronJobKind, (cronJob) => [keyOf(cronJob)]),
      source(jobKind, (job) => {
        const metadata = metadataOf(job);
        const manager = controllerOf({ metadata });
        return manager?.kind === cronJobKind.kind ? [`${metadata.namespace}/${manager.name}`] : [];
      }),
    ],
    reconcile: async (key, context) => {
      const cronJob = cronJobs.get(key);
      if (cronJob === undefined) return {};
      const { uid, namespace } = cronJob.metadata;
      const jobNamed = (name: string) => jobs.get({ namespace, name });
      const plan = reconcileCronJob({ cronJob, jobs: jobs.byIndex(byManager, uid), jobNamed }, context.now);
      const { wroteRevision, failures } = await attempt(hands, plan, context);
      const [first] = failures;
      if (first !== undefined) {
        const error = refusal(first.error);
        if (error.reason !== 'Conflict' && first.write.type === 'create') {
          hands.events.event(cronJobKind, cronJob, 'Warning', 'FailedCreate', `Error creating job: ${error.message}`);
        }
        throw error;
      }
      const { againAfterMs } = plan;
      return { ...(wroteRevision > 0n && { wroteRevision }), ...(againAfterMs !== undefined && { againAfterMs }) };
    },
  };
}

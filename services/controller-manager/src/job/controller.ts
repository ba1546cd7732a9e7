import type { Controller, Source } from '@navarch/controller';
import { job as jobKind, pod as podKind } from '@navarch/kinds';
import { isApiError, keyOf, type Live } from '@navarch/machinery';
import type { Job, Pod } from '@navarch/proto';
import { type Caches, managedOrOrphaned, managersOf } from '../caches.ts';
import { attempt, type Hands, refusal } from '../carry-out.ts';
import { mostCounted, reconcileJob } from './reconcile.ts';

/** Runs each Job's Pods, and counts them. */
export function jobController(caches: Caches, hands: Hands): Controller {
  const own: Source<Job> = { kind: jobKind, keys: (object) => [keyOf(object)] };
  const pods: Source<Pod> = { kind: podKind, keys: managersOf(jobKind, caches.jobs, ({ spec }) => spec.selector) };
  return {
    name: 'job',
    sources: [own, pods],
    reconcile: async (key, context) => {
      const job = caches.jobs.get(key);
      if (job === undefined) return {};
      for (let countAtOnce = mostCounted; ; countAtOnce = Math.floor(countAtOnce / 2)) {
        const plan = reconcileJob(observe(job, caches), context.now, countAtOnce);
        try {
          const { wroteRevision, failures } = await attempt(hands, plan, context);
          const [first] = failures;
          if (first !== undefined) throw told(hands, job, first);
          const { againAfterMs } = plan;
          return { ...(wroteRevision > 0n && { wroteRevision }), ...(againAfterMs !== undefined && { againAfterMs }) };
        } catch (error) {
          // Large Pods: fewer fit into one transaction.
          if (plan.atomic !== true || plan.writes.length < 3 || !isApiError(error, 'RequestEntityTooLarge'))
            throw error;
        }
      }
    },
  };
}

function observe(job: Live<Job>, { pods }: Caches) {
  const { namespace } = job.metadata;
  const taken = { has: (name: string) => pods.get({ namespace, name }) !== undefined };
  return { job, pods: managedOrOrphaned(pods, job), taken };
}

/** A refusal as an error; people are told when a Pod could not be made or removed. */
function told(
  { events }: Hands,
  job: Live<Job>,
  { write, error }: Awaited<ReturnType<typeof attempt>>['failures'][number],
) {
  const refused = refusal(error);
  if (refused.reason !== 'Conflict' && (write.type === 'create' || write.type === 'delete')) {
    const [reason, what] = write.type === 'create' ? ['FailedCreate', 'creating'] : ['FailedDelete', 'deleting'];
    events.event(jobKind, job, 'Warning', reason, `Error ${what}: ${refused.message}`);
  }
  return refused;
}

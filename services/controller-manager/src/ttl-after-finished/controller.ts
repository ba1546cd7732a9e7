import { type Controller, source } from '@navarch/controller';
import { job as jobKind } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { reconcileFinished } from './reconcile.ts';

/** Clears Jobs away some time after their end, where they say so. */
export function ttlAfterFinishedController({ jobs }: Caches, hands: Hands): Controller {
  return {
    name: 'ttl-after-finished',
    sources: [source(jobKind, (job) => (job.spec?.ttlSecondsAfterFinished === undefined ? [] : [keyOf(job)]))],
    reconcile: async (key, context) => {
      const job = jobs.get(key);
      return job === undefined ? {} : carryOut(hands, reconcileFinished(job, context.now), context);
    },
  };
}

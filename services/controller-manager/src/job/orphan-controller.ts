import type { Controller, Source } from '@navarch/controller';
import { controllerOf, job as jobKind, pod as podKind } from '@navarch/kinds';
import { isApiError, keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { Job, Pod } from '@navarch/proto';
import { byManager, type Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { isTracked, letGo } from './pods.ts';
import { isFinished } from './status.ts';

/** Lets those Pods go that wait to be counted by a Job that is not there any more. */
export function jobOrphanController(caches: Caches, hands: Hands): Controller {
  const pods: Source<Pod> = {
    kind: podKind,
    keys: (pod) => (isTracked(pod as Live<Pod>) && mayBeOrphan(pod as Live<Pod>, caches) ? [keyOf(pod)] : []), // from a cache
  };
  const jobs: Source<Job> = {
    kind: jobKind,
    keys: (job) => {
      const { uid } = metadataOf(job);
      if (caches.jobs.get(keyOf(job))?.metadata.uid === uid) return [];
      return caches.pods.byIndex(byManager, uid).filter(isWaiting).map(keyOf);
    },
  };
  const isWaiting = (pod: Live<Pod>) => isTracked(pod) && mayBeOrphan(pod, caches);
  return {
    name: 'job-orphans',
    sources: [pods, jobs],
    reconcile: async (key, context) => {
      const pod = caches.pods.get(key);
      if (pod === undefined || !isWaiting(pod) || (await isJobThere(hands, pod, context.signal))) return {};
      return carryOut(hands, { writes: [{ type: 'update', kind: podKind, object: letGo(pod) }], events: [] }, context);
    },
  };
}

/** As far as the caches show: its Job is gone, or it has none and none will adopt it. */
function mayBeOrphan(pod: Live<Pod>, { jobs }: Caches): boolean {
  const metadata = metadataOf(pod);
  const manager = controllerOf({ metadata });
  if (manager === undefined) {
    const adopts = (job: Live<Job>) =>
      job.metadata.deletionTimestamp === '' &&
      !isFinished(job) &&
      labelSelectorPredicate(job.spec.selector)(metadata.labels);
    return metadata.deletionTimestamp !== '' || !jobs.list(metadata.namespace).some(adopts);
  }
  if (manager.kind !== jobKind.kind) return true;
  return jobs.get({ namespace: metadata.namespace, name: manager.name })?.metadata.uid !== manager.uid;
}

/** The api is asked: what the caches don't show may be there all the same. */
async function isJobThere({ client }: Hands, pod: Live<Pod>, signal: AbortSignal): Promise<boolean> {
  const { namespace } = pod.metadata;
  const manager = controllerOf(pod);
  if (manager?.kind !== jobKind.kind) return false;
  try {
    const found = await client.get(jobKind, { namespace, name: manager.name }, { signal });
    return found.metadata.uid === manager.uid;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return false;
    throw error;
  }
}

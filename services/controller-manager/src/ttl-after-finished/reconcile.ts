import { job as jobKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { DeleteRequest_Propagation, type Job } from '@navarch/proto';
import { finishedCondition } from '../job/status.ts';
import { nothingToDo, type Plan } from '../plan.ts';
import { parseTimestamp } from '../time.ts';

/**
 * Deletes a Job, and with it what it owns, `ttlSecondsAfterFinished` after its end. Only the version that was looked at: the
 * time may have been made longer. Source: https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished
 */
export function reconcileFinished(job: Live<Job>, now: number): Plan {
  const { metadata, spec } = job;
  const finishedMs = parseTimestamp(finishedCondition(job)?.lastTransitionTime ?? '');
  const { ttlSecondsAfterFinished } = spec;
  if (finishedMs === undefined || ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== '') {
    return nothingToDo;
  }
  const leftMs = finishedMs + ttlSecondsAfterFinished * 1000 - now;
  if (leftMs > 0) return { ...nothingToDo, againAfterMs: leftMs };
  const { namespace, name, uid, resourceVersion } = metadata;
  const options = { uid, resourceVersion, propagation: DeleteRequest_Propagation.FOREGROUND };
  return { writes: [{ type: 'delete', kind: jobKind, key: { namespace, name }, options }], events: [] };
}

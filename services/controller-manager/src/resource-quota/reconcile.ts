import { resourceQuota as quotaKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type ResourceQuota, ResourceQuotaStatus } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import type { Plan } from '../plan.ts';

/** So often a quota is counted although nothing says that it must be. */
export const recountEveryMs = 5 * 60_000;

/**
 * Has a quota counted: at once when its limits are new, else from time to time. Only the api can count without missing what
 * is being written meanwhile; it does when somebody writes the status, whatever that says.
 */
export function reconcileQuota(quota: Live<ResourceQuota>, countedAgoMs: number | undefined): Plan {
  const { metadata, spec, status } = quota;
  const waitMs = recountEveryMs - (countedAgoMs ?? recountEveryMs);
  if (equalValues(status.hard, spec.hard) && waitMs > 0) return { writes: [], events: [], againAfterMs: waitMs };
  // Of any version: a quota that is in use changes all the time.
  const object = { ...quota, metadata: { ...metadata, resourceVersion: '' }, status: ResourceQuotaStatus.fromJSON({}) };
  return { writes: [{ type: 'updateStatus', kind: quotaKind, object }], events: [], againAfterMs: recountEveryMs };
}

import { lease } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { Fence, Lease } from '@navarch/proto';
import type { Compare } from '@navarch/store';
import type { View } from './write.ts';

/**
 * The condition under which a leader's writes may be committed: the Lease is as it is now. Throws Fenced when somebody
 * else holds it, or it changed hands meanwhile.
 */
export function fenceCompares(view: View, fence: Fence | undefined): readonly Compare[] {
  if (fence === undefined) return [];
  const { leaseNamespace, leaseName, holderIdentity, transitions } = fence;
  const where = `lease "${leaseName}" in namespace "${leaseNamespace}"`;
  const cached = view.get(lease, leaseNamespace, leaseName);
  if (cached === undefined) throw fenced(`there is no ${where}`);
  const { spec } = cached.object as Lease; // the cache decodes a kind's objects with its message
  if (spec?.holderIdentity !== holderIdentity) {
    throw fenced(`${where} is held by "${spec?.holderIdentity ?? ''}", not by "${holderIdentity}"`);
  }
  if (spec.leaseTransitions !== transitions) {
    throw fenced(`${where} changed hands ${spec.leaseTransitions} times, not ${transitions}: it was lost meanwhile`);
  }
  return [{ key: cached.key, modRevision: cached.revision }];
}

function fenced(why: string): ApiError {
  return new ApiError('Fenced', `the write was refused because its writer no longer leads: ${why}`);
}

import type { Controller, Source } from '@navarch/controller';
import { resourceQuota as quotaKind } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import type { ResourceQuota } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { reconcileQuota } from './reconcile.ts';

/** Has every quota counted when its limits are new, and every few minutes. */
export function resourceQuotaController({ resourceQuotas }: Caches, hands: Hands): Controller {
  const own: Source<ResourceQuota> = { kind: quotaKind, keys: (object) => [keyOf(object)] };
  const countedMs = new Map<string, number>();
  return {
    name: 'resource-quota',
    sources: [own],
    reconcile: async (key, context) => {
      const quota = resourceQuotas.get(key);
      if (quota === undefined) {
        countedMs.delete(key);
        return {};
      }
      const last = countedMs.get(key);
      const plan = reconcileQuota(quota, last === undefined ? undefined : context.now - last);
      const result = await carryOut(hands, plan, context);
      if (plan.writes.length > 0) countedMs.set(key, context.now);
      return result;
    },
  };
}

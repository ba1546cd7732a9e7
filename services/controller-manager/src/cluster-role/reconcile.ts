import { aggregatedRules, clusterRole as clusterRoleKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { ClusterRole } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { nothingToDo, type Plan } from '../plan.ts';

/** A ClusterRole that is put together from others has their rules. `all` holds it, too. */
export function reconcileClusterRole(role: Live<ClusterRole> | undefined, all: readonly ClusterRole[]): Plan {
  if (role === undefined || role.metadata.deletionTimestamp !== '') return nothingToDo;
  const rules = aggregatedRules(role, all);
  if (rules === undefined || equalValues(rules, role.rules)) return nothingToDo;
  const object: ClusterRole = { ...role, rules };
  return { writes: [{ type: 'update', kind: clusterRoleKind, object }], events: [] };
}

import type { Controller, Source } from '@navarch/controller';
import { clusterRole as clusterRoleKind } from '@navarch/kinds';
import type { ClusterRole } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { reconcileClusterRole } from './reconcile.ts';

/** Puts ClusterRoles together from those that their aggregationRules select. A key is a role's name. */
export function clusterRoleController({ clusterRoles }: Caches, hands: Hands): Controller {
  const own: Source<ClusterRole> = {
    kind: clusterRoleKind,
    // Any change may concern any of those that are put together: there are few.
    keys: () =>
      clusterRoles
        .list()
        .filter(({ aggregationRule }) => aggregationRule !== undefined)
        .map(({ metadata }) => metadata.name),
  };
  return {
    name: 'cluster-role-aggregation',
    sources: [own],
    reconcile: (name, context) =>
      carryOut(hands, reconcileClusterRole(clusterRoles.get(name), clusterRoles.list()), context),
  };
}

import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind, persistentVolumeClaim, pod as podKind } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import type { Node, PersistentVolumeClaim, Pod } from '@navarch/proto';
import { byNode, type Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { reconcileClaim } from './reconcile.ts';

/** Looks after claims: what protects them, and what their status says of a node that is gone. */
export function volumeClaimController({ claims, nodes, pods }: Caches, hands: Hands): Controller {
  const nodeExists = (name: string) => nodes.get(name) !== undefined;
  const own: Source<PersistentVolumeClaim> = { kind: persistentVolumeClaim, keys: (object) => [keyOf(object)] };
  // Only claims that wait for their last Pod to go want to hear of Pods.
  const used: Source<Pod> = {
    kind: podKind,
    keys: ({ metadata, spec }) =>
      (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: source }) => {
        const claim = source && claims.get({ namespace: metadata?.namespace ?? '', name: source.claimName });
        return claim === undefined || claim.metadata.deletionTimestamp === '' ? [] : [keyOf(claim)];
      }),
  };
  const home: Source<Node> = {
    kind: nodeKind,
    keys: (object) => {
      const { name } = metadataOf(object);
      const lost = !nodeExists(name);
      return claims
        .byIndex(byNode, name)
        .flatMap((claim) => ((claim.status.phase === 'Lost') === lost ? [] : keyOf(claim)));
    },
  };
  return {
    name: 'volume-claim',
    sources: [own, used, home],
    reconcile: async (key, context) => {
      const claim = claims.get(key);
      if (claim === undefined) return {};
      const { namespace, deletionTimestamp } = claim.metadata;
      const plan = reconcileClaim({ claim, nodeExists, pods: pods.list(namespace) });
      if (deletionTimestamp === '' || plan.writes.length === 0) return carryOut(hands, plan, context);
      // Its data goes with it: a Pod that the caches do not show yet counts, too.
      const { items } = await hands.client.list(podKind, { namespace, signal: context.signal });
      const sure = reconcileClaim({ claim, nodeExists, pods: items });
      if (sure.writes.length === 0) return { againAfterMs: 1_000 };
      return carryOut(hands, sure, context);
    },
  };
}

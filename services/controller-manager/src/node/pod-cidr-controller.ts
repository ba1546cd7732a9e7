import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind } from '@navarch/kinds';
import type { Node } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { assignPodCidrs } from './pod-cidr.ts';

/** Gives Nodes their ranges of Pod addresses. All under one key, so that one decision follows the other. */
export function podCidrController({ nodes }: Caches, hands: Hands, clusterCidr: string): Controller {
  const waiting: Source<Node> = { kind: nodeKind, keys: ({ spec }) => ((spec?.podCidr ?? '') === '' ? ['nodes'] : []) };
  return {
    name: 'pod-cidr',
    sources: [waiting],
    concurrency: 1,
    reconcile: (_, context) => carryOut(hands, assignPodCidrs(nodes.list(), clusterCidr), context),
  };
}

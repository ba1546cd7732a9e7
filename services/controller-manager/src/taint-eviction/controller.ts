import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Metrics } from '@navarch/kit';
import type { Node, Pod } from '@navarch/proto';
import { byNode, type Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { reconcileTaintedNode } from './reconcile.ts';

/** Ends the Pods that don't tolerate their node's NoExecute taints. A key is a node's name. */
export function taintEvictionController({ nodes, pods }: Caches, hands: Hands, metrics: Metrics): Controller {
  const ended = metrics.counter({
    name: 'navarch_taint_evictions_total',
    help: "Pods that were ended because they don't tolerate a taint of their node.",
  });
  const own: Source<Node> = { kind: nodeKind, keys: ({ metadata }) => [metadata?.name ?? ''] };
  // Most Pods change on nodes where there is nothing to do; a node that gets such a taint comes by itself.
  const bound: Source<Pod> = {
    kind: podKind,
    keys: ({ spec }) => {
      const { nodeName = '' } = spec ?? {};
      const taints = nodes.get(nodeName)?.spec.taints ?? [];
      return taints.some(({ effect }) => effect === 'NoExecute') ? [nodeName] : [];
    },
  };
  return {
    name: 'taint-eviction',
    sources: [own, bound],
    reconcile: async (name, context) => {
      const node = nodes.get(name);
      if (node === undefined) return {};
      const plan = reconcileTaintedNode({ node, pods: pods.byIndex(byNode, name) }, context.now);
      const result = await carryOut(hands, plan, context);
      ended.inc(plan.writes.filter(({ type }) => type === 'delete').length);
      return result;
    },
  };
}

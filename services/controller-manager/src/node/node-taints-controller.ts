import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind } from '@navarch/kinds';
import type { Node } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { nothingToDo } from '../plan.ts';
import { taintByCondition } from './taints.ts';

/** Lets new Pods keep off nodes whose conditions, or whose user, say so. */
export function nodeTaintsController({ nodes }: Caches, hands: Hands): Controller {
  const own: Source<Node> = { kind: nodeKind, keys: ({ metadata }) => [metadata?.name ?? ''] };
  return {
    name: 'node-taints',
    sources: [own],
    reconcile: (name, context) => {
      const node = nodes.get(name);
      return carryOut(hands, node === undefined ? nothingToDo : taintByCondition(node), context);
    },
  };
}

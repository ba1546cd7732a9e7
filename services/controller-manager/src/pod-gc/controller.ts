import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Node, Pod } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { collectPods, type PodGarbageSettings } from './reconcile.ts';

const key = 'pods';
const everyMs = 20_000;

/** Looks for Pods that nobody ends any more, every 20 s. */
export function podGarbageController({ pods, nodes }: Caches, hands: Hands, settings: PodGarbageSettings): Controller {
  const goneSinceMs = new Map<string, number>();
  const nodeSource: Source<Node> = { kind: nodeKind, keys: () => [key] };
  // Pods only set the round going once: each of their changes is no reason to look at all.
  const podSource: Source<Pod> = {
    kind: podKind,
    keys: ({ status }) => (status?.phase === 'Failed' || status?.phase === 'Succeeded' ? [key] : []),
  };
  return {
    name: 'pod-garbage-collector',
    sources: [nodeSource, podSource],
    concurrency: 1,
    reconcile: async (_, context) => {
      const all = pods.list();
      const missing = new Set(
        all.map(({ spec }) => spec.nodeName).filter((name) => name !== '' && nodes.get(name) === undefined),
      );
      for (const name of goneSinceMs.keys()) if (!missing.has(name)) goneSinceMs.delete(name);
      for (const name of missing) if (!goneSinceMs.has(name)) goneSinceMs.set(name, context.now);
      const observed = {
        pods: all,
        nodeExists: (name: string) => nodes.get(name) !== undefined,
        nodeGoneForMs: ({ spec }: (typeof all)[number]) =>
          context.now - (goneSinceMs.get(spec.nodeName) ?? context.now),
      };
      return { ...(await carryOut(hands, collectPods(observed, settings), context)), againAfterMs: everyMs };
    },
  };
}

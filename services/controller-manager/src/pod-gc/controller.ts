import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { Node, Pod } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { isOver } from '../pod-state.ts';
import { GoneNodes } from './gone-nodes.ts';
import { collectPods, type PodGarbageSettings } from './reconcile.ts';

const key = 'pods';
const everyMs = 20_000;

/** Looks for Pods that nobody ends any more, every 20 s. */
export function podGarbageController({ pods, nodes }: Caches, hands: Hands, settings: PodGarbageSettings): Controller {
  const gone = new GoneNodes(nodes, hands.client);
  const nodeSource: Source<Node> = { kind: nodeKind, keys: () => [key] };
  // Pods only set the round going once: each of their changes is no reason to look at all.
  const podSource: Source<Pod> = {
    kind: podKind,
    keys: ({ metadata, spec, status }) => {
      const isEndingUnplaced = metadata?.deletionTimestamp !== '' && spec?.nodeName === '';
      return isOver(status?.phase ?? '') || isEndingUnplaced ? [key] : [];
    },
  };
  return {
    name: 'pod-garbage-collector',
    sources: [nodeSource, podSource],
    concurrency: 1,
    reconcile: async (_, context) => {
      const { now, signal } = context;
      const all = pods.list();
      await gone.look(new Set(all.map(({ spec }) => spec.nodeName)), settings.nodeGoneMs, now, signal);
      const observed = {
        pods: all,
        nodeOf: (name: string) => nodes.get(name),
        nodeGoneForMs: (name: string) => gone.forMs(name, now),
      };
      return { ...(await carryOut(hands, collectPods(observed, settings, now), context)), againAfterMs: everyMs };
    },
  };
}

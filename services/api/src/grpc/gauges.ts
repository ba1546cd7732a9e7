import type { Kinds } from '@navarch/kinds';
import type { Metrics } from '@navarch/kit';
import type { ObjectCache } from '../cache/object-cache.ts';

/** Figures that are looked up when somebody asks for them. */
export function registerGauges(
  metrics: Metrics,
  parts: { kinds: Kinds; cache: ObjectCache; events: ObjectCache; watches: () => number; nodes: () => number },
): void {
  const { kinds, cache, events, watches, nodes } = parts;
  metrics.gauge({
    name: 'navarch_api_objects',
    help: 'Objects in the cache, by kind.',
    labelNames: ['resource'],
    collect() {
      // Kinds come and go, and the versions of one are counted once.
      this.reset();
      for (const kind of new Map(kinds.all.toReversed().map((each) => [each.place, each])).values()) {
        const source = kind.storage === 'events' ? events : cache;
        this.set({ resource: kind.resource }, source.count(kind));
      }
    },
  });
  metrics.gauge({
    name: 'navarch_api_history_bytes',
    help: 'What the history of changes takes, for watches.',
    collect() {
      this.set(cache.history.bytes + events.history.bytes);
    },
  });
  metrics.gauge({
    name: 'navarch_api_cache_revision',
    help: 'Everything up to and with this revision is in the cache.',
    collect() {
      this.set(Number(cache.revision));
    },
  });
  metrics.gauge({
    name: 'navarch_api_watches',
    help: 'Watches that are open.',
    collect() {
      this.set(watches());
    },
  });
  metrics.gauge({
    name: 'navarch_api_node_sessions',
    help: 'Node-agents that are connected.',
    collect() {
      this.set(nodes());
    },
  });
}

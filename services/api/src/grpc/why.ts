import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { KindDefinition, Kinds } from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { type WhyRequest, WhyResponse } from '@navarch/proto';
import { kindNamed, namespaceOf, notFound } from '../read/resource-name.ts';
import type { Sources } from '../read/source.ts';
import type { Snapshot } from '../why/snapshot.ts';
import { why } from '../why/why.ts';
import type { Gate } from './allow.ts';
import type { CallMetrics } from './call-metrics.ts';
import { type Freshen, unaryKnowing } from './calls.ts';

/** Of a custom kind, whose versions are kinds of their own, one. */
function keptKinds(kinds: Kinds): readonly KindDefinition[] {
  const stored = kinds.all.filter(({ storage }) => storage === 'store');
  return [...new Map(stored.toReversed().map((kind) => [kind.place, kind])).values()].reverse();
}

/** The handler of Why: all kinds at one revision, which takes one turn of the event loop. */
export function whyHandlers({
  kinds,
  gate,
  fresh,
  sources,
  clock,
  metrics,
}: {
  kinds: Kinds;
  gate: Gate;
  fresh: Freshen;
  sources: Sources;
  clock: Clock;
  metrics: CallMetrics;
}): UntypedServiceImplementation {
  const unary = unaryKnowing(fresh);
  return {
    why: unary('Why', metrics, async (request: WhyRequest, signal, { caller }) => {
      gate.read(caller, 'get', request);
      const kind = kindNamed(kinds, request.resource);
      const namespace = namespaceOf(kind, request.namespace);
      if (request.name === '') throw new ApiError('BadRequest', 'name must be set');
      const source = sources.of(kind);
      await source.fresh(signal);
      const { cache } = source;
      const snapshot: Snapshot = {
        kinds,
        keptKinds: keptKinds(kinds),
        revision: cache.revision,
        get: (each, within, name) => cache.get(each, within, name),
        list: (each, within) => cache.list(each, within),
      };
      const subject = cache.get(kind, namespace, request.name);
      if (subject === undefined) throw notFound(kind, request.name);
      return Buffer.from(WhyResponse.encode(why(subject, snapshot, clock.now())).finish());
    }),
  };
}

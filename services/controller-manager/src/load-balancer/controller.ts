import type { Controller, Source } from '@navarch/controller';
import { node as nodeKind, service as serviceKind } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import type { Node, Service } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { reconcileLoadBalancer } from './reconcile.ts';

/** Says at which addresses each load balancer can be reached. */
export function loadBalancerController({ services, nodes }: Caches, hands: Hands): Controller {
  const own: Source<Service> = { kind: serviceKind, keys: (object) => [keyOf(object)] };
  const everyBalancer: Source<Node> = {
    kind: nodeKind,
    keys: () =>
      services
        .list()
        .filter(({ spec }) => spec.type === 'LoadBalancer')
        .map(keyOf),
  };
  return {
    name: 'load-balancer',
    sources: [own, everyBalancer],
    reconcile: (key, context) => {
      const service = services.get(key);
      if (service === undefined) return Promise.resolve({});
      return carryOut(hands, reconcileLoadBalancer(service, nodes.list()), context);
    },
  };
}

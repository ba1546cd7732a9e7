import type { Controller, Source } from '@navarch/controller';
import { endpointSlice as sliceKind, pod as podKind, service as serviceKind } from '@navarch/kinds';
import { keyOf } from '@navarch/machinery';
import type { EndpointSlice, Pod, Service } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { managedBy, managedByLabel, reconcileEndpointSlices, serviceNameLabel } from './reconcile.ts';

const bySlicedService = 'sliced-service';

/** Keeps each Service's EndpointSlices equal to the Pods that serve it. */
export function endpointSliceController(caches: Caches, hands: Hands): Controller {
  const { services, pods, endpointSlices } = caches;
  endpointSlices.addIndex(bySlicedService, (slice) => slicedService(slice));
  const own: Source<Service> = { kind: serviceKind, keys: (object) => [keyOf(object)] };
  const served: Source<Pod> = {
    kind: podKind,
    keys: (pod) => {
      const { namespace, labels } = metadataOf(pod);
      return services
        .list(namespace)
        .filter(({ spec }) => chooses(spec.selector, labels))
        .map(keyOf);
    },
  };
  const slices: Source<EndpointSlice> = { kind: sliceKind, keys: slicedService };
  return {
    name: 'endpointslice',
    sources: [own, served, slices],
    reconcile: (key, context) => {
      const service = services.get(key);
      // A Service that is gone takes its slices along: they are owned by it.
      if (service === undefined) return Promise.resolve({});
      const chosen = pods
        .list(service.metadata.namespace)
        .filter(({ metadata }) => chooses(service.spec.selector, metadata.labels));
      const present = endpointSlices.byIndex(bySlicedService, key);
      return carryOut(hands, reconcileEndpointSlices({ service, pods: chosen, slices: present }), context);
    },
  };
}

function slicedService(slice: EndpointSlice): readonly string[] {
  const { namespace, labels } = metadataOf(slice);
  const service = labels[serviceNameLabel];
  return service !== undefined && labels[managedByLabel] === managedBy ? [`${namespace}/${service}`] : [];
}

/** A Service without a selector chooses nothing. */
function chooses(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

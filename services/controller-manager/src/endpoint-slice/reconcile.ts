import type { ClientWrite } from '@navarch/client';
import { endpointSlice as sliceKind, service as serviceKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Endpoint, type EndpointSlice, ObjectMeta, type Pod, type Service } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { childNames } from '../child-name.ts';
import { controllerReference } from '../ownership.ts';
import { nothingToDo, type Plan } from '../plan.ts';
import { type PortGroup, portGroups, portsKey } from './endpoints.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedBy = 'endpointslice-controller.navarch.io';

/** Small enough that one Pod's change is a small write, large enough that a large Service isn't thousands of objects. */
const mostEndpoints = 100;

export interface EndpointSliceObserved {
  readonly service: Live<Service>;
  /** The Pods that its selector chooses. */
  readonly pods: readonly Live<Pod>[];
  /** The slices that carry its name and our mark. */
  readonly slices: readonly Live<EndpointSlice>[];
}

/**
 * Brings a Service's EndpointSlices to what its Pods are, with as few changed slices as may be: an endpoint stays where
 * it is, and new ones go where there is room. Slices of Services without a selector are people's own.
 */
export function reconcileEndpointSlices({ service, pods, slices }: EndpointSliceObserved): Plan {
  const { metadata, spec } = service;
  if (spec.type === 'ExternalName' || Object.keys(spec.selector).length === 0) return nothingToDo;
  if (metadata.deletionTimestamp !== '') return nothingToDo;

  const groups = portGroups(service, pods);
  const writes: ClientWrite[] = [];
  const byPorts = Map.groupBy(slices, ({ ports }) => portsKey(ports));
  for (const [key, unneeded] of byPorts) if (!groups.has(key)) writes.push(...unneeded.map(remove));
  // Names in use by slices that are about to go stay in use until they are gone.
  const taken = new Set(slices.map((slice) => slice.metadata.name));
  for (const [key, group] of groups) writes.push(...fillSlices(service, group, byPorts.get(key) ?? [], taken));
  return { writes, events: [] };
}

function fillSlices(
  service: Live<Service>,
  { ports, endpoints }: PortGroup,
  present: readonly Live<EndpointSlice>[],
  taken: Set<string>,
): ClientWrite[] {
  const homeless = new Map(endpoints);
  const kept = present.map((slice) => {
    const stay: Endpoint[] = [];
    for (const { addresses: [ip = ''] = [] } of slice.endpoints) {
      const endpoint = homeless.get(ip);
      if (endpoint === undefined) continue;
      stay.push(endpoint);
      homeless.delete(ip);
    }
    return { slice, endpoints: stay };
  });
  const newcomers = [...homeless.values()].toSorted((a, b) =>
    (a.addresses[0] ?? '') < (b.addresses[0] ?? '') ? -1 : 1,
  );
  // First into slices that are written anyway, then into the fullest with room, so that the others can stay as they are.
  const changed = ({ slice, endpoints: stay }: (typeof kept)[number]) => !equalValues(stay, slice.endpoints);
  const order = kept.toSorted(
    (a, b) => Number(changed(b)) - Number(changed(a)) || b.endpoints.length - a.endpoints.length,
  );
  for (const { endpoints: stay } of order) {
    if (newcomers.length === 0) break;
    stay.push(...newcomers.splice(0, Math.max(0, mostEndpoints - stay.length)));
  }
  const writes = kept.flatMap(({ slice, endpoints: stay }): ClientWrite[] => {
    if (stay.length === 0) return [remove(slice)];
    const object = { ...slice, endpoints: stay };
    return equalValues(stay, slice.endpoints) ? [] : [{ type: 'update', kind: sliceKind, object }];
  });
  while (newcomers.length > 0) {
    const [name = ''] = childNames(service.metadata, 1, taken);
    taken.add(name);
    const object = newSlice(service, name, newcomers.splice(0, mostEndpoints), ports);
    writes.push({ type: 'create', kind: sliceKind, object });
  }
  return writes;
}

function newSlice(
  service: Live<Service>,
  name: string,
  endpoints: Endpoint[],
  ports: PortGroup['ports'],
): EndpointSlice {
  const { metadata, spec } = service;
  const labels = {
    ...metadata.labels,
    [serviceNameLabel]: metadata.name,
    [managedByLabel]: managedBy,
    ...(spec.clusterIp === 'None' && { 'service.kubernetes.io/headless': '' }),
  };
  const ownerReferences = [controllerReference(serviceKind, service)];
  return {
    metadata: ObjectMeta.create({ name, namespace: metadata.namespace, labels, ownerReferences }),
    addressType: 'IPv4',
    endpoints,
    ports: [...ports],
  };
}

function remove({ metadata: { namespace, name, uid } }: Live<EndpointSlice>): ClientWrite {
  return { type: 'delete', kind: sliceKind, key: { namespace, name }, options: { uid } };
}

import { service as serviceKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Node, Service, ServiceStatus } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { conditionOf } from '../conditions.ts';
import { nothingToDo, type Plan } from '../plan.ts';

/** More addresses than this help nobody. */
const mostAddresses = 32;

/** A load balancer's addresses are those of the nodes that are ready: its port is open on each of them. */
export function reconcileLoadBalancer(service: Live<Service>, nodes: readonly Live<Node>[]): Plan {
  const { metadata, spec, status } = service;
  if (metadata.deletionTimestamp !== '') return nothingToDo;
  const balanced = spec.type === 'LoadBalancer';
  const addresses = balanced ? nodes.filter(serves).flatMap(internalIp) : [];
  // When no node is known to be ready, it may be us who don't know: the addresses stay.
  if (balanced && addresses.length === 0) return nothingToDo;
  const ingress = [...new Set(addresses)]
    .toSorted()
    .slice(0, mostAddresses)
    .map((ip) => ({ ip, hostname: '' }));
  if (equalValues(ingress, status.loadBalancer?.ingress ?? [])) return nothingToDo;
  const next: ServiceStatus = { ...status, loadBalancer: { ingress } };
  const object = { ...service, status: next };
  return { writes: [{ type: 'updateStatus', kind: serviceKind, object }], events: [] };
}

function serves({ metadata, status }: Live<Node>): boolean {
  return metadata.deletionTimestamp === '' && conditionOf(status.conditions, 'Ready')?.status === 'True';
}

function internalIp({ status }: Live<Node>): readonly string[] {
  return status.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
}

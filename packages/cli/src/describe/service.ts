import { endpointSlice, service } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { EndpointSlice, Service } from '@navarch/proto';
import type { Session } from '../session.ts';
import { labelsEntry, metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';

export async function describeService(object: Live<Service>, session: Session): Promise<readonly Entry[]> {
  const { metadata, spec, status } = object;
  const { items } = await session.client().list(endpointSlice, {
    namespace: metadata.namespace,
    labelSelector: `kubernetes.io/service-name=${metadata.name}`,
  });
  const entries: Entry[] = [
    ...metadataEntries(service, object),
    labelsEntry('Selector', spec.selector),
    { label: 'Type', value: spec.type ?? 'ClusterIP' },
    { label: 'IP', value: spec.clusterIp || '<none>' },
  ];
  const ingress = status.loadBalancer?.ingress ?? [];
  if (ingress.length > 0) {
    entries.push({ label: 'LoadBalancer Ingress', lines: ingress.map(({ ip, hostname }) => ip || hostname) });
  }
  for (const { name, port, protocol = 'TCP', targetPort, nodePort } of spec.ports) {
    const unnamed = name || '<unset>';
    entries.push({ label: 'Port', value: `${unnamed}  ${port}/${protocol}` });
    entries.push({ label: 'TargetPort', value: `${String(targetPort)}/${protocol}` });
    if (nodePort !== 0) entries.push({ label: 'NodePort', value: `${unnamed}  ${nodePort}/${protocol}` });
    entries.push({ label: 'Endpoints', value: addresses(items, name) || '<none>' });
  }
  entries.push({ label: 'Session Affinity', value: spec.sessionAffinity ?? 'None' });
  return entries;
}

function addresses(slices: readonly Live<EndpointSlice>[], portName: string): string {
  return slices
    .flatMap(({ endpoints, ports }) =>
      ports
        .filter(({ name }) => name === portName)
        .flatMap(({ port }) =>
          endpoints
            .filter(({ conditions }) => conditions?.ready !== false)
            .flatMap((endpoint) => endpoint.addresses.slice(0, 1).map((address) => `${address}:${port}`)),
        ),
    )
    .join(',');
}

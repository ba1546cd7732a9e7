import { Service } from '@navarch/proto';
import { labelsText, none, orNone } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { validateService, validateServiceUpdate } from './service-rules.ts';

export const service = defineKind('service', Service, {
  group: '',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  nameFormat: 'label1035',
  columns: [
    { title: 'TYPE', value: ({ spec }) => spec?.type ?? 'ClusterIP' },
    { title: 'CLUSTER-IP', value: ({ spec }) => orNone(spec?.clusterIp ?? '') },
    { title: 'EXTERNAL-IP', value: externalIp },
    { title: 'PORT(S)', value: portsText },
    { title: 'SELECTOR', wide: true, value: ({ spec }) => labelsText(spec?.selector) },
  ],
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIp ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  complete: ({ spec }) => {
    for (const port of spec?.ports ?? []) {
      const says = port.targetPort !== undefined && port.targetPort !== 0 && port.targetPort !== '';
      // A port that can't be is reported once, not here too.
      if (!says && port.port <= 65_535) port.targetPort = port.port;
    }
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  example: 'kinds/service.yaml',
});

function externalIp({ spec, status }: Service): string {
  if (spec?.type === 'ExternalName') return orNone(spec.externalName);
  if (spec?.type !== 'LoadBalancer') return none;
  const ingress = status?.loadBalancer?.ingress ?? [];
  return ingress.map(({ ip, hostname }) => ip || hostname).join(',') || '<pending>';
}

function portsText({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol = 'TCP' }) =>
    nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  );
  return orNone(ports.join(','));
}

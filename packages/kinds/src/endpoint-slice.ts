import { isIP } from 'node:net';
import { EndpointSlice } from '@navarch/proto';
import { none } from './columns.ts';
import { defineKind } from './define-kind.ts';

export const endpointSlice = defineKind('endpointSlice', EndpointSlice, {
  group: 'discovery.k8s.io',
  plural: 'endpointslices',
  columns: [
    { title: 'ADDRESSTYPE', value: ({ addressType }) => addressType ?? 'IPv4' },
    {
      title: 'PORTS',
      value: ({ ports }) =>
        some(
          ports.map(({ port }) => String(port)),
          '<unset>',
        ),
    },
    {
      title: 'ENDPOINTS',
      value: ({ endpoints }) =>
        some(
          endpoints.flatMap(({ addresses }) => addresses),
          '<unset>',
        ),
    },
  ],
  selectableFields: { addressType: ({ addressType }) => addressType ?? '' },
  validate: ({ addressType, endpoints }) => {
    const version = addressType === 'IPv6' ? 6 : 4;
    if (addressType === 'FQDN') return [];
    return endpoints.flatMap(({ addresses }, index) =>
      addresses
        .filter((address) => isIP(address) !== version)
        .map((address) => ({
          path: `endpoints[${index}].addresses`,
          message: `"${address}" must be an ${addressType} address`,
        })),
    );
  },
  example: 'kinds/endpointslice.yaml',
});

/** The first three, and how many more there are. */
function some(texts: readonly string[], whenEmpty = none): string {
  if (texts.length === 0) return whenEmpty;
  const shown = texts.slice(0, 3).join(',');
  return texts.length > 3 ? `${shown} + ${texts.length - 3} more...` : shown;
}

import { configMap, secret } from '@navarch/kinds';
import type { ConfigMap, Secret } from '@navarch/proto';
import { metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';

export function describeConfigMap(object: ConfigMap): readonly Entry[] {
  return [
    ...metadataEntries(configMap, object),
    { label: 'Data', entries: Object.entries(object.data).map(([label, value]) => ({ label, value })) },
    { label: 'BinaryData', entries: byteCounts(object.binaryData) },
  ];
}

/** Values stay secret: only their sizes are shown. */
export function describeSecret(object: Secret): readonly Entry[] {
  return [
    ...metadataEntries(secret, object),
    { label: 'Type', value: object.type ?? 'Opaque' },
    { label: 'Data', entries: byteCounts(object.data) },
  ];
}

function byteCounts(data: Readonly<Record<string, Uint8Array>>): readonly Entry[] {
  return Object.entries(data).map(([label, value]) => ({ label, value: `${value.length} bytes` }));
}

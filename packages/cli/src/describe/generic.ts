import { type KindDefinition, manifest } from '@navarch/kinds';
import type { Json, KubeObject, MessageSchema } from '@navarch/machinery';
import type { Entry } from './outline.ts';

/** Where kubectl kept what it applied; long, and said again by the rest of the page. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** What every page begins with. */
export function metadataEntries(kind: KindDefinition, { metadata }: KubeObject): readonly Entry[] {
  const entries: Entry[] = [{ label: 'Name', value: metadata?.name ?? '' }];
  if (kind.scope === 'Namespaced') entries.push({ label: 'Namespace', value: metadata?.namespace ?? '' });
  entries.push(labelsEntry('Labels', metadata?.labels), annotationsEntry(metadata?.annotations));
  return entries;
}

/** The rest of a page from the schema: every field that is set, by its name in words. */
export function genericEntries(kind: KindDefinition, object: KubeObject): readonly Entry[] {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = manifest(kind, object);
  const {
    name: _name,
    namespace: _namespace,
    labels: _labels,
    annotations: _annotations,
    managedFields: _managedFields,
    ...rest
  } = (metadata ?? {}) as Record<string, Json>; // a message, and so an object
  const schema = kind.schema;
  return [
    { label: 'API Version', value: kind.apiVersion },
    { label: 'Kind', value: kind.kind },
    { label: 'Metadata', entries: entriesOf(rest, schema.byJsonName.get('metadata')?.message) },
    ...entriesOf(fields, schema),
  ];
}

function entriesOf(json: Record<string, Json>, schema: MessageSchema | undefined): readonly Entry[] {
  return Object.entries(json).map(([name, value]) =>
    entryOf(schema === undefined ? name : words(name), value, schema?.byJsonName.get(name)?.message),
  );
}

function entryOf(label: string, value: Json, schema: MessageSchema | undefined): Entry {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) return { label, lines: value.map(String) };
    const entries = value.map((item, index) => entryOf(String(index + 1), item, schema));
    return { label, entries };
  }
  if (typeof value === 'object' && value !== null) return { label, entries: entriesOf(value, schema) };
  return { label, value: String(value) };
}

export function labelsEntry(label: string, labels: Readonly<Record<string, string>> | undefined): Entry {
  return { label, lines: Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`) };
}

export function annotationsEntry(annotations: Readonly<Record<string, string>> | undefined): Entry {
  const shown = Object.entries(annotations ?? {}).filter(([key]) => key !== lastApplied);
  return { label: 'Annotations', lines: shown.map(([key, value]) => `${key}: ${value}`) };
}

/** 'leaseDurationSeconds' is 'Lease Duration Seconds', 'podCIDR' is 'Pod CIDR'. */
function words(name: string): string {
  const spaced = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2');
  return spaced.slice(0, 1).toUpperCase() + spaced.slice(1);
}

import { builtinKinds, fromResource, type KindDefinition, toResource } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { PodStatus, Resource } from '@navarch/proto';
import type { StoreEvent } from '@navarch/store';
import type { Key, Version } from './history.ts';

const byKey = 'checker/by';
const countKey = 'checker/count';
const colorKey = 'color';

/** The kind, namespace and name in a key. */
export function partsOf(key: Key): { kind: KindDefinition; resource: string; namespace: string; name: string } {
  const [resource = '', path = ''] = key.split(' ');
  const [namespace = '', name = ''] = path.split('/');
  const kind = builtinKinds.byResource(resource);
  if (kind === undefined) throw new Error(`there is no kind ${resource}`);
  return { kind, resource, namespace, name };
}

/** What a write puts into an object; the number only where there is one. */
export interface Marks {
  readonly by: string;
  readonly count?: number;
  readonly color: string;
}

/** The manifest of an object that bears marks. */
export function manifestOf(key: Key, marks: Marks): Record<string, unknown> {
  const { kind, namespace, name } = partsOf(key);
  return {
    apiVersion: 'v1',
    kind: kind.kind,
    metadata: { ...(name.endsWith('-') ? { generateName: name } : { name }), namespace, ...metadataOf(marks) },
    ...(kind.plural === 'pods' ? { spec: { containers: [{ name: 'web', image: 'nginx' }] } } : {}),
    ...(kind.plural === 'services' ? { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } } : {}),
  };
}

/** The metadata that a write sets: in a manifest or in a patch. */
export function metadataOf({ by, count, color }: Marks): object {
  const annotations = { [byKey]: by, ...(count === undefined ? {} : { [countKey]: String(count) }) };
  return { annotations, labels: { [colorKey]: color } };
}

export function resourceOf(key: Key, marks: Marks): Resource {
  const { kind } = partsOf(key);
  return toResource(kind, kind.message.fromJSON(manifestOf(key, marks)));
}

/** An object with other marks, and everything else as it was. */
export function remarked(resource: Resource, marks: Marks): Resource {
  const copy = Resource.decode(Resource.encode(resource).finish());
  const { metadata } = fromResource(copy, builtinKinds).object;
  if (metadata === undefined) throw new Error('an object without metadata');
  metadata.annotations[byKey] = marks.by;
  if (marks.count !== undefined) metadata.annotations[countKey] = String(marks.count);
  metadata.labels[colorKey] = marks.color;
  return copy;
}

/** A Pod with another word in its status. */
export function statusRemarked(resource: Resource, by: string): Resource {
  const copy = Resource.decode(Resource.encode(resource).finish());
  if (copy.object?.$case !== 'pod') throw new Error('only Pods have a status to mark');
  const pod = copy.object.value;
  pod.status = { ...(pod.status ?? PodStatus.fromJSON({})), message: by };
  return copy;
}

export function versionOf(resource: Resource): Version {
  const { kind, object } = fromResource(resource, builtinKinds);
  return versionOfObject(kind, object, resource.revision);
}

export function versionOfObject(kind: KindDefinition, { metadata, ...rest }: KubeObject, revision: bigint): Version {
  // Only Pods are marked so.
  const status = 'status' in rest ? (rest.status as { message?: string } | undefined) : undefined;
  return {
    key: `${kind.plural} ${metadata?.namespace}/${metadata?.name}`,
    revision,
    gone: false,
    by: metadata?.annotations[byKey] ?? '',
    statusBy: kind.plural === 'pods' ? (status?.message ?? '') : '',
    count: Number(metadata?.annotations[countKey] ?? 0),
    color: metadata?.labels[colorKey] ?? '',
  };
}

/** Turns etcd's events into versions: what is stored is an envelope of one byte, and a Resource without its revision. */
export class TruthReader {
  readonly #kinds: ReadonlySet<string>;
  readonly #last = new Map<string, Version>();

  constructor(kinds: readonly string[]) {
    this.#kinds = new Set(kinds);
  }

  read(event: StoreEvent): Version | undefined {
    const path = event.type === 'put' ? event.entry.key : event.key;
    const [, , group = '', plural = '', namespace = '', name = ''] = path.split('/');
    if (group !== 'core' || !this.#kinds.has(plural)) return undefined;
    const key = `${plural} ${namespace}/${name}`;
    const last = this.#last.get(key);
    if (event.type === 'delete') {
      if (last === undefined) throw new Error(`etcd deleted ${key}, which was never there`);
      this.#last.delete(key);
      return { ...last, revision: event.modRevision, gone: true };
    }
    const version = { ...versionOf(Resource.decode(event.entry.value.subarray(1))), revision: event.entry.modRevision };
    if (version.key !== key) throw new Error(`etcd keeps ${version.key} under the key of ${key}`);
    this.#last.set(key, version);
    return version;
  }
}

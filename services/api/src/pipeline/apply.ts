import { type Kinds, manifest } from '@navarch/kinds';
import { type JsonObject, threeWayMerge } from '@navarch/machinery';
import type { ApplyRequest, ObjectMeta } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { createWrite } from './create.ts';
import { copyOf, current } from './current.ts';
import { normalize } from './incoming.ts';
import { lastAppliedKey, recall, remember } from './last-applied.ts';
import { objectFromManifest, parseJson } from './manifest-json.ts';
import type { WritableObject } from './object-rules.ts';
import { prepareChange } from './update.ts';
import type { Write } from './write.ts';

/** Makes an object, or brings it to what its manifest says; decided anew when somebody else makes or removes it meanwhile. */
export function applyWrite(
  kinds: Kinds,
  { manifest: text, namespace }: Pick<ApplyRequest, 'manifest' | 'namespace'>,
): Write {
  const decoded = objectFromManifest(kinds, parseJson(text, 'manifest'));
  const { kind } = decoded;
  const metadata = decoded.object.metadata;
  if (metadata?.namespace === '' && kind.scope === 'Namespaced') metadata.namespace = namespace || 'default';
  const { object, revision } = normalize(kind, decoded.object, 0n);
  // A manifest that was read from the api holds what only the api sets: ignored here as everywhere.
  const wanted: WritableObject = { ...object, metadata: { ...object.metadata, ...unset } };
  if (kind.hasStatus) wanted.status = undefined;
  delete wanted.metadata.annotations[lastAppliedKey];
  const desired = manifest(kind, wanted);
  const remembered = remember(kind, desired);
  const { name } = wanted.metadata;
  const create = createWrite({ kind, revision: 0n, object: remembering(wanted, remembered) });
  return {
    ...create,
    prepare: (circumstances) => {
      if (name === '' || circumstances.view.get(kind, wanted.metadata.namespace, name) === undefined) {
        return create.prepare(circumstances);
      }
      const cached = current(circumstances.view, kind, {
        namespace: wanted.metadata.namespace,
        name,
        revision,
        uid: '',
      });
      const merged = objectFromManifest(kinds, merge(cached, desired)).object;
      const next = { ...merged, metadata: merged.metadata ?? wanted.metadata };
      return prepareChange(circumstances, cached, {
        ...remembering(next, remembered),
        ...(kind.hasStatus ? { status: copyOf(cached).status } : {}),
      });
    },
  };
}

/** Fields of metadata that a manifest can't decide. */
const unset: Pick<
  ObjectMeta,
  'uid' | 'generation' | 'creationTimestamp' | 'deletionTimestamp' | 'deletionGracePeriodSeconds' | 'resourceVersion'
> = {
  uid: '',
  generation: 0,
  creationTimestamp: '',
  deletionTimestamp: '',
  deletionGracePeriodSeconds: undefined,
  resourceVersion: '',
};

function merge(cached: CachedObject, desired: JsonObject): JsonObject {
  const { kind, object } = cached;
  const live = manifest(kind, object);
  return threeWayMerge(recall(object.metadata), live, desired, kind.schema);
}

function remembering(object: WritableObject, text: string): WritableObject {
  const annotations = { ...object.metadata.annotations, [lastAppliedKey]: text };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

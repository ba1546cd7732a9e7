/** For tests of links: a state made of manifests, and a step on it. */
import { builtinKinds, type KindDefinition } from '@navarch/kinds';
import { isApiError } from '@navarch/machinery';
import { CachedObject } from '../../cache/cached-object.ts';
import { storageKey } from '../../storage/keys.ts';
import { encodeBody, type WritableObject } from '../object-rules.ts';
import { ServiceNetwork } from '../service-network.ts';
import type { Circumstances, View } from '../write.ts';
import type { Step } from './link.ts';
import { usualTolerationSeconds } from './tolerations.ts';

export type Manifest = Readonly<Record<string, unknown>>;

export function decoded(manifest: Manifest): { kind: KindDefinition; object: WritableObject } {
  const { apiVersion, kind: name, metadata, ...fields } = manifest;
  const kind = builtinKinds.byApiVersion(String(apiVersion), String(name));
  if (kind === undefined) throw new Error(`no kind ${String(apiVersion)} ${String(name)}`);
  const namespace = kind.scope === 'Namespaced' ? { namespace: 'default' } : {};
  const object = kind.message.fromJSON({ ...fields, metadata: { ...namespace, ...(metadata as object) } });
  return { kind, object: object as WritableObject }; // metadata is given
}

export function cached(manifest: Manifest, revision = 5n): CachedObject {
  const { kind, object } = decoded(manifest);
  const { namespace, name } = object.metadata;
  const about = { kind, key: storageKey(kind, { namespace, name }), namespace, name, revision };
  return new CachedObject(about, encodeBody(kind, object));
}

export function viewOf(...manifests: readonly Manifest[]): View {
  const objects = manifests.map((manifest) => cached(manifest));
  const of = (kind: KindDefinition) => objects.filter((object) => object.kind.resource === kind.resource);
  return {
    get: (kind, namespace, name) => of(kind).find((each) => each.namespace === namespace && each.name === name),
    written: () => false,
    room: () => ({ requested: {}, hostPorts: new Map() }),
    revision: 5n,
    list: (kind, namespace = '') => of(kind).filter((each) => namespace === '' || each.namespace === namespace),
  };
}

export function step(view: View, manifest: Manifest, before?: Manifest): Step {
  const { kind, object } = decoded(manifest);
  const circumstances: Circumstances = {
    view,
    kinds: builtinKinds,
    pressure: undefined,
    now: '2026-01-01T00:00:00Z',
    random: () => 0.5,
    program: '',
    tolerationSeconds: usualTolerationSeconds,
    serviceNetwork: new ServiceNetwork({ text: '10.96.0.0/16', address: '10.96.0.0', prefixLength: 16, family: 4 }),
  };
  return { circumstances, kind, next: object, previous: before === undefined ? undefined : cached(before) };
}

/** What a link refuses a step with; undefined when it doesn't. */
export function refusalOf(run: () => unknown): { reason: string; message: string } | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!isApiError(error)) throw error;
    const { reason, message } = error;
    return { reason, message };
  }
}

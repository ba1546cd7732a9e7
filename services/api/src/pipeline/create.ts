import { namespace as namespaceKind } from '@navarch/kinds';
import { ApiError, generatedName } from '@navarch/machinery';
import type { Namespace } from '@navarch/proto';
import type { Compare } from '@navarch/store';
import { describe } from '../read/resource-name.ts';
import { seal } from '../storage/envelope.ts';
import { storageKey } from '../storage/keys.ts';
import { admit } from './admission.ts';
import type { Incoming } from './incoming.ts';
import { complete, encodeBody, objectErrors, refuse, type WritableObject } from './object-rules.ts';
import { uidFrom } from './uid.ts';
import type { Circumstances, Prepared, View, Write } from './write.ts';

/** As Kubernetes does. */
const mostNamesTried = 8;

/** A new object. Its name is given, or made from generateName; the api sets what only it may set. */
export function createWrite({ kind, object, revision }: Incoming): Write {
  const { namespace, name, generateName } = object.metadata;
  if (revision !== 0n) {
    throw new ApiError('BadRequest', 'metadata.resourceVersion must not be set on an object that is to be created');
  }
  return {
    kind,
    namespace,
    name: name || generateName,
    prepare: (circumstances) => {
      const { view, random, now } = circumstances;
      const named = name === '' && generateName !== '' ? freeName(view, kind, object, random) : name;
      const next: WritableObject = {
        ...object,
        metadata: {
          ...object.metadata,
          name: named,
          uid: uidFrom(random),
          generation: 1,
          creationTimestamp: now,
          deletionTimestamp: '',
          deletionGracePeriodSeconds: undefined,
        },
      };
      // Status is what is seen, and of a new object nothing has been seen yet.
      if (kind.hasStatus) next.status = undefined;
      complete(kind, next);
      const key = storageKey(kind, { namespace, name: named });
      const home = homeCompare(view, kind, namespace);
      if (view.get(kind, namespace, named) !== undefined) {
        throw new ApiError('AlreadyExists', `${describe(kind, namespace, named)} already exists`);
      }
      const errors = objectErrors(kind, next);
      refuse(kind, next.metadata, errors);
      const admitted = admit(circumstances, kind, next, undefined);
      const body = encodeBody(kind, next);
      return {
        key,
        compare: [{ key, modRevision: 0n }, ...home, ...admitted.compare],
        ops: [{ type: 'put', key, value: seal(body) }, ...admitted.ops],
        body,
        revision: 0n,
        gone: false,
        created: true,
      } satisfies Prepared;
    },
  };
}

/** The namespace must be there and stay as it is, so that nothing is made in one that is being emptied. */
function homeCompare(view: View, kind: Incoming['kind'], namespace: string): readonly Compare[] {
  if (kind.scope === 'Cluster') return [];
  const home = view.get(namespaceKind, '', namespace);
  if (home === undefined) {
    throw new ApiError(
      'NotFound',
      `namespace "${namespace}" not found: create it first, or name another in metadata.namespace`,
    );
  }
  const { metadata, status } = home.object as Namespace; // the cache decodes a kind's objects with its message
  if (metadata?.deletionTimestamp !== '' || status?.phase === 'Terminating') {
    throw new ApiError('Forbidden', `namespace "${namespace}" is being deleted: nothing can be created in it`);
  }
  return kind.storage === 'store' ? [{ key: home.key, modRevision: home.revision }] : [];
}

/** A name that is free here may be taken by the time of the commit: then the write is prepared again, with other names. */
function freeName(view: View, kind: Incoming['kind'], object: WritableObject, random: Circumstances['random']): string {
  const { namespace, generateName } = object.metadata;
  for (let tries = 0; tries < mostNamesTried; tries++) {
    const name = generatedName(generateName, random);
    if (view.get(kind, namespace, name) === undefined) return name;
  }
  throw new ApiError(
    'AlreadyExists',
    `each of ${mostNamesTried} names made from metadata.generateName "${generateName}" is taken: try again, or use another prefix`,
  );
}

import { ApiError, generatedName } from '@navarch/machinery';
import { describe } from '../read/resource-name.ts';
import { seal } from '../storage/envelope.ts';
import { storageKey } from '../storage/keys.ts';
import { complete, judge } from './admission/chain.ts';
import type { Incoming } from './incoming.ts';
import { encodeBody, type WritableObject } from './object-rules.ts';
import { type OwnersOf, ownersOfNew } from './owners.ts';
import { uidFrom } from './uid.ts';
import type { Circumstances, Prepared, View, Write } from './write.ts';

/** As Kubernetes does. */
const mostNamesTried = 8;

/**
 * A new object. Its name is given, or made from generateName; the api sets what only it may set. `owners` says who has which
 * of its fields: what it was made with is its maker's, unless that is told otherwise.
 */
export function createWrite(
  { kind, object, revision, manager }: Incoming,
  owners: OwnersOf = ownersOfNew(kind, object, manager),
): Write {
  const { namespace, name, generateName } = object.metadata;
  if (revision !== 0n) {
    throw new ApiError('BadRequest', 'metadata.resourceVersion must not be set on an object that is to be created');
  }
  // Of all tries of the write: completing the object may have put it into its parts (a Job's selector).
  let uid: string | undefined;
  return {
    kind,
    namespace,
    name: name || generateName,
    prepare: (circumstances) => {
      const { view, random, now } = circumstances;
      const named = name === '' && generateName !== '' ? freeName(view, kind, object, random) : name;
      uid ??= uidFrom(random);
      const next: WritableObject = {
        ...object,
        metadata: {
          ...object.metadata,
          name: named,
          uid,
          generation: 1,
          creationTimestamp: now,
          deletionTimestamp: '',
          deletionGracePeriodSeconds: undefined,
          managedFields: owners(circumstances),
        },
      };
      // Status is what is seen, and of a new object nothing has been seen yet.
      if (kind.hasStatus) next.status = undefined;
      const step = { circumstances, kind, next, previous: undefined };
      const completed = complete(step);
      const key = storageKey(kind, { namespace, name: named });
      if (view.get(kind, namespace, named) !== undefined) {
        throw new ApiError('AlreadyExists', `${describe(kind, namespace, named)} already exists`);
      }
      const { compare, ops, others, taking } = judge(step, completed);
      const body = encodeBody(kind, next);
      return {
        key,
        compare: [{ key, modRevision: 0n }, ...compare],
        ops: [{ type: 'put', key, value: seal(body) }, ...ops],
        others,
        ...(taking && { taking }),
        body,
        revision: 0n,
        gone: false,
        created: true,
      } satisfies Prepared;
    },
  };
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

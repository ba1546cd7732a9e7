import { isDeepStrictEqual } from 'node:util';
import { type KindDefinition, type Kinds, manifest } from '@navarch/kinds';
import {
  ApiError,
  type FieldConflict,
  fieldsOf,
  type Json,
  type JsonObject,
  newManager,
  readManagers,
  serverSideApply,
  shapeOf,
  statedForm,
  writeManagers,
} from '@navarch/machinery';
import type { ApplyRequest } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { describe } from '../read/resource-name.ts';
import { createWrite } from './create.ts';
import { copyOf, current, leftAsItIs } from './current.ts';
import type { FieldPolicy } from './field-policy.ts';
import { normalize } from './incoming.ts';
import { objectFromManifest, parseJson } from './manifest-json.ts';
import { type Author, checkManager, ownable, writerOf } from './owners.ts';
import { prepareChange } from './update.ts';
import { doorOf } from './door.ts';
import type { Write } from './write.ts';

/** What an apply says, beyond the manifest. */
export type ApplyFields = Pick<ApplyRequest, 'manifest' | 'namespace' | 'fieldManager' | 'force' | 'subresource'>;

/**
 * Makes an object, or brings the fields of its manifest to what that says; decided anew when somebody else makes, changes or
 * removes it meanwhile.
 */
export function applyWrite(kinds: Kinds, request: ApplyFields, policy: FieldPolicy): Write {
  const raw = parseJson(request.manifest, 'manifest', policy);
  const decoded = objectFromManifest(kinds, raw, policy);
  const { kind } = decoded;
  const author: Author = {
    manager: checkManager(request.fieldManager),
    subresource: doorOf(kind, request.subresource),
  };
  const { metadata } = decoded.object;
  if (metadata?.namespace === '' && kind.scope === 'Namespaced') metadata.namespace = request.namespace || 'default';
  const { object, revision } = normalize(kind, decoded.object, 0n);
  const { namespace, name } = object.metadata;
  // A manifest that was read from the api holds what only the api sets: ignored here as everywhere.
  const wanted = ownable(statedForm(raw, manifest(kind, object)) as JsonObject, author.subresource); // of an object
  const fields = fieldsOf(shapeOf(kind.schema), wanted);
  const create = createWrite({ kind, revision: 0n, object, manager: '' }, (circumstances) =>
    writeManagers([newManager(writerOf(author, kind, circumstances), 'Apply', fields)]),
  );
  return {
    kind,
    namespace,
    name: create.name,
    prepare: (circumstances) => {
      const isThere = name !== '' && circumstances.view.get(kind, namespace, name) !== undefined;
      if (!isThere && author.subresource === '') return create.prepare(circumstances);
      const cached = current(circumstances.view, kind, { namespace, name, revision, uid: '' });
      const live = manifest(kind, cached.object);
      const {
        object: merged,
        managers,
        conflicts,
      } = serverSideApply(
        shapeOf(kind.schema),
        {
          live,
          wanted,
          managers: readManagers(cached.object.metadata.managedFields),
        },
        {
          writer: writerOf(author, kind, circumstances),
          force: request.force,
          normal: (json) => normalForm(kinds, kind, json, policy),
        },
      );
      if (conflicts.length > 0) throw conflict(cached, conflicts);
      const owners = writeManagers(managers);
      // What the api still has to do for the object, such as counting for a quota, would not be this apply's change.
      if (isDeepStrictEqual(merged, live) && isDeepStrictEqual(owners, cached.object.metadata.managedFields)) {
        return leftAsItIs(cached);
      }
      const next = objectFromManifest(kinds, merged, policy).object;
      const copy = copyOf(cached);
      const proposed =
        author.subresource === 'status'
          ? { ...copy, status: next.status }
          : { ...next, metadata: next.metadata ?? copy.metadata, ...(kind.hasStatus ? { status: copy.status } : {}) };
      return prepareChange(circumstances, cached, proposed, owners);
    },
  };
}

function normalForm(kinds: Kinds, kind: KindDefinition, json: Json, policy: FieldPolicy): Json {
  const { object } = objectFromManifest(kinds, json, policy);
  return manifest(kind, object);
}

const conflictsShown = 20;

function conflict({ kind, namespace, name }: CachedObject, conflicts: readonly FieldConflict[]): ApiError {
  const shown = conflicts.slice(0, conflictsShown);
  const setBy = ({ owner: { manager, operation, time } }: FieldConflict) =>
    `was set by "${manager}" (${operation}, ${time})`;
  const list = shown.map((each) => `${each.path} ${setBy(each)}`).join('; ');
  const more = conflicts.length > shown.length ? `; and ${conflicts.length - shown.length} more` : '';
  return new ApiError(
    'Conflict',
    `${describe(kind, namespace, name)} has other values than the manifest in fields that others look after: ${list}${more}. ` +
      'Drop these fields from the manifest to leave them to their managers, or take them over with force (--force-conflicts)',
    {
      fields: shown.map((each) => ({
        path: each.path,
        message: `${setBy(each)}; drop it from the manifest, or take it with force (--force-conflicts)`,
      })),
    },
  );
}

import { type KindDefinition, manifest } from '@navarch/kinds';
import {
  ApiError,
  fieldsOf,
  type JsonObject,
  managersAfterUpdate,
  newManager,
  readManagers,
  shapeOf,
  type Writer,
  writeManagers,
} from '@navarch/machinery';
import type { ManagedFieldsEntry } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import type { WritableObject } from './object-rules.ts';
import type { Circumstances } from './write.ts';

/** Who makes a write, and through which door. */
export interface Author {
  /** The name that a program gives itself; '' when it gives none. */
  readonly manager: string;
  readonly subresource: '' | 'status';
  /** A door to a part of spec. What it changes is owned as all of spec is, under the door's name. */
  readonly door?: Door | undefined;
}

export type Door = 'ephemeralcontainers';

/** Who has which fields of a new object, when it is made. */
export type OwnersOf = (circumstances: Circumstances) => ManagedFieldsEntry[];

export const nobody: Author = { manager: '', subresource: '' };

const longestManager = 128;

/** Throws BadRequest for a name that would not read well in an error. */
export function checkManager(manager: string): string {
  if (manager.length > longestManager || /[^\x20-\x7e]/.test(manager)) {
    throw new ApiError('BadRequest', `field_manager must be at most ${longestManager} printable ASCII characters`);
  }
  return manager;
}

/** Fields of metadata that only the api sets, or that name the object. */
const unowned = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
] as const;

/** What of a manifest can have an owner, seen through one door. */
export function ownable(json: JsonObject, subresource: Author['subresource']): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, status, ...content } = json;
  if (subresource === 'status') return status === undefined ? {} : { status };
  const fields = { ...(metadata as JsonObject | undefined) }; // every manifest's metadata is an object
  for (const name of unowned) delete fields[name];
  return Object.keys(fields).length === 0 ? content : { metadata: fields, ...content };
}

export function writerOf(
  { manager, subresource, door }: Author,
  { apiVersion }: KindDefinition,
  { now, program }: Pick<Circumstances, 'now' | 'program'>,
): Writer {
  return { manager: manager || program, subresource: door ?? subresource, apiVersion, now };
}

/**
 * Who has which fields of a new object: its maker everything that the maker said, as `object` says it now. Nobody keeps
 * account of what is made without a name: most objects are made by controllers, and never asked about.
 */
export function ownersOfNew(kind: KindDefinition, object: WritableObject, manager: string): OwnersOf {
  if (manager === '') return () => [];
  const fields = fieldsOf(shapeOf(kind.schema), ownable(manifest(kind, object), ''));
  const author = { manager, subresource: '' } as const;
  return (circumstances) => writeManagers([newManager(writerOf(author, kind, circumstances), 'Update', fields)]);
}

/** Who has which fields after a write that was no apply. Costs nothing for an object of which nobody keeps account. */
export function ownersAfter(
  cached: CachedObject,
  next: WritableObject,
  author: Author,
  circumstances: Circumstances,
): ManagedFieldsEntry[] {
  const { kind, object } = cached;
  const entries = object.metadata.managedFields;
  if (entries.length === 0 && author.manager === '') return [];
  const step = {
    before: ownable(manifest(kind, object), author.subresource),
    after: ownable(manifest(kind, next), author.subresource),
  };
  const writer = writerOf(author, kind, circumstances);
  return writeManagers(managersAfterUpdate(readManagers(entries), writer, shapeOf(kind.schema), step));
}

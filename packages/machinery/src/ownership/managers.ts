import type { ManagedFieldsEntry } from '@navarch/proto';
import type { Json } from '../encode.ts';
import { type Change, compare } from './compare.ts';
import { type FieldSet, fieldsFromJson, fieldsToJson, isEmpty, outside, sameFields, union } from './field-set.ts';
import type { Shape } from './shape.ts';

/** Who writes, and through which door. */
export interface Writer {
  /** '' counts as "unknown". */
  readonly manager: string;
  readonly subresource: '' | 'status' | 'ephemeralcontainers';
  readonly apiVersion: string;
  /** RFC 3339. */
  readonly now: string;
}

/** One manager's fields. */
export interface ManagedFields {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

/** A writer that gives itself no name. */
export const unknownManager = 'unknown';

/** So many managers that have updated an object are told apart; older ones become one. As in Kubernetes. */
const maxUpdaters = 10;
const formerManagers = 'ancient-changes';

export function readManagers(entries: readonly ManagedFieldsEntry[]): ManagedFields[] {
  return entries.map((entry) => ({ entry, fields: fieldsFromJson(entry.fieldsV1 as Json) })); // it came from JSON
}

/** Entries whose fields are as before keep their time, so that what changes nothing writes nothing. */
export function writeManagers(managers: readonly ManagedFields[]): ManagedFieldsEntry[] {
  return managers.filter(({ fields }) => !isEmpty(fields)).map(({ entry }) => entry);
}

export function isBy(entry: ManagedFieldsEntry, operation: 'Apply' | 'Update', writer: Writer): boolean {
  const { manager, subresource } = writer;
  return (
    entry.manager === (manager || unknownManager) && entry.operation === operation && entry.subresource === subresource
  );
}

/** The manager with other fields; as it is, when they are the same. */
export function withFields(managed: ManagedFields, fields: FieldSet, now: string): ManagedFields {
  if (sameFields(managed.fields, fields)) return managed;
  return { fields, entry: { ...managed.entry, time: now, fieldsV1: fieldsToJson(fields) } };
}

export function newManager(writer: Writer, operation: 'Apply' | 'Update', fields: FieldSet): ManagedFields {
  const { manager, subresource, apiVersion, now } = writer;
  return {
    fields,
    entry: {
      manager: manager || unknownManager,
      operation,
      apiVersion,
      time: now,
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsToJson(fields),
      subresource,
    },
  };
}

/**
 * Who has which fields after a write that was no apply: what it changed is the writer's, and nobody else's any more.
 * `before` is undefined for a new object.
 */
export function managersAfterUpdate(
  managers: readonly ManagedFields[],
  writer: Writer,
  shape: Shape,
  step: { before: Json | undefined; after: Json },
): ManagedFields[] {
  const change = compare(shape, step.before, step.after);
  if (isEmpty(change.set) && isEmpty(change.removed)) return [...managers];
  const next = managers.map((managed) =>
    withFields(managed, fieldsAfter(managed, change, isBy(managed.entry, 'Update', writer)), writer.now),
  );
  if (!isEmpty(change.set) && !managers.some(({ entry }) => isBy(entry, 'Update', writer))) {
    next.push(newManager(writer, 'Update', change.set));
  }
  return bounded(next);
}

function fieldsAfter({ fields }: ManagedFields, { set, removed }: Change, mine: boolean): FieldSet {
  const left = outside(fields, removed);
  return mine ? union(left, set) : outside(left, set);
}

function bounded(managers: ManagedFields[]): ManagedFields[] {
  const updaters = managers.filter(({ entry }) => entry.operation === 'Update');
  if (updaters.length <= maxUpdaters) return managers;
  const byAge = updaters.toSorted((a, b) => a.entry.time.localeCompare(b.entry.time));
  const [first, ...others] = byAge.slice(0, updaters.length - maxUpdaters + 1);
  if (first === undefined) return managers;
  const fields = others.reduce((all, { fields }) => union(all, fields), first.fields);
  const { apiVersion, time } = others.at(-1)?.entry ?? first.entry;
  const former = newManager({ manager: formerManagers, subresource: '', apiVersion, now: time }, 'Update', fields);
  return [...managers.filter((managed) => managed !== first && !others.includes(managed)), former];
}

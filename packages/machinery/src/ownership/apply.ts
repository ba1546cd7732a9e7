import type { ManagedFieldsEntry } from '@navarch/proto';
import type { Json } from '../encode.ts';
import { compare, fieldsOf } from './compare.ts';
import { difference, fieldPaths, type FieldSet, isEmpty, noFields, outside, union, within } from './field-set.ts';
import { isBy, type ManagedFields, newManager, unknownManager, withFields, type Writer } from './managers.ts';
import { overlay, prune } from './merge.ts';
import type { Shape } from './shape.ts';

/** A field that somebody else has set to another value than the manifest says. */
export interface FieldConflict {
  /** As in errors: `spec.containers[name="web"].image`. */
  readonly path: string;
  readonly owner: ManagedFieldsEntry;
}

/** What applying a manifest comes to. */
export interface Applied {
  readonly object: Json;
  readonly managers: readonly ManagedFields[];
  /** Empty with `force`. */
  readonly conflicts: readonly FieldConflict[];
}

/**
 * Server-side apply: puts what the manifest says over what is there, and takes away what its manager applied before, does not
 * name any more, and shares with nobody. The fields of the manifest are its manager's then, together with others who set
 * them to the same value. A field that another manager has set to another value is a conflict; `force` takes it.
 *
 * What the manager of that name did by other writes than apply never stands in its way, and what it applies it owns by
 * having applied it: else a person who scales a Deployment would be in conflict with the manifest that they apply.
 *
 * `normal` gives the form in which two equal objects look equal. Changes no argument.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply
 */
export function serverSideApply(
  shape: Shape,
  state: { live: Json; wanted: Json; managers: readonly ManagedFields[] },
  options: { writer: Writer; force: boolean; normal: (json: Json) => Json },
): Applied {
  const { live, wanted, managers } = state;
  const { writer, force, normal } = options;
  const fields = fieldsOf(shape, wanted);
  const mine = managers.find(({ entry }) => isBy(entry, 'Apply', writer));
  const others = managers.filter((managed) => managed !== mine);
  const keep = others.reduce((all, { fields }) => union(all, fields), fields);
  const merged = normal(overlay(shape, live, wanted));
  // Nothing is taken away yet: what is gone was given the value that an absent field has.
  const { set: filled, removed } = compare(shape, live, merged);
  const set = union(filled, removed);
  const changed = others.map((managed) => ({ managed, taken: within(managed.fields, set) }));
  const name = writer.manager || unknownManager;
  const conflicts = force
    ? []
    : changed
        .filter(({ managed }) => managed.entry.manager !== name)
        .flatMap(({ managed, taken }) => fieldPaths(taken).map((path) => ({ path, owner: managed.entry })));
  const next = managers.map((managed) =>
    withFields(managed, managed === mine ? fields : remaining(managed, { set, fields, writer }), writer.now),
  );
  if (mine === undefined && !isEmpty(fields)) next.push(newManager(writer, 'Apply', fields));
  return { object: prune(shape, merged, mine?.fields ?? noFields, keep), conflicts, managers: next };
}

function remaining(
  { entry, fields }: ManagedFields,
  { set, fields: applied, writer }: { set: FieldSet; fields: FieldSet; writer: Writer },
): FieldSet {
  const left = outside(fields, set);
  return isBy(entry, 'Update', writer) ? difference(left, applied) : left;
}

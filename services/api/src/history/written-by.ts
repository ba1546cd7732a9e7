import { type KindDefinition, manifest } from '@navarch/kinds';
import {
  compareFields,
  fieldsOf,
  intersection,
  isEmpty,
  type KubeObject,
  readManagers,
  shapeOf,
} from '@navarch/machinery';
import type { Resource } from '@navarch/proto';
import { ownable } from '../pipeline/owners.ts';

/**
 * Who wrote a version: the manager that has what is new in it since the version before (undefined: everything is). '' when
 * nobody keeps account of the object's fields, or something was only taken away.
 */
export function writtenBy(kind: KindDefinition, version: Resource, before: Resource | undefined): string {
  const object = objectOf(version);
  const managers = readManagers(object.metadata?.managedFields ?? []);
  if (managers.length === 0) return '';
  const shape = shapeOf(kind.schema);
  for (const door of ['', 'status'] as const) {
    const now = ownable(manifest(kind, object), door);
    const was = before && ownable(manifest(kind, objectOf(before)), door);
    const news = was === undefined ? fieldsOf(shape, now) : compareFields(shape, was, now).set;
    const having = managers.filter(
      ({ entry, fields }) => partOf(entry.subresource) === door && !isEmpty(intersection(fields, news)),
    );
    // The one whose fields changed last is the writer; the others have had the same values all along.
    const [writer] = having.toSorted((a, b) => b.entry.time.localeCompare(a.entry.time));
    if (writer !== undefined) return writer.entry.manager;
  }
  return '';
}

/** All doors but that to the status lead to the same fields. */
function partOf(subresource: string): '' | 'status' {
  return subresource === 'status' ? 'status' : '';
}

function objectOf({ object }: Resource): KubeObject {
  return object?.value ?? {};
}

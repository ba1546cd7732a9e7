import { age, encodeObject, type Json, jsonPath, messageSchema } from '@navarch/machinery';
import {
  type CustomObject,
  type CustomResourceColumnDefinition,
  type CustomResourceDefinitionVersion,
  ObjectMeta,
} from '@navarch/proto';
import { ageColumn, nameColumn } from '../columns.ts';
import type { Column } from '../define-kind.ts';

/** The table of a version: its own columns after the name, or the age where it has none. */
export function customColumns(version: CustomResourceDefinitionVersion): readonly Column<CustomObject>[] {
  const { additionalPrinterColumns: own } = version;
  return [nameColumn, ...(own.length === 0 ? [ageColumn] : own.map(customColumn))];
}

function customColumn({ name, type, priority, jsonPath: path }: CustomResourceColumnDefinition): Column<CustomObject> {
  const read = jsonPath(path);
  return {
    title: name.toUpperCase(),
    wide: priority > 0,
    value: (object, now) =>
      cell(
        (read?.(rootOf(object)) ?? []).filter((value) => value !== null),
        type,
        now,
      ),
  };
}

function cell(values: readonly Json[], type: string, now: number): string | number {
  const [first, ...more] = values;
  if (first === undefined) return type === 'date' ? '<unknown>' : '';
  if (type === 'date') return typeof first === 'string' ? age(first, now) : '<invalid>';
  // As a table of the api has it: one value of that type, or all that the path leads to.
  if (more.length > 0) return values.map(text).join(',');
  return typeof first === 'number' && type !== 'string' ? first : text(first);
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The object as a manifest, as far as columns look into it. */
function rootOf({ metadata, spec, status, other, apiVersion, kind }: CustomObject): Json {
  return {
    apiVersion,
    kind,
    ...(metadata && { metadata: encodeObject(messageSchema(ObjectMeta.$type), metadata) }),
    ...other,
    ...(spec === undefined ? {} : { spec: spec as Json }), // that is what google.protobuf.Value holds
    ...(status === undefined ? {} : { status: status as Json }), // as above
  };
}

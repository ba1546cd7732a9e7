import { type KindDefinition, tableColumns } from '@navarch/kinds';
import { type Form, Resource, type TableResponse } from '@navarch/proto';
import { type CachedObject, decodeObject } from '../cache/cached-object.ts';

/** Objects as the lines of a table, from the columns that navctl shows. */
export function tableOf(
  kind: KindDefinition,
  objects: readonly CachedObject[],
  form: Form,
  now: number,
): Pick<TableResponse, 'columns' | 'rows'> {
  const columns = tableColumns(kind, true);
  return {
    columns: columns.map(({ title, type = 'string', description = '', wide = false }) => {
      const format = title === 'NAME' ? 'name' : '';
      return { name: title, type, format, description, priority: wide ? 1 : 0 };
    }),
    rows: objects.map((cached) => {
      // Not the cache's own decoded form, which would stay in memory.
      const object = decodeObject(kind, cached.body);
      return {
        cells: columns.map((column) => column.value(object, now)),
        resource: Resource.decode(cached.as(form)),
      };
    }),
  };
}

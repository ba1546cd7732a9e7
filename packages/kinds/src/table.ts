import type { KubeObject } from '@navarch/machinery';
import { ageColumn, nameColumn } from './columns.ts';
import type { Column, KindDefinition } from './define-kind.ts';

/** The columns that a table of the kind shows, in their order. */
export function tableColumns(kind: KindDefinition, wide: boolean): readonly Column<KubeObject>[] {
  if (kind.ownColumns) return kind.columns.filter((column) => wide || column.wide !== true);
  const narrow = kind.columns.filter((column) => column.wide !== true);
  const more = wide ? kind.columns.filter((column) => column.wide === true) : [];
  return [nameColumn, ...narrow, ageColumn, ...more];
}

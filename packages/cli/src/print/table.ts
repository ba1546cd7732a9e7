import { type KindDefinition, labelsText, tableColumns } from '@navarch/kinds';
import { formatTable, type KubeObject } from '@navarch/machinery';
import { objectName } from '../resource-args.ts';

export interface TableOptions {
  readonly wide: boolean;
  readonly allNamespaces?: boolean;
  readonly showLabels?: boolean;
  readonly headers: boolean;
  /** Names with their kind, as in tables of several kinds: pod/web. */
  readonly withKind: boolean;
  readonly now: number;
}

export function tableText(kind: KindDefinition, items: readonly KubeObject[], options: TableOptions): string {
  const rows = items.map((item) => tableRow(kind, item, options));
  return formatTable(options.headers ? [tableTitles(kind, options), ...rows] : rows);
}

export function tableTitles(kind: KindDefinition, options: TableOptions): readonly string[] {
  const titles = tableColumns(kind, options.wide).map(({ title }) => title);
  if (options.showLabels === true) titles.push('LABELS');
  return showsNamespace(kind, options) ? ['NAMESPACE', ...titles] : titles;
}

export function tableRow(kind: KindDefinition, item: KubeObject, options: TableOptions): readonly (string | number)[] {
  const cells = tableColumns(kind, options.wide).map((column) => {
    const cell = column.value(item, options.now);
    return options.withKind && column.title === 'NAME' ? objectName(kind, String(cell)) : cell;
  });
  if (options.showLabels === true) cells.push(labelsText(item.metadata?.labels));
  return showsNamespace(kind, options) ? [item.metadata?.namespace ?? '', ...cells] : cells;
}

function showsNamespace(kind: KindDefinition, options: TableOptions): boolean {
  return options.allNamespaces === true && kind.scope === 'Namespaced';
}

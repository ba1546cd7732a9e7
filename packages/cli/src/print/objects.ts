import { type KindDefinition, manifest } from '@navarch/kinds';
import type { JsonObject, KubeObject } from '@navarch/machinery';
import { stringify } from 'yaml';
import { objectName } from '../resource-args.ts';
import type { Session } from '../session.ts';
import { tableText } from './table.ts';

/** Objects of one kind. */
export interface Listed {
  readonly kind: KindDefinition;
  readonly items: readonly KubeObject[];
}

export interface PrintOptions {
  readonly output?: 'wide' | 'yaml' | 'json' | 'name';
  readonly allNamespaces?: boolean;
  readonly showLabels?: boolean;
  readonly headers: boolean;
  /** One object was asked for by name: yaml and json print it bare, not as a List. */
  readonly single: boolean;
}

/** Prints objects as -o says, kind by kind. */
export function printObjects(session: Session, lists: readonly Listed[], options: PrintOptions): void {
  const full = lists.filter(({ items }) => items.length > 0);
  switch (options.output) {
    case 'yaml':
    case 'json':
      return session.print(documentText(options.output, lists, options.single));
    case 'name':
      for (const { kind, items } of full) {
        for (const { metadata } of items) session.print(`${objectName(kind, metadata?.name ?? '')}\n`);
      }
      return;
    default:
      if (full.length === 0) {
        if (!options.single) session.warn(`${nothingFound(session, lists, options)}\n`);
        return;
      }
      session.print(
        full
          .map(({ kind, items }) =>
            tableText(kind, items, {
              ...options,
              wide: options.output === 'wide',
              withKind: lists.length > 1,
              now: session.io.now(),
            }),
          )
          .join('\n'),
      );
  }
}

/** One object as YAML or JSON. */
export function objectText(format: 'yaml' | 'json', json: JsonObject): string {
  // Quotes what readers of YAML 1.1 would take for something else: "yes", "0644", times.
  return format === 'json'
    ? `${JSON.stringify(json, undefined, 4)}\n`
    : stringify(json, { version: '1.1', lineWidth: 0 });
}

function documentText(format: 'yaml' | 'json', lists: readonly Listed[], single: boolean): string {
  const items = lists.flatMap(({ kind, items }) => items.map((item) => manifest(kind, item)));
  const [only] = items;
  if (single && only !== undefined) return objectText(format, only);
  return objectText(format, { apiVersion: 'v1', kind: 'List', items, metadata: { resourceVersion: '' } });
}

function nothingFound(session: Session, lists: readonly Listed[], options: PrintOptions): string {
  const namespaced = lists.some(({ kind }) => kind.scope === 'Namespaced');
  if (!namespaced || options.allNamespaces === true) return 'No resources found';
  return `No resources found in ${session.namespace} namespace.`;
}

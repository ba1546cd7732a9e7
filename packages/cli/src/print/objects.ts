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
  readonly showManagedFields?: boolean;
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
      return session.print(documentText(options.output, lists, options));
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

/** An object as it is shown: who set which of its fields only when that is asked for, for it is long. */
export function shownManifest<T extends KubeObject>(
  kind: KindDefinition<T>,
  object: T,
  { showManagedFields }: Pick<PrintOptions, 'showManagedFields'>,
): JsonObject {
  const json = manifest(kind, object);
  const { managedFields, ...metadata } = (json['metadata'] ?? {}) as JsonObject; // a message, and so an object
  return managedFields === undefined || showManagedFields === true ? json : { ...json, metadata };
}

function documentText(format: 'yaml' | 'json', lists: readonly Listed[], options: PrintOptions): string {
  const items = lists.flatMap(({ kind, items }) => items.map((item) => shownManifest(kind, item, options)));
  const [only] = items;
  if (options.single && only !== undefined) return objectText(format, only);
  return objectText(format, { apiVersion: 'v1', kind: 'List', items, metadata: { resourceVersion: '' } });
}

function nothingFound(session: Session, lists: readonly Listed[], options: PrintOptions): string {
  const namespaced = lists.some(({ kind }) => kind.scope === 'Namespaced');
  if (!namespaced || options.allNamespaces === true) return 'No resources found';
  return `No resources found in ${session.namespace} namespace.`;
}

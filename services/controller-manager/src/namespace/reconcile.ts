import type { ClientWrite } from '@navarch/client';
import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import type { KubeObject, Live } from '@navarch/machinery';
import type { Namespace, ObjectMeta } from '@navarch/proto';

export interface NamespaceObserved {
  readonly namespace: Live<Namespace>;
  /** Everything in it, by kind; kinds with nothing are left out. */
  readonly content: readonly {
    readonly kind: KindDefinition;
    readonly objects: readonly (KubeObject & { readonly metadata: ObjectMeta })[];
  }[];
}

/** Whoever empties a namespace takes this off its spec. */
export const emptiedFinalizer = 'kubernetes';

/** At most so many objects are asked to go in one step. */
const mostPerStep = 500;

/** Whether it is ours to empty the namespace. */
export function isToBeEmptied({ metadata, spec }: Live<Namespace>): boolean {
  return metadata.deletionTimestamp !== '' && spec.finalizers.includes(emptiedFinalizer);
}

/** Asks what is in it, and was not asked yet, to go: each object as it was seen, and none that was made since. */
export function emptying({ content }: NamespaceObserved): readonly ClientWrite[] {
  return content
    .flatMap(({ kind, objects }) => objects.map(({ metadata }) => ({ kind, ...metadata })))
    .filter(({ deletionTimestamp }) => deletionTimestamp === '')
    .slice(0, mostPerStep)
    .map(({ kind, namespace, name, uid }) => ({ type: 'delete', kind, key: { namespace, name }, options: { uid } }));
}

/** Lets an empty namespace go. */
export function finalizing(namespace: Live<Namespace>): ClientWrite {
  const { spec } = namespace;
  const finalizers = spec.finalizers.filter((name) => name !== emptiedFinalizer);
  const object: Namespace = { ...namespace, spec: { ...spec, finalizers } };
  return { type: 'update', kind: namespaceKind, object };
}

import type { ClientWrite } from '@navarch/client';
import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import type { KubeObject, Live } from '@navarch/machinery';
import type { Namespace, ObjectMeta } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { type ConditionClaim, withCondition } from '../conditions.ts';
import { nothingToDo, type Plan } from '../plan.ts';

export interface NamespaceObserved {
  readonly namespace: Live<Namespace>;
  /** Everything in it, by kind; kinds with nothing are left out. */
  readonly content: readonly {
    readonly kind: KindDefinition;
    readonly objects: readonly (KubeObject & { readonly metadata: ObjectMeta })[];
  }[];
  /** Whether the api itself was asked and found nothing; undefined when it wasn't asked. */
  readonly provenEmpty?: boolean;
}

/** Whoever empties a namespace takes this off its spec. */
export const emptiedFinalizer = 'kubernetes';

/** At most so many objects are asked to go in one step. */
const mostPerStep = 500;

/**
 * Empties a namespace that is being deleted, says what is still there, and lets it go when nothing is. 'ask' means: the
 * caches show nothing more, so ask the api.
 */
export function reconcileNamespace({ namespace, content, provenEmpty }: NamespaceObserved, now: number): Plan | 'ask' {
  const { metadata, spec } = namespace;
  if (metadata.deletionTimestamp === '' || !spec.finalizers.includes(emptiedFinalizer)) return nothingToDo;
  const objects = content.flatMap(({ kind, objects: some }) => some.map((object) => ({ kind, ...object.metadata })));
  if (objects.length === 0) {
    if (provenEmpty === undefined) return 'ask';
    if (!provenEmpty) return { writes: [], events: [], againAfterMs: 1_000 };
    const finalizers = spec.finalizers.filter((name) => name !== emptiedFinalizer);
    const object = { ...namespace, spec: { ...spec, finalizers } };
    return { writes: [{ type: 'update', kind: namespaceKind, object }], events: [] };
  }
  const writes = objects
    .filter(({ deletionTimestamp }) => deletionTimestamp === '')
    .slice(0, mostPerStep)
    .map(({ kind, namespace: within, name, uid }): ClientWrite => {
      return { type: 'delete', kind, key: { namespace: within, name }, options: { uid } };
    });
  return { writes: [...writes, ...statusWrite(namespace, content, now)], events: [] };
}

function statusWrite(
  namespace: Live<Namespace>,
  content: NamespaceObserved['content'],
  now: number,
): readonly ClientWrite[] {
  const waiting = new Map<string, number>();
  for (const { finalizers } of content.flatMap(({ objects }) => objects.map(({ metadata }) => metadata))) {
    for (const name of finalizers) waiting.set(name, (waiting.get(name) ?? 0) + 1);
  }
  const remaining = content.map(({ kind, objects }) => `${kind.resource} has ${objects.length} resource instances`);
  const finalizers = [...waiting].map(([name, count]) => `${name} in ${count} resource instances`);
  const claims: ConditionClaim[] = [
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${remaining.toSorted().join(', ')}`,
    },
    finalizers.length > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${finalizers.toSorted().join(', ')}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ];
  const { status } = namespace;
  const conditions = claims.reduce((present, claim) => withCondition(present, claim, now), status.conditions);
  if (equalValues(conditions, status.conditions)) return [];
  const object = { ...namespace, status: { ...status, conditions } };
  return [{ type: 'updateStatus', kind: namespaceKind, object }];
}

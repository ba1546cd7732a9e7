import type { ClientWrite } from '@navarch/client';
import { customResourceDefinition as definitionKind, definitionStatus, type KindDefinition } from '@navarch/kinds';
import type { KubeObject, Live } from '@navarch/machinery';
import type { CustomResourceDefinition, ObjectMeta } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { withCondition } from '../conditions.ts';
import { nothingToDo, type Plan } from '../plan.ts';
import { timestamp } from '../time.ts';

export interface DefinitionObserved {
  readonly definition: Live<CustomResourceDefinition>;
  /** The kinds that others have in its group. */
  readonly others: readonly KindDefinition[];
  /** Its kind and what there is of it; undefined when it has none, because its names were never accepted. */
  readonly content:
    | { readonly kind: KindDefinition; readonly objects: readonly (KubeObject & { readonly metadata: ObjectMeta })[] }
    | undefined;
  /** Whether the api itself was asked and found nothing; undefined when it wasn't asked. */
  readonly provenEmpty?: boolean;
}

/** Whoever removes a definition's objects takes this off it. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** At most so many objects are asked to go in one step. */
const mostPerStep = 500;

/**
 * A definition that goes takes its objects with it, and waits for them; one that stays hears when names that others had
 * have become free. 'ask' means: the caches show no objects, so ask the api.
 */
export function reconcileDefinition(observed: DefinitionObserved, now: number): Plan | 'ask' {
  const { definition } = observed;
  if (definition.metadata.deletionTimestamp === '') return acceptNames(observed, now);
  if (!definition.metadata.finalizers.includes(cleanupFinalizer)) return nothingToDo;
  return removeContent(observed, now);
}

/** The api decides about names when a definition is written; here it is only noticed that it would decide otherwise now. */
function acceptNames({ definition, others }: DefinitionObserved, now: number): Plan {
  const status = definitionStatus(definition, others, timestamp(now));
  if (equalValues(status, definition.status)) return nothingToDo;
  const object: CustomResourceDefinition = { ...definition, status };
  return { writes: [{ type: 'updateStatus', kind: definitionKind, object }], events: [] };
}

function removeContent({ definition, content, provenEmpty }: DefinitionObserved, now: number): Plan | 'ask' {
  const objects = content?.objects ?? [];
  if (content === undefined || objects.length === 0) {
    if (content !== undefined && provenEmpty === undefined) return 'ask';
    if (content !== undefined && !provenEmpty) return { writes: [], events: [], againAfterMs: 1_000 };
    const finalizers = definition.metadata.finalizers.filter((name) => name !== cleanupFinalizer);
    const object = { ...definition, metadata: { ...definition.metadata, finalizers } };
    return { writes: [{ type: 'update', kind: definitionKind, object }], events: [] };
  }
  const { kind } = content;
  const writes = objects
    .filter(({ metadata }) => metadata.deletionTimestamp === '')
    .slice(0, mostPerStep)
    .map(({ metadata: { namespace, name, uid } }): ClientWrite => {
      return { type: 'delete', kind, key: { namespace, name }, options: { uid } };
    });
  return { writes: [...writes, ...statusWrite(definition, objects.length, now)], events: [] };
}

function statusWrite(definition: Live<CustomResourceDefinition>, remaining: number, now: number): ClientWrite[] {
  const { status } = definition;
  const conditions = withCondition(
    status.conditions,
    {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionInProgress',
      message: `waiting for ${remaining} objects to go`,
    },
    now,
  );
  if (equalValues(conditions, status.conditions)) return [];
  const object: CustomResourceDefinition = { ...definition, status: { ...status, conditions } };
  return [{ type: 'updateStatus', kind: definitionKind, object }];
}

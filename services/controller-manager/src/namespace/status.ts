import type { ClientWrite } from '@navarch/client';
import { namespace as namespaceKind } from '@navarch/kinds';
import type { Namespace } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { type ConditionClaim, withCondition } from '../conditions.ts';
import type { NamespaceObserved } from './reconcile.ts';

/** What went wrong while a namespace was emptied: one line each, which names the object or the kind. */
export interface EmptyingFaults {
  /** Kinds of which nobody could say what is in the namespace. */
  readonly undiscovered: readonly string[];
  /** Objects that could not be asked to go. */
  readonly refused: readonly string[];
}

/** So many faults are told; of the others, how many there are. */
const mostTold = 5;

/**
 * Says in the namespace what remains, and why: the five conditions of Kubernetes
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/), with a count for each kind and
 * finalizer. Nothing when they say so already.
 */
export function statusWrites(
  { namespace, content }: NamespaceObserved,
  { undiscovered, refused }: EmptyingFaults,
  now: number,
): readonly ClientWrite[] {
  const claims = [
    claim('NamespaceDeletionDiscoveryFailure', {
      holds: undiscovered.length > 0,
      yes: [
        'DiscoveryFailed',
        `Discovery failed for some kinds, ${undiscovered.length} failing: ${told(undiscovered)}`,
      ],
      no: ['ResourcesDiscovered', 'All resources successfully discovered'],
    }),
    // Kinds are known by their definitions: there is no text of a version that could not be read.
    claim('NamespaceDeletionGroupVersionParsingFailure', {
      holds: false,
      yes: ['GroupVersionParsingFailed', ''],
      no: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    }),
    claim('NamespaceDeletionContentFailure', {
      holds: refused.length > 0,
      yes: ['ContentDeletionFailed', `Failed to delete ${refused.length} objects: ${told(refused)}`],
      no: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    }),
    claim('NamespaceContentRemaining', {
      holds: content.length > 0,
      yes: ['SomeResourcesRemain', `Some resources are remaining: ${counts(kindCounts(content))}`],
      no: ['ContentRemoved', 'All content successfully removed'],
    }),
    claim('NamespaceFinalizersRemaining', {
      holds: finalizerCounts(content).size > 0,
      yes: [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${counts(finalizerCounts(content), 'in')}`,
      ],
      no: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    }),
  ];
  const { status } = namespace;
  const conditions = claims.reduce((present, each) => withCondition(present, each, now), status.conditions);
  if (equalValues(conditions, status.conditions)) return [];
  const object: Namespace = { ...namespace, status: { ...status, conditions } };
  return [{ type: 'updateStatus', kind: namespaceKind, object }];
}

function claim(
  type: string,
  { holds, yes, no }: { holds: boolean; yes: readonly [string, string]; no: readonly [string, string] },
): ConditionClaim {
  const [reason, message] = holds ? yes : no;
  return { type, status: holds ? 'True' : 'False', reason, message };
}

function kindCounts(content: NamespaceObserved['content']): ReadonlyMap<string, number> {
  return new Map(content.map(({ kind, objects }) => [kind.resource, objects.length]));
}

function finalizerCounts(content: NamespaceObserved['content']): ReadonlyMap<string, number> {
  const counted = new Map<string, number>();
  for (const { finalizers } of content.flatMap(({ objects }) => objects.map(({ metadata }) => metadata))) {
    for (const name of finalizers) counted.set(name, (counted.get(name) ?? 0) + 1);
  }
  return counted;
}

/** 'configmaps has 2 resource instances, pods has 1 resource instances': Kubernetes' words, in a fixed order. */
function counts(of: ReadonlyMap<string, number>, verb: 'has' | 'in' = 'has'): string {
  return [...of]
    .map(([name, count]) => `${name} ${verb} ${count} resource instances`)
    .toSorted()
    .join(', ');
}

function told(faults: readonly string[]): string {
  const more = faults.length > mostTold ? `; and ${faults.length - mostTold} more` : '';
  return `${faults.toSorted().slice(0, mostTold).join('; ')}${more}`;
}

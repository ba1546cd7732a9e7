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
      yes: ['DiscoveryFailed', `What is in the namespace can not be told: ${told(undiscovered)}`],
      no: ['ResourcesDiscovered', 'Everything in the namespace is known'],
    }),
    // Kinds are known by their definitions: there is no text of a version that could not be read.
    claim('NamespaceDeletionGroupVersionParsingFailure', {
      holds: false,
      yes: ['GroupVersionParsingFailed', ''],
      no: ['ParsedGroupVersions', 'The version of every kind can be read'],
    }),
    claim('NamespaceDeletionContentFailure', {
      holds: refused.length > 0,
      yes: ['ContentDeletionFailed', `${objects(refused.length)} could not be asked to go: ${told(refused)}`],
      no: ['ContentDeleted', 'Everything in the namespace was asked to go'],
    }),
    claim('NamespaceContentRemaining', {
      holds: content.length > 0,
      yes: [
        'SomeResourcesRemain',
        `Still in the namespace: ${counts(kindCounts(content), (kind, count) => `${count} ${kind}`)}`,
      ],
      no: ['ContentRemoved', 'Nothing is left in the namespace'],
    }),
    claim('NamespaceFinalizersRemaining', {
      holds: finalizerCounts(content).size > 0,
      yes: [
        'SomeFinalizersRemain',
        `Held by finalizers: ${counts(finalizerCounts(content), (name, count) => `${objects(count)} by ${name}`)}`,
      ],
      no: ['ContentHasNoFinalizers', 'No finalizer holds anything in the namespace'],
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

/** By name, so that the same counts are the same text. */
function counts(of: ReadonlyMap<string, number>, phrase: (name: string, count: number) => string): string {
  return [...of]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => phrase(name, count))
    .join(', ');
}

function objects(count: number): string {
  return count === 1 ? '1 object' : `${count} objects`;
}

function told(faults: readonly string[]): string {
  const more = faults.length > mostTold ? `; and ${faults.length - mostTold} more` : '';
  return `${faults.toSorted().slice(0, mostTold).join('; ')}${more}`;
}

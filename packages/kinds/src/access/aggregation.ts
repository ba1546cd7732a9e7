import { labelSelectorPredicate } from '@navarch/machinery';
import { type ClusterRole, PolicyRule } from '@navarch/proto';

/**
 * The rules of a ClusterRole that is put together from others: those of every other one that a selector chooses, in the order
 * of their names, each rule once. Undefined for one that is not put together. Source: Kubernetes' ClusterRole aggregation.
 */
export function aggregatedRules(
  { metadata, aggregationRule }: Pick<ClusterRole, 'metadata' | 'aggregationRule'>,
  all: Iterable<ClusterRole>,
): PolicyRule[] | undefined {
  if (aggregationRule === undefined) return undefined;
  const selectors = aggregationRule.clusterRoleSelectors.map(labelSelectorPredicate);
  const chosen = [...all]
    .filter((other) => other.metadata?.name !== metadata?.name)
    .filter((other) => selectors.some((matches) => matches(other.metadata?.labels)))
    .toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  const rules = new Map<string, PolicyRule>();
  for (const rule of chosen.flatMap((each) => each.rules)) {
    const key = JSON.stringify(PolicyRule.toJSON(rule));
    if (!rules.has(key)) rules.set(key, rule);
  }
  return [...rules.values()];
}

import { type LabelPredicate, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { LabelSelector, Pod, PodAffinityTerm } from '@navarch/proto';

/** What tells Pods apart for those that choose Pods by label: equal for equal namespaces and labels. */
export interface PodClass {
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The labels of each namespace. */
export type NamespaceLabels = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Other Pods, and what near means: as a Pod's affinity says it, with the Pod's own labels and namespace filled in. */
export interface PodTerm {
  /** Equal for terms that choose the same. */
  readonly key: string;
  readonly topologyKey: string;
  /** Whether labels of namespaces have a say. */
  readonly byNamespaceLabels: boolean;
  readonly chooses: (podClass: PodClass, namespaces: NamespaceLabels) => boolean;
}

/** Pods that are liked near, or with a negative weight disliked. */
export interface LikedPods {
  readonly term: PodTerm;
  readonly weight: number;
  /** It is required rather than preferred: for the Pod itself then it is no matter of liking. */
  readonly required: boolean;
}

/** How a Pod and its like are spread. */
export interface SpreadRule {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  /** The Pod rather waits than breaks it. */
  readonly hard: boolean;
  /** Nodes that the Pod's selector and affinity exclude are no parts. */
  readonly honorsAffinity: boolean;
  /** Nor are nodes with taints that it doesn't tolerate. */
  readonly honorsTaints: boolean;
  /** The Pods that are counted. */
  readonly counted: PodTerm;
}

export function podTerms(pod: Live<Pod>, terms: readonly PodAffinityTerm[] = []): readonly PodTerm[] {
  return terms.map((term) => {
    const selector = withKeys(term.labelSelector, term.matchLabelKeys, term.mismatchLabelKeys, pod);
    const own = term.namespaces.length === 0 && term.namespaceSelector === undefined;
    const names = own ? [pod.metadata.namespace] : term.namespaces.toSorted();
    return toTerm(term.topologyKey, names, term.namespaceSelector, selector);
  });
}

export function spreadRules(pod: Live<Pod>): readonly SpreadRule[] {
  return pod.spec.topologySpreadConstraints.map((constraint) => {
    const { topologyKey, maxSkew, minDomains = 1, whenUnsatisfiable, labelSelector, matchLabelKeys } = constraint;
    return {
      topologyKey,
      maxSkew,
      minDomains,
      hard: whenUnsatisfiable === 'DoNotSchedule',
      honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
      honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
      counted: toTerm(
        topologyKey,
        [pod.metadata.namespace],
        undefined,
        withKeys(labelSelector, matchLabelKeys, [], pod),
      ),
    };
  });
}

function toTerm(
  topologyKey: string,
  names: readonly string[],
  namespaceSelector: LabelSelector | undefined,
  selector: LabelSelector | undefined,
): PodTerm {
  const labels = labelSelectorPredicate(selector);
  const everywhere = namespaceSelector !== undefined && isEmpty(namespaceSelector);
  const namespace: LabelPredicate = labelSelectorPredicate(namespaceSelector);
  return {
    key: JSON.stringify([topologyKey, names, namespaceSelector ?? null, selector ?? null]),
    topologyKey,
    byNamespaceLabels: namespaceSelector !== undefined && !everywhere,
    chooses: (podClass, namespaces) =>
      labels(podClass.labels) &&
      (everywhere ||
        names.includes(podClass.namespace) ||
        (namespaceSelector !== undefined && namespace(namespaces.get(podClass.namespace) ?? {}))),
  };
}

/** The selector with the Pod's own values of some labels. A label that the Pod lacks says nothing. */
function withKeys(
  selector: LabelSelector | undefined,
  same: readonly string[],
  other: readonly string[],
  { metadata }: Live<Pod>,
): LabelSelector | undefined {
  if (selector === undefined || same.length + other.length === 0) return selector;
  const conditions = (keys: readonly string[], operator: string) =>
    keys.flatMap((key) => {
      const value = metadata.labels[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const added = [...conditions(same, 'In'), ...conditions(other, 'NotIn')];
  return { ...selector, matchExpressions: [...selector.matchExpressions, ...added] };
}

function isEmpty({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

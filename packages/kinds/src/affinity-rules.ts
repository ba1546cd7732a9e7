import type { FieldError } from '@navarch/machinery';
import type {
  Affinity,
  PodAffinity,
  PodAffinityTerm,
  PodAntiAffinity,
  PodSpec,
  TopologySpreadConstraint,
} from '@navarch/proto';
import { requiredTerms, validateNodeTerm } from './node-affinity.ts';
import { duplicates } from './rules.ts';
import { validateSelectorValues } from './selector-rules.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

/**
 * Where a Pod may be placed: what must hold beyond the contract's rules for single fields. `path` is that of the PodSpec.
 * Source: kubernetes pkg/apis/core/validation.
 */
export function validatePlacement(spec: PodSpec, path: string): FieldError[] {
  const { affinity, topologySpreadConstraints: constraints, schedulingGates: gates } = spec;
  return [
    ...validateAffinity(affinity, `${path}.affinity`),
    ...constraints.flatMap((each, at) => validateConstraint(each, `${path}.topologySpreadConstraints[${at}]`)),
    ...duplicates(
      constraints,
      ({ topologyKey, whenUnsatisfiable }) => `${topologyKey}, ${whenUnsatisfiable}`,
      (at) => `${path}.topologySpreadConstraints[${at}]`,
    ),
    ...duplicates(
      gates,
      ({ name }) => name,
      (at) => `${path}.schedulingGates[${at}].name`,
    ),
  ];
}

function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {};
  const terms = requiredTerms(affinity) ?? [];
  const liked = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const nodePath = `${path}.nodeAffinity`;
  return [
    ...terms.flatMap((term, at) => validateNodeTerm(term, `${nodePath}.${required}.nodeSelectorTerms[${at}]`)),
    ...liked.flatMap(({ preference }, at) =>
      preference === undefined ? [] : validateNodeTerm(preference, `${nodePath}.${preferred}[${at}].preference`),
    ),
    ...validatePodTerms(podAffinity, `${path}.podAffinity`),
    ...validatePodTerms(podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

function validatePodTerms(affinity: PodAffinity | PodAntiAffinity | undefined, path: string): FieldError[] {
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const liked = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...terms.flatMap((term, at) => validatePodTerm(term, `${path}.${required}[${at}]`)),
    ...liked.flatMap(({ podAffinityTerm }, at) =>
      validatePodTerm(podAffinityTerm, `${path}.${preferred}[${at}].podAffinityTerm`),
    ),
  ];
}

function validatePodTerm(term: PodAffinityTerm | undefined, path: string): FieldError[] {
  if (term === undefined) return [];
  const { labelSelector, namespaceSelector, matchLabelKeys, mismatchLabelKeys } = term;
  const errors = [
    ...validateSelectorValues(labelSelector, `${path}.labelSelector`),
    ...validateSelectorValues(namespaceSelector, `${path}.namespaceSelector`),
    ...keysNeedSelector(matchLabelKeys, term, `${path}.matchLabelKeys`),
    ...keysNeedSelector(mismatchLabelKeys, term, `${path}.mismatchLabelKeys`),
  ];
  for (const [at, key] of mismatchLabelKeys.entries()) {
    if (!matchLabelKeys.includes(key)) continue;
    errors.push({ path: `${path}.mismatchLabelKeys[${at}]`, message: `"${key}" is in matchLabelKeys too` });
  }
  return errors;
}

function keysNeedSelector(
  keys: readonly string[],
  { labelSelector }: Pick<PodAffinityTerm, 'labelSelector'>,
  path: string,
): FieldError[] {
  if (keys.length === 0 || labelSelector !== undefined) return [];
  return [{ path, message: 'must not be set without labelSelector' }];
}

function validateConstraint(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { labelSelector, minDomains, whenUnsatisfiable, matchLabelKeys } = constraint;
  const errors = [
    ...validateSelectorValues(labelSelector, `${path}.labelSelector`),
    ...keysNeedSelector(matchLabelKeys, constraint, `${path}.matchLabelKeys`),
  ];
  if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule') {
    errors.push({ path: `${path}.minDomains`, message: 'must not be set unless whenUnsatisfiable is DoNotSchedule' });
  }
  for (const [at, key] of matchLabelKeys.entries()) {
    if (!selects(constraint, key)) continue;
    errors.push({ path: `${path}.matchLabelKeys[${at}]`, message: `"${key}" is in labelSelector too` });
  }
  return errors;
}

function selects({ labelSelector }: Pick<TopologySpreadConstraint, 'labelSelector'>, key: string): boolean {
  const { matchLabels = {}, matchExpressions = [] } = labelSelector ?? {};
  return key in matchLabels || matchExpressions.some((each) => each.key === key);
}

import type { FieldError } from '@navarch/machinery';
import type { Affinity, NodeSelectorRequirement, NodeSelectorTerm } from '@navarch/proto';

/** As much of a node as affinity looks at. */
export interface NodeTraits {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const nameField = 'metadata.name';

/** What a Pod requires of its node: one of these. Undefined: nothing. */
export function requiredTerms(affinity: Affinity | undefined): readonly NodeSelectorTerm[] | undefined {
  return affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

/** Whether one of the terms chooses the node. */
export function matchesTerms(terms: readonly NodeSelectorTerm[], node: NodeTraits): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

/** Whether all conditions of the term hold, of which there must be one. Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
export function matchesTerm(
  { matchExpressions, matchFields }: NodeSelectorTerm,
  { name, labels }: NodeTraits,
): boolean {
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchFields.every((one) => holds(one, one.key === nameField ? name : undefined)) &&
    matchExpressions.every((one) => holds(one, labels[one.key]))
  );
}

/** The names of the only nodes that the terms can choose; undefined when they don't go by names. */
export function namedNodes(terms: readonly NodeSelectorTerm[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields } of terms) {
    const named = matchFields.find(({ key, operator }) => key === nameField && operator === 'In');
    if (named === undefined) return undefined;
    for (const name of named.values) names.add(name);
  }
  return names;
}

/** An affinity to one node, and nothing else. */
export function affinityToNode(name: string): Affinity {
  const field: NodeSelectorRequirement = { key: nameField, operator: 'In', values: [name] };
  const nodeSelectorTerms = [{ matchExpressions: [], matchFields: [field] }];
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
      preferredDuringSchedulingIgnoredDuringExecution: [],
    },
    podAffinity: undefined,
    podAntiAffinity: undefined,
  };
}

function holds({ operator, values }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default: {
      const [is, bound] = [wholeNumber(value), wholeNumber(values[0])];
      if (is === undefined || bound === undefined) return false;
      return operator === 'Gt' ? is > bound : is < bound;
    }
  }
}

function wholeNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? BigInt(text) : undefined;
}

/** Rules of Kubernetes' pkg/apis/core/validation. */
export function validateNodeTerm({ matchExpressions, matchFields }: NodeSelectorTerm, path: string): FieldError[] {
  return [
    ...matchExpressions.flatMap((one, index) => validateValues(one, `${path}.matchExpressions[${index}].values`)),
    ...matchFields.flatMap((one, index) => validateField(one, `${path}.matchFields[${index}]`)),
  ];
}

function validateValues({ operator, values }: NodeSelectorRequirement, path: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? [] : [{ path, message: `must be set for the operator ${operator}` }];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? [] : [{ path, message: `must not be set for the operator ${operator}` }];
    default: {
      const good = values.length === 1 && wholeNumber(values[0]) !== undefined;
      return good ? [] : [{ path, message: `must be one whole number for the operator ${operator}` }];
    }
  }
}

function validateField({ key, operator, values }: NodeSelectorRequirement, path: string): FieldError[] {
  if (key !== nameField) return [{ path: `${path}.key`, message: `must be ${nameField}, not "${key}"` }];
  if (operator !== 'In' && operator !== 'NotIn') {
    return [{ path: `${path}.operator`, message: `must be In or NotIn for a field, not ${operator}` }];
  }
  return values.length === 1 ? [] : [{ path: `${path}.values`, message: 'must be one value' }];
}

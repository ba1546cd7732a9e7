import type { FieldError } from '@navarch/machinery';
import type { LabelSelector } from '@navarch/proto';

/** A workload's selector: not empty, because that would choose every Pod, and each condition with the values it needs. */
export function validateSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (selector === undefined) return [];
  const { matchLabels, matchExpressions } = selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    return [{ path, message: 'must not be empty: it would choose every Pod' }];
  }
  return validateSelectorValues(selector, path);
}

/** Each condition with the values it needs. */
export function validateSelectorValues(selector: LabelSelector | undefined, path: string): FieldError[] {
  return (selector?.matchExpressions ?? []).flatMap(({ operator, values }, index) => {
    const at = `${path}.matchExpressions[${index}].values`;
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (needsValues === values.length > 0) return [];
    return [{ path: at, message: `must ${needsValues ? '' : 'not '}be set for the operator ${operator}` }];
  });
}

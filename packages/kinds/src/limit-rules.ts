import { type FieldError, formatPath, parseQuantity } from '@navarch/machinery';
import type { LimitRange, LimitRangeItem } from '@navarch/proto';
import { duplicates } from './rules.ts';

const oneNano = 1_000_000_000n;

/** What containers get by default follows from the bounds where it isn't said. Changes the object. */
export function completeLimits({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    item.default = { ...item.max, ...item.default };
    item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  }
}

/** Source: https://kubernetes.io/docs/concepts/policy/limit-range/ */
export function validateLimits({ spec }: LimitRange): FieldError[] {
  const limits = spec?.limits ?? [];
  return [
    ...duplicates(
      limits,
      ({ type }) => type,
      (index) => `spec.limits[${index}].type`,
    ),
    ...limits.flatMap((item, index) => validateItem(item, `limits[${index}]`)),
  ];
}

/** Amounts that must not be larger than those after them. */
const ascending = ['min', 'defaultRequest', 'default', 'max'] as const;

function validateItem(item: LimitRangeItem, at: string): FieldError[] {
  const path = (...steps: readonly string[]) => `spec.${at}.${formatPath(steps)}`;
  const errors: FieldError[] = [];
  for (const field of ['default', 'defaultRequest'] as const) {
    if (item.type !== 'Container' && Object.keys(item[field]).length > 0) {
      errors.push({
        path: path(field),
        message: `must not be set for the type ${item.type}: only containers have defaults`,
      });
    }
  }
  if (item.type === 'PersistentVolumeClaim' && item.min['storage'] === undefined && item.max['storage'] === undefined) {
    errors.push({ path: `spec.${at}`, message: 'min.storage or max.storage must be set for a PersistentVolumeClaim' });
  }
  const names = new Set([...ascending, 'maxLimitRequestRatio' as const].flatMap((field) => Object.keys(item[field])));
  for (const name of names) {
    for (const [i, low] of ascending.entries()) {
      for (const high of ascending.slice(i + 1)) {
        const [small, large] = [item[low][name], item[high][name]];
        if (!isAbove(small, large)) continue;
        errors.push({ path: path(low, name), message: `"${small}" must be at most ${high}, which is "${large}"` });
      }
    }
    errors.push(...ratioErrors(item, name).map((message) => ({ path: path('maxLimitRequestRatio', name), message })));
  }
  return errors;
}

/** What is not said can't be in the wrong order; what is no quantity, the contract says. */
function isAbove(low: string | undefined, high: string | undefined): boolean {
  const [small, large] = [parseQuantity(low ?? ''), parseQuantity(high ?? '')];
  return small !== undefined && large !== undefined && small > large;
}

function ratioErrors({ maxLimitRequestRatio, min, max }: LimitRangeItem, name: string): string[] {
  const text = maxLimitRequestRatio[name];
  const ratio = text === undefined ? undefined : parseQuantity(text);
  if (ratio === undefined) return [];
  if (ratio < oneNano) return [`"${text}" must be at least 1: a limit is never below its request`];
  const [least, most] = [parseQuantity(min[name] ?? ''), parseQuantity(max[name] ?? '')];
  if (least === undefined || most === undefined || least === 0n || ratio * least <= most * oneNano) return [];
  return [`"${text}" must be at most max / min, which is less`];
}

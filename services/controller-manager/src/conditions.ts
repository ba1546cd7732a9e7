import type { Condition } from '@navarch/proto';
import { timestamp } from './time.ts';

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** What a controller says; the times follow. */
export type ConditionClaim = Pick<Condition, 'type' | 'reason' | 'message'> & { readonly status: ConditionStatus };

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * `conditions` with `claim` in its place. Unchanged when it says nothing new, so that a fixed point stays one;
 * lastTransitionTime moves only with the status.
 */
export function withCondition(conditions: readonly Condition[], claim: ConditionClaim, nowMs: number): Condition[] {
  const present = conditionOf(conditions, claim.type);
  const same = present?.status === claim.status && present.reason === claim.reason && present.message === claim.message;
  if (same) return [...conditions];
  const now = timestamp(nowMs);
  const lastTransitionTime =
    present !== undefined && present.status === claim.status ? present.lastTransitionTime : now;
  const next: Condition = { ...claim, observedGeneration: 0, lastTransitionTime, lastUpdateTime: now };
  return present === undefined
    ? [...conditions, next]
    : conditions.map((condition) => (condition === present ? next : condition));
}

export function withoutCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((condition) => condition.type !== type);
}

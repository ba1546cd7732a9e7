import { standardScaleDown, standardScaleUp } from '@navarch/kinds';
import { parseQuantity } from '@navarch/machinery';
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '@navarch/proto';

/** How fast it may go in one direction. */
export interface Rules {
  readonly windowMs: number;
  readonly select: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly Policy[];
  /** 0.1 is ten percent. */
  readonly tolerance: number;
}

export interface Policy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodMs: number;
}

export interface RuleSet {
  readonly up: Rules;
  readonly down: Rules;
}

const standardTolerance = 0.1;

/** What a spec says, with the defaults in place of what it does not. */
export function rulesOf({ behavior }: HorizontalPodAutoscalerSpec): RuleSet {
  return { up: rules(behavior?.scaleUp, standardScaleUp), down: rules(behavior?.scaleDown, standardScaleDown) };
}

function rules(given: HPAScalingRules | undefined, standard: HPAScalingRules): Rules {
  const { stabilizationWindowSeconds, selectPolicy } = standard;
  const policies = given === undefined || given.policies.length === 0 ? standard.policies : given.policies;
  const tolerance = given?.tolerance === undefined ? undefined : parseQuantity(given.tolerance);
  return {
    windowMs: (given?.stabilizationWindowSeconds ?? stabilizationWindowSeconds ?? 0) * 1000,
    // What else it could be, the schema has refused.
    select: (given?.selectPolicy ?? selectPolicy ?? 'Max') as Rules['select'],
    policies: policies.map(({ type, value, periodSeconds }) => ({
      type: type === 'Percent' ? 'Percent' : 'Pods',
      value,
      periodMs: periodSeconds * 1000,
    })),
    tolerance: tolerance === undefined ? standardTolerance : Number(tolerance) / 1e9,
  };
}

/** Whether a metric that is `ratio` times its target is close enough to it to leave everything as it is. */
export function isTolerable(ratio: number, { up, down }: RuleSet): boolean {
  // A billionth, for 1.1 - 1 is more than 0.1 where numbers are binary.
  return ratio >= 1 - down.tolerance - 1e-9 && ratio <= 1 + up.tolerance + 1e-9;
}

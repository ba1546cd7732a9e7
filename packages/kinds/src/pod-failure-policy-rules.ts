import type { FieldError } from '@navarch/machinery';
import type { JobSpec, PodFailurePolicyOnExitCodes, PodFailurePolicyRule } from '@navarch/proto';

const mostRules = 20;
const mostExitCodes = 255;

/** What must hold in a podFailurePolicy. Source: kubernetes pkg/apis/batch/validation. */
export function validateFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const { podFailurePolicy, podReplacementPolicy, template } = spec;
  if (podFailurePolicy === undefined) return [];
  const at = `${path}.podFailurePolicy`;
  const errors: FieldError[] = [];
  if (template?.spec?.restartPolicy !== 'Never') {
    errors.push({ path: `${path}.template.spec.restartPolicy`, message: 'must be Never when podFailurePolicy is set' });
  }
  if (podReplacementPolicy !== undefined && podReplacementPolicy !== 'Failed') {
    errors.push({ path: `${path}.podReplacementPolicy`, message: 'must be Failed when podFailurePolicy is set' });
  }
  const { rules } = podFailurePolicy;
  if (rules.length > mostRules) errors.push({ path: `${at}.rules`, message: `must be at most ${mostRules} rules` });
  return [...errors, ...rules.flatMap((rule, index) => validateRule(rule, spec, `${at}.rules[${index}]`))];
}

function validateRule(rule: PodFailurePolicyRule, spec: JobSpec, path: string): FieldError[] {
  const { action, onExitCodes, onPodConditions } = rule;
  const errors: FieldError[] = [];
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push({ path: `${path}.action`, message: 'FailIndex needs backoffLimitPerIndex' });
  }
  if ((onExitCodes === undefined) === (onPodConditions.length === 0)) {
    errors.push({ path, message: 'exactly one of onExitCodes and onPodConditions must be set' });
  }
  if (onPodConditions.length > mostRules) {
    errors.push({ path: `${path}.onPodConditions`, message: `must be at most ${mostRules} conditions` });
  }
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(onExitCodes, spec, `${path}.onExitCodes`));
  return errors;
}

function validateExitCodes(
  { containerName, operator, values }: PodFailurePolicyOnExitCodes,
  { template }: JobSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (values.length > mostExitCodes) {
    errors.push({ path: `${path}.values`, message: `must be at most ${mostExitCodes} values` });
  } else if (values.some((value, index) => index > 0 && value <= (values[index - 1] ?? 0))) {
    errors.push({ path: `${path}.values`, message: 'must be in order, each once' });
  }
  if (operator === 'In' && values.includes(0)) {
    errors.push({ path: `${path}.values`, message: 'must not hold 0: a container that returns 0 has not failed' });
  }
  const { containers = [], initContainers = [] } = template?.spec ?? {};
  const names = [...containers, ...initContainers].map(({ name }) => name);
  if (containerName !== undefined && !names.includes(containerName)) {
    const message = `there is no container "${containerName}"; the Pod has ${names.join(', ')}`;
    errors.push({ path: `${path}.containerName`, message });
  }
  return errors;
}

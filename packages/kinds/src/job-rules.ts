import { type FieldError, formatProblem, IndexSet, labelSelectorPredicate } from '@navarch/machinery';
import type { Job, JobSpec, SuccessPolicyRule } from '@navarch/proto';
import { jobNameLabel, jobUidLabel, oldJobNameLabel, oldJobUidLabel } from './job-labels.ts';
import { validateFailurePolicy } from './pod-failure-policy-rules.ts';
import { validatePodSpec } from './pod-rules.ts';
import { validateSelector } from './selector-rules.ts';

/** Limits of Kubernetes' (pkg/apis/batch/validation), so that a status always fits into an object. */
const mostParallelIndexes = 100_000;
const manyCompletions = 100_000;
const fewIndexes = 10_000;
const mostRules = 20;

/** What must hold in a Job beyond the contract's rules for single fields. */
export function validateJob({ metadata, spec }: Job): FieldError[] {
  if (spec === undefined) return [];
  const { name = '', uid = '' } = metadata ?? {};
  return [
    ...validateJobSpec(spec, 'spec'),
    ...validateHostnames(name, spec),
    ...(spec.manualSelector === true ? validateManualSelector(spec) : validateOwnSelector(name, uid, spec)),
  ];
}

/** The rules that a CronJob's template shares. `path` is where the spec stands. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  return [
    ...validateTemplateOfJob(spec, `${path}.template`),
    ...validateIndexes(spec, path),
    ...validateManager(spec, path),
    ...validateFailurePolicy(spec, path),
    ...validateSuccessPolicy(spec, path),
  ];
}

function validateTemplateOfJob({ template, backoffLimitPerIndex }: JobSpec, path: string): FieldError[] {
  const restart = template?.spec?.restartPolicy ?? 'Always';
  const errors = validatePodSpec(template?.spec, `${path}.spec`);
  const at = `${path}.spec.restartPolicy`;
  if (restart !== 'Never' && restart !== 'OnFailure') {
    errors.push({
      path: at,
      message: `must be Never or OnFailure in a Job, not "${restart}": its Pods come to an end`,
    });
  } else if (restart !== 'Never' && backoffLimitPerIndex !== undefined) {
    errors.push({ path: at, message: 'must be Never when backoffLimitPerIndex is set' });
  }
  return errors;
}

function validateIndexes(spec: JobSpec, path: string): FieldError[] {
  const { completionMode, completions, parallelism = 1, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  const wrong = (field: string, message: string) => errors.push({ path: `${path}.${field}`, message });
  if (completionMode === 'Indexed') {
    if (completions === undefined) wrong('completions', 'must be set when completionMode is Indexed');
    if (parallelism > mostParallelIndexes) wrong('parallelism', `must be at most ${mostParallelIndexes} for indexes`);
  } else if (backoffLimitPerIndex !== undefined) {
    wrong('backoffLimitPerIndex', 'can only be set when completionMode is Indexed');
  }
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    wrong('maxFailedIndexes', 'can only be set together with backoffLimitPerIndex');
  }
  if (backoffLimitPerIndex === undefined || completions === undefined) return errors;
  if (maxFailedIndexes !== undefined && maxFailedIndexes > Math.min(completions, manyCompletions)) {
    wrong('maxFailedIndexes', `must be at most ${Math.min(completions, manyCompletions)}`);
  }
  if (completions > manyCompletions) {
    if (maxFailedIndexes === undefined)
      wrong('maxFailedIndexes', `must be set for more than ${manyCompletions} indexes`);
    else if (maxFailedIndexes > fewIndexes)
      wrong('maxFailedIndexes', `must be at most ${fewIndexes} for so many indexes`);
    if (parallelism > fewIndexes) wrong('parallelism', `must be at most ${fewIndexes} for so many indexes`);
  }
  return errors;
}

function validateManager({ managedBy }: JobSpec, path: string): FieldError[] {
  if (managedBy === undefined || (managedBy.includes('/') && managedBy.length <= 63)) return [];
  const message = `"${managedBy}" must be a domain, a slash and a name, of at most 63 characters: example.com/controller`;
  return [{ path: `${path}.managedBy`, message }];
}

function validateSuccessPolicy(
  { successPolicy, completionMode, completions = 0 }: JobSpec,
  path: string,
): FieldError[] {
  if (successPolicy === undefined) return [];
  const at = `${path}.successPolicy`;
  if (completionMode !== 'Indexed') return [{ path: at, message: 'can only be set when completionMode is Indexed' }];
  if (successPolicy.rules.length > mostRules)
    return [{ path: `${at}.rules`, message: `must be at most ${mostRules} rules` }];
  return successPolicy.rules.flatMap((rule, index) => validateSuccessRule(rule, completions, `${at}.rules[${index}]`));
}

function validateSuccessRule(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  if (succeededIndexes === undefined && succeededCount === undefined) {
    return [{ path, message: 'succeededIndexes or succeededCount must be set' }];
  }
  let most = completions;
  if (succeededIndexes !== undefined) {
    const indexes = IndexSet.parse(succeededIndexes);
    if (indexes === undefined || indexes.size === 0 || indexes.last >= completions) {
      const message = `"${succeededIndexes}" must be numbers and ranges in order, below completions: 1,3-5,7`;
      return [{ path: `${path}.succeededIndexes`, message }];
    }
    most = indexes.size;
  }
  if (succeededCount === undefined || succeededCount <= most) return [];
  return [{ path: `${path}.succeededCount`, message: `must be at most ${most}` }];
}

/** The last index's Pod must still have a name that a host can have. */
function validateHostnames(name: string, { completionMode, completions = 0 }: JobSpec): FieldError[] {
  const longest = completionMode === 'Indexed' ? `${name}-${Math.max(0, completions - 1)}` : '';
  if (name.length > 63)
    return [{ path: 'metadata.name', message: 'must be at most 63 characters: Pods carry it as a label' }];
  if (name === '' || longest === '' || formatProblem('DNS_LABEL', longest) === undefined) return [];
  return [{ path: 'metadata.name', message: `"${longest}" would be the host name of a Pod, and must be a DNS label` }];
}

function validateManualSelector({ selector, template }: JobSpec): FieldError[] {
  if (selector === undefined) return [{ path: 'spec.selector', message: 'must be set when manualSelector is true' }];
  const errors = validateSelector(selector, 'spec.selector');
  const labels = template?.metadata?.labels ?? {};
  if (errors.length > 0 || labelSelectorPredicate(selector)(labels)) return errors;
  return [{ path: 'spec.template.metadata.labels', message: 'must match the selector' }];
}

/** Labels that are there already must be right: else a Job would look after the Pods of another. */
function validateOwnSelector(name: string, uid: string, { selector, template }: JobSpec): FieldError[] {
  if (uid === '') return [];
  const errors: FieldError[] = [];
  const labels = template?.metadata?.labels ?? {};
  const own = { [jobNameLabel]: name, [oldJobNameLabel]: name, [jobUidLabel]: uid, [oldJobUidLabel]: uid };
  for (const [label, value] of Object.entries(own)) {
    if (labels[label] === value) continue;
    const message = `"${labels[label]}" must be "${value}"; leave it out, it is set by the api`;
    errors.push({ path: `spec.template.metadata.labels.${label}`, message });
  }
  if (selector !== undefined && !labelSelectorPredicate(selector)(own)) {
    const message = 'must not be set: the api makes it; set manualSelector to true to choose Pods by yourself';
    errors.push({ path: 'spec.selector', message });
  }
  return errors;
}

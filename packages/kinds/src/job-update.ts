import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '@navarch/machinery';
import { type Job, PodTemplateSpec } from '@navarch/proto';
import { withoutEmptyParts } from './empty-parts.ts';

/**
 * What of a Job may change, beyond the fields that never do: completions of an Indexed Job together with parallelism, and of
 * the template, while the Job has not begun, what says where Pods may run. Source: kubernetes pkg/apis/batch/validation.
 */
export function validateJobUpdate({ spec: next }: Job, { spec: previous, status }: Job): FieldError[] {
  if (next === undefined || previous === undefined) return [];
  const errors: FieldError[] = [];
  if (next.completions !== previous.completions) {
    const elastic =
      next.completionMode === 'Indexed' &&
      next.completions === next.parallelism &&
      previous.completions === previous.parallelism;
    const message =
      next.completionMode === 'Indexed'
        ? 'can only be changed to the same number as parallelism, and only when they were equal before'
        : 'can not be changed once the object exists';
    if (!elastic) errors.push({ path: 'spec.completions', message });
  }
  const notBegun = previous.suspend === true && (status?.startTime ?? '') === '';
  const fixed = (template: PodTemplateSpec | undefined) =>
    withoutEmptyParts(notBegun ? withoutPlacement(template) : template && PodTemplateSpec.toJSON(template));
  const after = fixed(next.template);
  const before = fixed(previous.template);
  if (!isDeepStrictEqual(after, before)) {
    const message =
      'can not be changed once the object exists, but for labels, annotations and where Pods may run, and that only while the Job is suspended and has not begun';
    errors.push({ path: 'spec.template', message });
  }
  return errors;
}

/** Fields of a PodSpec that say where the Pod may run. Named as text: not every one of them is in every version of the contract. */
const placement = new Set(['nodeSelector', 'affinity', 'tolerations', 'schedulingGates']);

function withoutPlacement(template: PodTemplateSpec | undefined): unknown {
  const { metadata = {}, spec = {} } = asFields(template && PodTemplateSpec.toJSON(template));
  const { labels: _, annotations: __, ...kept } = asFields(metadata);
  return {
    metadata: kept,
    spec: Object.fromEntries(Object.entries(asFields(spec)).filter(([field]) => !placement.has(field))),
  };
}

function asFields(json: unknown): Readonly<Record<string, unknown>> {
  return (json ?? {}) as Record<string, unknown>; // what messages are made of
}

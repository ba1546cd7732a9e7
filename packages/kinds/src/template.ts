import { type FieldError, labelSelectorPredicate } from '@navarch/machinery';
import type { DaemonSet, Deployment, LabelSelector, PodTemplateSpec, ReplicaSet, StatefulSet } from '@navarch/proto';
import { labelsText, none } from './columns.ts';
import type { Column, ScalePaths } from './define-kind.ts';
import { validatePodSpec } from './pod-rules.ts';
import { validateSelector } from './selector-rules.ts';

/** What kinds that make Pods from a template have in common. */
type Workload = DaemonSet | Deployment | ReplicaSet | StatefulSet;

/** As much of them as their columns show. */
interface Templated {
  readonly spec?:
    | { readonly selector: LabelSelector | undefined; readonly template: PodTemplateSpec | undefined }
    | undefined;
}

export const templateColumns: readonly Column<Templated>[] = [
  { title: 'CONTAINERS', wide: true, value: (workload) => containers(workload, 'name') },
  { title: 'IMAGES', wide: true, value: (workload) => containers(workload, 'image') },
  { title: 'SELECTOR', wide: true, value: ({ spec }) => labelsText(spec?.selector?.matchLabels) },
];

export const templateScale: ScalePaths = {
  specReplicas: 'spec.replicas',
  statusReplicas: 'status.replicas',
  labelSelector: 'spec.selector',
};

export function validateTemplate({ spec }: Workload): FieldError[] {
  const { selector, template } = spec ?? {};
  const errors = [
    ...validateSelector(selector, 'spec.selector'),
    ...validatePodSpec(template?.spec, 'spec.template.spec'),
  ];
  const labels = template?.metadata?.labels ?? {};
  if (selector !== undefined && errors.length === 0 && !labelSelectorPredicate(selector)(labels)) {
    const message = `${labelsText(labels)} must match the selector ${labelsText(selector.matchLabels)}`;
    errors.push({ path: 'spec.template.metadata.labels', message });
  }
  const restart = template?.spec?.restartPolicy ?? 'Always';
  if (restart !== 'Always') {
    errors.push({ path: 'spec.template.spec.restartPolicy', message: `must be Always here, not "${restart}"` });
  }
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    errors.push({ path: 'spec.template.spec.activeDeadlineSeconds', message: 'must not be set here' });
  }
  return errors;
}

function containers({ spec }: Templated, field: 'name' | 'image'): string {
  return (spec?.template?.spec?.containers ?? []).map((container) => container[field]).join(',') || none;
}

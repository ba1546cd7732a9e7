import { Deployment } from '@navarch/proto';
import { defineKind } from './define-kind.ts';
import { completePodSpec } from './pod-complete.ts';
import { validateRelease } from './release-annotations.ts';
import { completeStrategy, validateDeadline, validateStrategy } from './rollout-rules.ts';
import { templateColumns, templateScale, validateTemplate } from './template.ts';

export const deployment = defineKind('deployment', Deployment, {
  group: 'apps',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  columns: [
    { title: 'READY', value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}` },
    { title: 'UP-TO-DATE', type: 'integer', value: ({ status }) => status?.updatedReplicas ?? 0 },
    { title: 'AVAILABLE', type: 'integer', value: ({ status }) => status?.availableReplicas ?? 0 },
    ...templateColumns,
  ],
  complete: ({ spec }) => {
    if (spec === undefined) return;
    completePodSpec(spec.template?.spec);
    completeStrategy(spec);
  },
  validate: (deployment) => [
    ...validateTemplate(deployment),
    ...validateStrategy(deployment),
    ...validateDeadline(deployment),
    ...validateRelease(deployment),
  ],
  scale: templateScale,
  example: 'kinds/deployment.yaml',
});

import { HorizontalPodAutoscaler } from '@navarch/proto';
import { completeAutoscaler, validateAutoscaler } from './autoscaler-rules.ts';
import { targetsText } from './autoscaler-columns.ts';
import { none } from './columns.ts';
import { defineKind } from './define-kind.ts';

export const horizontalPodAutoscaler = defineKind('horizontalPodAutoscaler', HorizontalPodAutoscaler, {
  group: 'autoscaling',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  columns: [
    { title: 'REFERENCE', value: ({ spec }) => referenceText(spec?.scaleTargetRef) },
    { title: 'TARGETS', description: 'What was measured, of what it should be.', value: targetsText },
    { title: 'MINPODS', type: 'integer', value: ({ spec }) => spec?.minReplicas ?? 1 },
    { title: 'MAXPODS', type: 'integer', value: ({ spec }) => spec?.maxReplicas ?? 0 },
    { title: 'REPLICAS', type: 'integer', value: ({ status }) => status?.currentReplicas ?? 0 },
  ],
  complete: ({ spec }) => {
    if (spec !== undefined) completeAutoscaler(spec);
  },
  validate: validateAutoscaler,
  example: 'kinds/horizontalpodautoscaler.yaml',
});

function referenceText(target: { readonly kind: string; readonly name: string } | undefined): string {
  return target === undefined ? none : `${target.kind}/${target.name}`;
}

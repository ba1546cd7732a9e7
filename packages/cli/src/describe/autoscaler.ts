import { horizontalPodAutoscaler, metricTexts, standardScaleDown, standardScaleUp } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { HorizontalPodAutoscaler, HPAScalingRules } from '@navarch/proto';
import { metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { timeText } from './time.ts';

export function describeAutoscaler(object: Live<HorizontalPodAutoscaler>): readonly Entry[] {
  const { metadata, spec, status } = object;
  const { scaleTargetRef, minReplicas = 1, maxReplicas, metrics, behavior } = spec;
  const lines = metricTexts(metrics, status.currentMetrics).map(
    ({ name, current, target }) => `${name}: ${current} / ${target}`,
  );
  return [
    ...metadataEntries(horizontalPodAutoscaler, object),
    { label: 'CreationTimestamp', value: timeText(metadata.creationTimestamp) },
    { label: 'Reference', value: `${scaleTargetRef?.kind}/${scaleTargetRef?.name}` },
    { label: 'Metrics (current / target)', lines },
    { label: 'Min replicas', value: minReplicas },
    { label: 'Max replicas', value: maxReplicas },
    {
      label: 'Behavior',
      entries: [
        rulesEntry('Scale Up', { ...standardScaleUp, ...behavior?.scaleUp }),
        rulesEntry('Scale Down', { ...standardScaleDown, ...behavior?.scaleDown }),
      ],
    },
    { label: 'Target pods', value: `${status.currentReplicas} current / ${status.desiredReplicas} desired` },
    ...(status.lastScaleTime === '' ? [] : [{ label: 'Last scaled', value: timeText(status.lastScaleTime) }]),
    {
      label: 'Conditions',
      table: [
        ['Type', 'Status', 'Reason', 'Message'],
        ...status.conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
      ],
    },
  ];
}

function rulesEntry(
  label: string,
  { stabilizationWindowSeconds = 0, selectPolicy = 'Max', policies, tolerance }: HPAScalingRules,
): Entry {
  const unit = (type: string) => (type === 'Pods' ? 'Pods' : '%');
  return {
    label,
    entries: [
      { label: 'Stabilization Window', value: `${stabilizationWindowSeconds} s` },
      { label: 'Select Policy', value: selectPolicy },
      {
        label: 'Policies',
        lines: policies.map(({ type, value, periodSeconds }) => `${value} ${unit(type)} in ${periodSeconds} s`),
      },
      { label: 'Tolerance', value: tolerance ?? '0.1' },
    ],
  };
}

import { pod, statefulSet } from '@navarch/kinds';
import { formatLabelSelector, type Live } from '@navarch/machinery';
import type { Pod, StatefulSet, VolumeClaimTemplate } from '@navarch/proto';
import type { Session } from '../session.ts';
import { annotationsEntry, labelsEntry, metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { containerEntries, volumeEntries } from './pod-template.ts';
import { timeText } from './time.ts';

export async function describeStatefulSet(object: Live<StatefulSet>, session: Session): Promise<readonly Entry[]> {
  const { metadata, spec, status } = object;
  const [name, namespace, ...labels] = metadataEntries(statefulSet, object);
  const selector = formatLabelSelector(spec.selector);
  const { items } = await session.client().list(pod, { namespace: metadata.namespace, labelSelector: selector });
  const own = items.filter((item) => item.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid));
  const podSpec = spec.template?.spec;
  return [
    ...[name, namespace].filter((entry) => entry !== undefined),
    { label: 'CreationTimestamp', value: timeText(metadata.creationTimestamp) },
    { label: 'Selector', value: selector },
    ...labels,
    { label: 'Service', value: spec.serviceName || '<none>' },
    { label: 'Replicas', value: `${spec.replicas ?? 1} desired | ${status.replicas} total` },
    ...strategyEntries(object),
    { label: 'Pods Status', value: phasesText(own) },
    {
      label: 'Pod Template',
      entries: [
        labelsEntry('Labels', spec.template?.metadata?.labels),
        ...(podSpec === undefined ? [] : [...containerEntries(podSpec), ...volumeEntries(podSpec)]),
      ],
    },
    { label: 'Volume Claims', entries: spec.volumeClaimTemplates.map(claimEntry) },
  ];
}

function strategyEntries({ spec, status }: Live<StatefulSet>): readonly Entry[] {
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  const { currentRevision, updateRevision, updatedReplicas } = status;
  const revision =
    currentRevision === updateRevision
      ? updateRevision
      : `${updateRevision} (${updatedReplicas} updated, the others are of ${currentRevision})`;
  return [
    { label: 'Pod Management', value: spec.podManagementPolicy ?? 'OrderedReady' },
    { label: 'Update Strategy', value: type },
    ...(rollingUpdate === undefined ? [] : [{ label: '  Partition', value: rollingUpdate.partition ?? 0 }]),
    ...(rollingUpdate?.maxUnavailable === undefined
      ? []
      : [{ label: '  Max Unavailable', value: String(rollingUpdate.maxUnavailable) }]),
    { label: 'Revision', value: revision },
  ];
}

/** As kubectl counts them: a Pod without a phase has yet to be looked at. */
function phasesText(pods: readonly Live<Pod>[]): string {
  const count = (...phases: string[]) => pods.filter(({ status }) => phases.includes(status.phase)).length;
  return `${count('Running')} Running / ${count('Pending', '')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

function claimEntry({ metadata, spec }: VolumeClaimTemplate): Entry {
  return {
    label: metadata?.name ?? '',
    entries: [
      { label: 'StorageClass', value: spec?.storageClassName ?? '' },
      labelsEntry('Labels', metadata?.labels),
      annotationsEntry(metadata?.annotations),
      { label: 'Capacity', value: spec?.resources?.requests['storage'] ?? '' },
      { label: 'Access Modes', value: `[${spec?.accessModes.join(',') ?? ''}]` },
    ],
  };
}

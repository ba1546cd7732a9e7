import { daemonSet, pod as podKind } from '@navarch/kinds';
import { formatLabelSelector, type Live } from '@navarch/machinery';
import type { DaemonSet } from '@navarch/proto';
import type { Session } from '../session.ts';
import { metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { containerEntries, volumeEntries } from './pod-template.ts';

export async function describeDaemonSet(object: Live<DaemonSet>, session: Session): Promise<readonly Entry[]> {
  const { metadata, spec, status } = object;
  const [name, namespace, ...more] = metadataEntries(daemonSet, object);
  const { items } = await session.client().list(podKind, {
    namespace: metadata.namespace,
    labelSelector: formatLabelSelector(spec.selector),
  });
  const own = items.filter((item) => item.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid));
  const phases = ['Running', 'Pending', 'Succeeded', 'Failed'].map((phase) => {
    const count = own.filter((each) => (each.status.phase || 'Pending') === phase).length;
    return `${count} ${phase === 'Pending' ? 'Waiting' : phase}`;
  });
  const { nodeSelector = {} } = spec.template?.spec ?? {};
  const step = spec.updateStrategy?.rollingUpdate;
  const podSpec = spec.template?.spec;
  return [
    ...[name, namespace].filter((entry) => entry !== undefined),
    { label: 'Selector', value: formatLabelSelector(spec.selector) },
    { label: 'Node-Selector', lines: Object.entries(nodeSelector).map(([key, value]) => `${key}=${value}`) },
    ...more,
    { label: 'Update Strategy', value: spec.updateStrategy?.type ?? '' },
    ...(step === undefined
      ? []
      : [
          {
            label: 'Rolling Update',
            value: `${String(step.maxUnavailable)} max unavailable, ${String(step.maxSurge)} max surge`,
          },
        ]),
    { label: 'Desired Number of Nodes Scheduled', value: status.desiredNumberScheduled },
    { label: 'Current Number of Nodes Scheduled', value: status.currentNumberScheduled },
    { label: 'Number of Nodes Scheduled with Up-to-date Pods', value: status.updatedNumberScheduled },
    { label: 'Number of Nodes Scheduled with Available Pods', value: status.numberAvailable },
    { label: 'Number of Nodes Misscheduled', value: status.numberMisscheduled },
    { label: 'Pods Status', value: phases.join(' / ') },
    {
      label: 'Pod Template',
      entries: [
        { label: 'Labels', lines: Object.entries(spec.template?.metadata?.labels ?? {}).map(([k, v]) => `${k}=${v}`) },
        ...(podSpec === undefined ? [] : [...containerEntries(podSpec), ...volumeEntries(podSpec)]),
      ],
    },
  ];
}

import { controllerOf, pod, podStatusText } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { ContainerState, ContainerStatus, Pod } from '@navarch/proto';
import { labelsEntry, metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { containerEntries, volumeEntries } from './pod-template.ts';
import { timeText } from './time.ts';

export function describePod(object: Live<Pod>): readonly Entry[] {
  const { metadata, spec, status } = object;
  const [name, namespace, ...labels] = metadataEntries(pod, object);
  const owner = controllerOf({ metadata });
  const entries: Entry[] = [
    ...[name, namespace].filter((entry) => entry !== undefined),
    { label: 'Node', value: spec.nodeName === '' ? '<none>' : `${spec.nodeName}/${status.hostIp}` },
    { label: 'Start Time', value: timeText(status.startTime) },
    ...labels,
    { label: 'Status', value: podStatusText(object) },
  ];
  if (metadata.deletionTimestamp !== '') {
    entries.push({ label: 'Termination Grace Period', value: `${metadata.deletionGracePeriodSeconds ?? 0}s` });
  }
  if (status.reason !== '') entries.push({ label: 'Reason', value: status.reason });
  if (status.message !== '') entries.push({ label: 'Message', value: status.message });
  entries.push({ label: 'IP', value: status.podIp });
  if (owner !== undefined) entries.push({ label: 'Controlled By', value: `${owner.kind}/${owner.name}` });
  const statuses = [...status.initContainerStatuses, ...status.containerStatuses];
  return [
    ...entries,
    ...containerEntries(spec, (container) => statusEntries(statuses.find(({ name }) => name === container))),
    {
      label: 'Conditions',
      table: [['Type', 'Status'], ...status.conditions.map(({ type, status }) => [type, status])],
    },
    ...volumeEntries(spec),
    { label: 'QoS Class', value: status.qosClass || '<unset>' },
    labelsEntry('Node-Selectors', spec.nodeSelector),
  ];
}

function statusEntries(status: ContainerStatus | undefined): readonly Entry[] {
  if (status === undefined) return [];
  return [
    { label: 'Container ID', value: status.containerId },
    { label: 'Image ID', value: status.imageId },
    ...stateEntries('State', status.state),
    ...(status.lastState === undefined ? [] : stateEntries('Last State', status.lastState)),
    { label: 'Ready', value: status.ready ? 'True' : 'False' },
    { label: 'Restart Count', value: status.restartCount },
  ];
}

function stateEntries(label: string, state: ContainerState | undefined): readonly Entry[] {
  const { waiting, running, terminated } = state ?? {};
  const optional = (name: string, value: string): readonly Entry[] =>
    value === '' ? [] : [{ label: `  ${name}`, value }];
  if (running !== undefined) return [{ label, value: 'Running' }, ...optional('Started', timeText(running.startedAt))];
  if (terminated !== undefined) {
    return [
      { label, value: 'Terminated' },
      ...optional('Reason', terminated.reason),
      ...optional('Message', terminated.message),
      { label: '  Exit Code', value: terminated.exitCode },
      ...optional('Started', timeText(terminated.startedAt)),
      ...optional('Finished', timeText(terminated.finishedAt)),
    ];
  }
  if (waiting === undefined) return [{ label, value: 'Waiting' }];
  return [{ label, value: 'Waiting' }, ...optional('Reason', waiting.reason), ...optional('Message', waiting.message)];
}

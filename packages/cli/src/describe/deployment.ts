import { deployment, replicaSet } from '@navarch/kinds';
import { formatLabelSelector, type Live } from '@navarch/machinery';
import type { Deployment, ReplicaSet } from '@navarch/proto';
import { canaryText } from '../rollout/release.ts';
import type { Session } from '../session.ts';
import { conditionTable } from './conditions.ts';
import { metadataEntries } from './generic.ts';
import type { Entry } from './outline.ts';
import { containerEntries, volumeEntries } from './pod-template.ts';
import { timeText } from './time.ts';

export async function describeDeployment(object: Live<Deployment>, session: Session): Promise<readonly Entry[]> {
  const { metadata, spec, status } = object;
  const [first, second, ...more] = metadataEntries(deployment, object);
  const { items } = await session.client().list(replicaSet, {
    namespace: metadata.namespace,
    labelSelector: formatLabelSelector(spec.selector),
  });
  const own = items.filter((item) => item.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid));
  const step = spec.strategy?.rollingUpdate;
  const podSpec = spec.template?.spec;
  return [
    ...[first, second].filter((entry) => entry !== undefined),
    { label: 'CreationTimestamp', value: timeText(metadata.creationTimestamp) },
    ...more,
    { label: 'Selector', value: formatLabelSelector(spec.selector) },
    {
      label: 'Replicas',
      value: `${spec.replicas ?? 1} desired | ${status.updatedReplicas} updated | ${status.replicas} total | ${status.availableReplicas} available | ${status.unavailableReplicas} unavailable`,
    },
    { label: 'StrategyType', value: spec.strategy?.type ?? '' },
    { label: 'MinReadySeconds', value: spec.minReadySeconds },
    ...(step === undefined
      ? []
      : [
          {
            label: 'RollingUpdateStrategy',
            value: `${String(step.maxUnavailable)} max unavailable, ${String(step.maxSurge)} max surge`,
          },
        ]),
    {
      label: 'Pod Template',
      entries: [
        { label: 'Labels', lines: Object.entries(spec.template?.metadata?.labels ?? {}).map(([k, v]) => `${k}=${v}`) },
        ...(podSpec === undefined ? [] : [...containerEntries(podSpec), ...volumeEntries(podSpec)]),
      ],
    },
    { label: 'Conditions', table: conditionTable(status.conditions) },
    ...releaseEntries(object),
    { label: 'OldReplicaSets', lines: own.filter((set) => !isNewest(set, own)).map(setText) },
    { label: 'NewReplicaSet', lines: own.filter((set) => isNewest(set, own)).map(setText) },
  ];
}

/** Where it stands among its releases, as far as there is something to say. */
function releaseEntries({ status: { release, conditions } }: Live<Deployment>): readonly Entry[] {
  const rolledBack = conditions.find(({ type }) => type === 'RolledBack');
  return [
    ...(release === undefined || release.lastGood === '' ? [] : [{ label: 'LastGood', value: release.lastGood }]),
    ...(release?.canary === undefined ? [] : [{ label: 'Canary', value: canaryText(release.canary) }]),
    ...(rolledBack === undefined ? [] : [{ label: 'RolledBack', value: rolledBack.message }]),
  ];
}

function isNewest(set: Live<ReplicaSet>, all: readonly Live<ReplicaSet>[]): boolean {
  const revision = ({ metadata }: Live<ReplicaSet>) =>
    Number(metadata.annotations['deployment.kubernetes.io/revision'] ?? 0);
  return all.every((other) => revision(other) <= revision(set));
}

function setText({ metadata, spec, status }: Live<ReplicaSet>): string {
  return `${metadata.name} (${status.replicas}/${spec.replicas ?? 1} replicas created)`;
}

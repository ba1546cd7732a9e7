import { Node } from '@navarch/proto';
import { ageColumn, nameColumn, none, orNone } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { validateTaints } from './taints.ts';

const rolePrefix = 'node-role.kubernetes.io/';

export const node = defineKind('node', Node, {
  group: '',
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  ownColumns: true,
  columns: [
    nameColumn,
    { title: 'STATUS', value: statusText },
    { title: 'ROLES', value: rolesText },
    ageColumn,
    { title: 'VERSION', value: ({ status }) => orNone(status?.nodeInfo?.agentVersion ?? '') },
    { title: 'INTERNAL-IP', wide: true, value: (object) => address(object, 'InternalIP') },
    { title: 'EXTERNAL-IP', wide: true, value: (object) => address(object, 'ExternalIP') },
    { title: 'OS-IMAGE', wide: true, value: ({ status }) => status?.nodeInfo?.osImage || '<unknown>' },
    { title: 'KERNEL-VERSION', wide: true, value: ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>' },
    {
      title: 'CONTAINER-RUNTIME',
      wide: true,
      value: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  validate: ({ spec }) => validateTaints(spec?.taints ?? [], 'spec.taints'),
  validateUpdate: ({ spec: next }, { spec: previous }) => {
    const had = previous?.podCidr ?? '';
    if (had === '' || next?.podCidr === had) return [];
    return [{ path: 'spec.podCIDR', message: `can not be changed; it is "${had}"` }];
  },
  example: 'kinds/node.yaml',
});

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions.find((condition) => condition.type === 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (spec?.unschedulable === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function rolesText({ metadata }: Node): string {
  const roles = Object.keys(metadata?.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length));
  return orNone(roles.sort().join(','));
}

function address({ status }: Node, type: string): string {
  return status?.addresses.find((candidate) => candidate.type === type)?.address ?? none;
}

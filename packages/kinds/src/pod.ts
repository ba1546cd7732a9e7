import { Pod } from '@navarch/proto';
import { orNone } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { podColumns } from './pod-columns.ts';
import { completePod } from './pod-complete.ts';
import { validatePodSpec } from './pod-rules.ts';
import { validatePodUpdate } from './pod-update.ts';

export const pod = defineKind('pod', Pod, {
  group: '',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  columns: [
    ...podColumns,
    { title: 'IP', wide: true, value: ({ status }) => orNone(status?.podIp ?? '') },
    { title: 'NODE', wide: true, value: ({ spec }) => orNone(spec?.nodeName ?? '') },
  ],
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? 'Always',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIp ?? '',
  },
  feedField: 'spec.nodeName',
  // Nobody has to end a Pod that runs nowhere: it has no node yet, or its containers have ended for good.
  gracePeriodSeconds: ({ spec, status }) => {
    const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    return !spec?.nodeName || ended ? 0 : (spec.terminationGracePeriodSeconds ?? 30);
  },
  complete: completePod,
  validate: ({ spec }) => validatePodSpec(spec, 'spec'),
  specAlone: true,
  validateUpdate: validatePodUpdate,
  example: 'kinds/pod.yaml',
});

import { ConfigMap } from '@navarch/proto';
import { defineKind } from './define-kind.ts';
import { dataBytesAtMost, frozenWhenImmutable, keysOnlyOnce } from './settings-rules.ts';

export const configMap = defineKind('configMap', ConfigMap, {
  group: '',
  plural: 'configmaps',
  shortNames: ['cm'],
  onFeed: false,
  columns: [
    {
      title: 'DATA',
      type: 'integer',
      value: ({ data, binaryData }) => Object.keys(data).length + Object.keys(binaryData).length,
    },
  ],
  validate: ({ data, binaryData }) => [
    ...keysOnlyOnce({ data, binaryData }),
    ...dataBytesAtMost(1 << 20, { ...data, ...binaryData }),
  ],
  validateUpdate: (next, previous) => frozenWhenImmutable(next, previous, ['data', 'binaryData']),
  example: 'kinds/configmap.yaml',
});

import { Secret } from '@navarch/proto';
import { defineKind } from './define-kind.ts';
import { dataBytesAtMost, frozenWhenImmutable } from './settings-rules.ts';

export const secret = defineKind('secret', Secret, {
  group: '',
  plural: 'secrets',
  confidential: true,
  columns: [
    { title: 'TYPE', value: ({ type }) => type ?? 'Opaque' },
    { title: 'DATA', type: 'integer', value: ({ data }) => Object.keys(data).length },
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
  unify: (secret) => {
    for (const [key, text] of Object.entries(secret.stringData)) secret.data[key] = Buffer.from(text);
    secret.stringData = {};
  },
  validate: ({ data }) => dataBytesAtMost(1 << 20, data),
  validateUpdate: (next, previous) => frozenWhenImmutable(next, previous, ['data']),
  example: 'kinds/secret.yaml',
});

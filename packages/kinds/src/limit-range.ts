import { LimitRange } from '@navarch/proto';
import { nameColumn } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { completeLimits, validateLimits } from './limit-rules.ts';

export const limitRange = defineKind('limitRange', LimitRange, {
  group: '',
  plural: 'limitranges',
  shortNames: ['limits'],
  ownColumns: true,
  columns: [nameColumn, { title: 'CREATED AT', value: ({ metadata }) => metadata?.creationTimestamp ?? '' }],
  complete: completeLimits,
  validate: validateLimits,
  example: 'kinds/limitrange.yaml',
});

import { LimitRange } from '@navarch/proto';
import { createdColumn, nameColumn } from './columns.ts';
import { defineKind } from './define-kind.ts';
import { completeLimits, validateLimits } from './limit-rules.ts';

export const limitRange = defineKind('limitRange', LimitRange, {
  group: '',
  plural: 'limitranges',
  shortNames: ['limits'],
  ownColumns: true,
  columns: [nameColumn, createdColumn],
  complete: completeLimits,
  validate: validateLimits,
  example: 'kinds/limitrange.yaml',
});

import { ServiceAccount } from '@navarch/proto';
import { defineKind } from './define-kind.ts';

/** The account that every namespace has, and Pods get that name none. */
export const defaultServiceAccount = 'default';

export const serviceAccount = defineKind('serviceAccount', ServiceAccount, {
  group: '',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  columns: [{ title: 'SECRETS', type: 'integer', value: ({ secrets }) => secrets.length }],
  example: 'kinds/serviceaccount.yaml',
});

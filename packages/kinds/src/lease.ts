import { Lease } from '@navarch/proto';
import { defineKind } from './define-kind.ts';

export const lease = defineKind('lease', Lease, {
  group: 'coordination.k8s.io',
  plural: 'leases',
  columns: [{ title: 'HOLDER', value: ({ spec }) => spec?.holderIdentity ?? '' }],
  example: 'kinds/lease.yaml',
});

import { Lease } from '@navarch/proto';
import { defineKind } from './define-kind.ts';

/**
 * Written by the leading scheduler before it places Pods whose rules about other Pods are new. Bindings of other schedulers that were
 * decided before are refused: see `Binding.decided_at`.
 */
export const podRulesLease = { namespace: 'navarch-system', name: 'scheduler-pod-rules' } as const;

export const lease = defineKind('lease', Lease, {
  group: 'coordination.k8s.io',
  plural: 'leases',
  columns: [{ title: 'HOLDER', value: ({ spec }) => spec?.holderIdentity ?? '' }],
  example: 'kinds/lease.yaml',
});

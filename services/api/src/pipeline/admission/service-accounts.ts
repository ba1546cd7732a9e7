import { defaultServiceAccount, pod as podKind, serviceAccount as serviceAccountKind } from '@navarch/kinds';
import type { Pod } from '@navarch/proto';
import { forbidden } from './forbidden.ts';
import { withFields } from '../shared-specs.ts';
import type { Link } from './link.ts';

/**
 * A Pod has the namespace's default account unless it names another, which must be there when the Pod is made. The default
 * one is made by a controller a moment after its namespace: a Pod need not wait for that.
 */
export const serviceAccounts: Link = {
  admit: ({ circumstances: { view }, kind, next, previous }) => {
    if (kind.case !== podKind.case) return undefined;
    const { spec } = next as Pod; // the kind says what it is
    if (spec === undefined) return undefined;
    const before = (previous?.object as Pod | undefined)?.spec; // the same kind's
    const serviceAccountName = spec.serviceAccountName || (before?.serviceAccountName ?? '') || defaultServiceAccount;
    next.spec = withFields(spec, { serviceAccountName, serviceAccount: serviceAccountName });
    if (previous !== undefined || serviceAccountName === defaultServiceAccount) return undefined;
    const { namespace } = next.metadata;
    if (view.get(serviceAccountKind, namespace, serviceAccountName) !== undefined) return undefined;
    throw forbidden(
      next,
      podKind,
      `there is no ServiceAccount "${serviceAccountName}" in namespace "${namespace}"; navctl get serviceaccounts -n ${namespace} shows those that there are`,
    );
  },
};

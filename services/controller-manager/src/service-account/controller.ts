import type { Controller, Source } from '@navarch/controller';
import {
  defaultServiceAccount,
  namespace as namespaceKind,
  serviceAccount as serviceAccountKind,
} from '@navarch/kinds';
import type { Namespace, ServiceAccount } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { reconcileServiceAccount } from './reconcile.ts';

/** Makes each namespace's default account, and makes it again when it is deleted. A key is a namespace's name. */
export function serviceAccountController({ namespaces, serviceAccounts }: Caches, hands: Hands): Controller {
  const own: Source<Namespace> = { kind: namespaceKind, keys: ({ metadata }) => [metadata?.name ?? ''] };
  const accounts: Source<ServiceAccount> = {
    kind: serviceAccountKind,
    keys: ({ metadata }) => (metadata?.name === defaultServiceAccount ? [metadata.namespace] : []),
  };
  return {
    name: 'service-account',
    sources: [own, accounts],
    reconcile: (namespace, context) => {
      const isThere = serviceAccounts.get({ namespace, name: defaultServiceAccount }) !== undefined;
      return carryOut(hands, reconcileServiceAccount(namespaces.get(namespace), isThere), context);
    },
  };
}

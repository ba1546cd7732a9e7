import { type ClientWrite } from '@navarch/client';
import { defaultServiceAccount, serviceAccount as serviceAccountKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Namespace, ServiceAccount } from '@navarch/proto';
import { nothingToDo, type Plan } from '../plan.ts';

/** Every namespace has its default account, until it is being deleted. */
export function reconcileServiceAccount(namespace: Live<Namespace> | undefined, isThere: boolean): Plan {
  if (namespace === undefined || isThere || namespace.metadata.deletionTimestamp !== '') return nothingToDo;
  const object = ServiceAccount.fromPartial({
    metadata: { name: defaultServiceAccount, namespace: namespace.metadata.name },
  });
  const create: ClientWrite = { type: 'create', kind: serviceAccountKind, object };
  return { writes: [create], events: [] };
}

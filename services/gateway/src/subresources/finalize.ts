import { namespace } from '@navarch/kinds';
import type { ApiCalls } from '../api/api-calls.ts';
import { updateHandler } from '../resources/update.ts';
import type { Subresource } from './subresource.ts';

/**
 * Where clients take finalizers out of a namespace's spec, so that it may go. It is an update, for which an update of the
 * namespace must be allowed.
 */
export function finalizeSubresource(api: ApiCalls): Subresource {
  return { name: 'finalize', has: (kind) => kind === namespace, verbs: { update: updateHandler(api, 'all') } };
}

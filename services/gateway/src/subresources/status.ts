import type { ApiCalls } from '../api/api-calls.ts';
import { getHandler } from '../resources/get.ts';
import { patchHandler } from '../resources/patch.ts';
import { updateHandler } from '../resources/update.ts';
import type { Subresource } from './subresource.ts';

/** What is seen of an object: read with it, written alone. */
export function statusSubresource(api: ApiCalls): Subresource {
  return {
    name: 'status',
    has: ({ hasStatus }) => hasStatus,
    verbs: { get: getHandler(api), update: updateHandler(api, 'status'), patch: patchHandler(api, 'status') },
  };
}

import type { Kinds } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { Write as WriteMessage } from '@navarch/proto';
import type { Subresource, Verb } from './access.ts';
import { applyWrite } from './apply.ts';
import { bindWrite } from './bind.ts';
import { checkWrite } from './check.ts';
import { createWrite } from './create.ts';
import { deleteWrite } from './delete.ts';
import { evictWrite } from './evict.ts';
import { incoming } from './incoming.ts';
import { patchWrite } from './patch.ts';
import { scaleWrite } from './scale.ts';
import { updateStatusWrite, updateWrite } from './update.ts';
import type { Write } from './write.ts';

/** A write of a transaction, and what its writer must be allowed to do. */
export interface DecodedWrite {
  readonly write: Write;
  readonly verb: Verb;
  readonly subresource?: Subresource;
}

/** The write in a message of a transaction. */
export function decodeWrite(kinds: Kinds, { write }: WriteMessage): DecodedWrite {
  switch (write?.$case) {
    case 'create':
      return { verb: 'create', write: createWrite(incoming(write.value, kinds)) };
    case 'update':
      return { verb: 'update', write: updateWrite(incoming(write.value, kinds)) };
    case 'updateStatus':
      return { verb: 'update', subresource: 'status', write: updateStatusWrite(incoming(write.value, kinds)) };
    case 'delete':
      return { verb: 'delete', write: deleteWrite(kinds, alone(write.value)) };
    case 'bind':
      return { verb: 'create', subresource: 'binding', write: bindWrite(write.value) };
    case 'patch':
      return { verb: 'patch', ...patched(write.value.subresource), write: patchWrite(kinds, alone(write.value)) };
    case 'apply':
      return { verb: 'patch', write: applyWrite(kinds, alone(write.value)) };
    case 'evict':
      return { verb: 'create', subresource: 'eviction', write: evictWrite(write.value) };
    case 'scale':
      return { verb: 'update', subresource: 'scale', write: scaleWrite(kinds, alone(write.value)) };
    case 'check':
      return { verb: 'get', write: checkWrite(kinds, write.value) };
    default:
      throw new ApiError('BadRequest', 'a write must hold one of the things that a write can do');
  }
}

/** What a patch asks for beyond the object itself. */
export function patched(subresource: string): { subresource?: Subresource } {
  return subresource === 'status' || subresource === 'scale' ? { subresource } : {};
}

/** A transaction is tried, or done, as a whole: one of its writes can't say otherwise. */
function alone<T extends { readonly dryRun: boolean }>(request: T): T {
  if (request.dryRun)
    throw new ApiError('BadRequest', 'dry_run must be set on the transaction, not on one of its writes');
  return request;
}

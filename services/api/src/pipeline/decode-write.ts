import type { Kinds } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { FieldValidation, type Write as WriteMessage } from '@navarch/proto';
import type { Subresource, Verb } from './access.ts';
import { applyWrite } from './apply.ts';
import { bindWrite } from './bind.ts';
import { checkWrite } from './check.ts';
import { createWrite } from './create.ts';
import { deleteWrite } from './delete.ts';
import { evictWrite } from './evict.ts';
import { type FieldPolicy, fieldPolicy } from './field-policy.ts';
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

/** What a transaction says for those of its writes that do not say so themselves. */
export interface WriteDefaults {
  readonly manager: string;
  readonly policy: FieldPolicy;
}

/** The write in a message of a transaction. */
export function decodeWrite(kinds: Kinds, { write }: WriteMessage, defaults: WriteDefaults): DecodedWrite {
  const { manager } = defaults;
  switch (write?.$case) {
    case 'create':
      return { verb: 'create', write: createWrite(incoming(write.value, kinds, manager)) };
    case 'update':
      return { verb: 'update', write: updateWrite(incoming(write.value, kinds, manager)) };
    case 'updateStatus':
      return { verb: 'update', subresource: 'status', write: updateStatusWrite(incoming(write.value, kinds, manager)) };
    case 'delete':
      return { verb: 'delete', write: deleteWrite(kinds, alone(write.value)) };
    case 'bind':
      return { verb: 'create', subresource: 'binding', write: bindWrite(write.value) };
    case 'patch': {
      const { request, policy } = completed(alone(write.value), defaults);
      return { verb: 'patch', ...patched(request.subresource), write: patchWrite(kinds, request, policy) };
    }
    case 'apply': {
      const { request, policy } = completed(alone(write.value), defaults);
      return { verb: 'patch', ...patched(request.subresource), write: applyWrite(kinds, request, policy) };
    }
    case 'evict':
      return { verb: 'create', subresource: 'eviction', write: evictWrite(write.value) };
    case 'scale':
      return {
        verb: 'update',
        subresource: 'scale',
        write: scaleWrite(kinds, completed(alone(write.value), defaults).request),
      };
    case 'check':
      return { verb: 'get', write: checkWrite(kinds, write.value) };
    default:
      throw new ApiError('BadRequest', 'a write must hold one of the things that a write can do');
  }
}

const partsPatched: ReadonlySet<Subresource> = new Set(['status', 'scale', 'ephemeralcontainers']);

/** What a patch asks for beyond the object itself. */
export function patched(subresource: string): { subresource?: Subresource } {
  return partsPatched.has(subresource as Subresource) ? { subresource: subresource as Subresource } : {};
}

/** A transaction is tried, or done, as a whole: one of its writes can't say otherwise. */
function alone<T extends { readonly dryRun: boolean }>(request: T): T {
  if (request.dryRun)
    throw new ApiError('BadRequest', 'dry_run must be set on the transaction, not on one of its writes');
  return request;
}

/** A request of a transaction with what the transaction says for it. */
function completed<T extends { readonly fieldManager: string; readonly fieldValidation?: FieldValidation }>(
  request: T,
  { manager, policy }: WriteDefaults,
): { request: T; policy: FieldPolicy } {
  const { fieldManager, fieldValidation = FieldValidation.UNSPECIFIED } = request;
  return {
    request: fieldManager === '' ? { ...request, fieldManager: manager } : request,
    policy: fieldValidation === FieldValidation.UNSPECIFIED ? policy : fieldPolicy(fieldValidation, policy.warn),
  };
}

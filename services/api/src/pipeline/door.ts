import type { KindDefinition } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';

/** The part of an object that a request is about. Throws BadRequest when its kind has no such part. */
export function doorOf(kind: KindDefinition, subresource: string): '' | 'status' {
  if (subresource === '') return '';
  if (subresource !== 'status') {
    throw new ApiError('BadRequest', `subresource must be empty or "status", not "${subresource}"`);
  }
  if (!kind.hasStatus) throw new ApiError('BadRequest', `${kind.plural} have no status`);
  return 'status';
}

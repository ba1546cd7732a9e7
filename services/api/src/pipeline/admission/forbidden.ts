import type { KindDefinition } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { describe } from '../../read/resource-name.ts';
import type { WritableObject } from '../object-rules.ts';

/** A rule of the cluster or of the namespace says no to an object that is right in itself. */
export function forbidden(
  { metadata: { namespace, name } }: Pick<WritableObject, 'metadata'>,
  kind: KindDefinition,
  why: string,
): ApiError {
  return new ApiError('Forbidden', `${describe(kind, namespace, name)} is forbidden: ${why}`);
}

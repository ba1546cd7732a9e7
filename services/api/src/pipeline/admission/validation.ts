import type { FieldError } from '@navarch/machinery';
import type { ReadonlyObject } from '../../cache/cached-object.ts';
import { objectErrors, updateErrors, type WritableObject } from '../object-rules.ts';
import type { Link } from './link.ts';

/** What the contract and the kind demand of an object, and of a step from one version to the next. */
export const validation: Link = {
  admit: ({ kind, next, previous }) => {
    const errors = objectErrors(kind, next);
    if (previous === undefined) return { errors };
    const { object: before } = previous;
    return { errors: [...errors, ...updateErrors(kind, next, before), ...finalizerErrors(next, before)] };
  },
};

/** An object that is on its way out can't be held back by somebody new. */
function finalizerErrors(next: WritableObject, { metadata: previous }: ReadonlyObject): FieldError[] {
  if (previous.deletionTimestamp === '') return [];
  const added = next.metadata.finalizers.filter((name) => !previous.finalizers.includes(name));
  if (added.length === 0) return [];
  return [{ path: 'metadata.finalizers', message: `can not gain ${added.join(', ')}: the object is being deleted` }];
}

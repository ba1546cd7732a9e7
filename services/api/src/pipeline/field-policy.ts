import { ApiError, type FieldError } from '@navarch/machinery';
import { FieldValidation } from '@navarch/proto';

/** What a request wants to happen with fields that are unknown or stand twice. */
export interface FieldPolicy {
  readonly validation: FieldValidation;
  /** Tells the caller. */
  readonly warn: (text: string) => void;
}

/** Refuses all of them, which is what a request gets that says nothing. */
export const strict: FieldPolicy = {
  validation: FieldValidation.STRICT,
  warn: () => undefined, // nothing is let through
};

/** Throws BadRequest for a value that the contract lacks. */
export function fieldPolicy(validation: FieldValidation, warn: (text: string) => void): FieldPolicy {
  switch (validation) {
    case FieldValidation.UNSPECIFIED:
    case FieldValidation.STRICT:
      return strict;
    case FieldValidation.WARN:
      return { validation, warn };
    case FieldValidation.IGNORE:
      return { ...strict, validation };
    default:
      throw new ApiError('BadRequest', 'field_validation must be STRICT, WARN or IGNORE');
  }
}

/** The errors for which the write is refused. The caller is told of the others if it wants to be. */
export function refused(errors: readonly FieldError[], { validation, warn }: FieldPolicy): readonly FieldError[] {
  if (validation === FieldValidation.STRICT) return errors;
  return errors.filter(({ path, message, unknown }) => {
    if (unknown === true) warn(`${path}: ${message}`);
    return unknown !== true;
  });
}

import { type FieldError, formatPath, type Json, type PathStep, schemaDefaults } from '@navarch/machinery';

/** A default that its own schema would refuse makes every object without the field wrong. */
export function defaultErrors(schema: Json, at: readonly PathStep[]): FieldError[] {
  return schemaDefaults(schema).flatMap(({ path, errors }) =>
    errors.map(({ path: inside, message }) => ({
      path: `${formatPath([...at, ...path, 'default'])}${inside === '' || inside.startsWith('[') ? inside : `.${inside}`}`,
      message,
    })),
  );
}
